using System.ComponentModel.DataAnnotations;

namespace Seq2Seq.Api.Telemetry;

/// <summary>Configuration section <c>Telemetry</c>: where traces and metrics are sent.</summary>
internal sealed class TelemetryOptions
{
    public const string SectionName = "Telemetry";

    /// <summary>Address of an OpenTelemetry collector; without it nothing is sent, and nothing is traced.</summary>
    [Url]
    public string? OtlpEndpoint { get; set; }

    /// <summary>The name under which this service shows there.</summary>
    [Required]
    public string ServiceName { get; set; } = "seq2seq";
}
