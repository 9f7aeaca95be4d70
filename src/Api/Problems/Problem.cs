using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json.Serialization;

namespace Seq2Seq.Api.Problems;

/// <summary>
/// The body of every answer that is an error: problem details (RFC 9457, <c>application/problem+json</c>) with a stable
/// code, and where one field is at fault, its name, what was found and what was expected.
/// </summary>
internal sealed record Problem
{
    [Description("Reference to the meaning of the code on this host.")]
    public required string Type { get; init; }

    [Description("Short text that is the same for every occurrence of the code.")]
    public required string Title { get; init; }

    [Description("The HTTP status.")]
    public required int Status { get; init; }

    [Description("What is wrong with this request.")]
    public required string Detail { get; init; }

    [Description("Stable code, such as field_invalid.")]
    public required string Code { get; init; }

    [Description("The field, parameter or header at fault, such as inputs[3].text.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Field { get; init; }

    [Description("What was found there; long values are cut.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Found { get; init; }

    [Description("What was expected there.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Expected { get; init; }

    [Description("Where the job goes on whose outputs were not ready in time.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Job { get; init; }

    [Description("Finds this request in the service's log.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? TraceId { get; init; }

    public static Problem Of(ProblemCode code, string? detail = null) =>
        new()
        {
            Type = code.Type,
            Title = code.Title,
            Status = code.Status,
            Detail = detail ?? code.Meaning,
            Code = code.Code,
            TraceId = Activity.Current?.TraceId.ToHexString(),
        };
}
