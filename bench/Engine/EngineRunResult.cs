using System.Text.Json.Serialization;

namespace Seq2Seq.Bench.Engine;

/// <summary>What a run took. Rates count target tokens, the end token included.</summary>
internal sealed record EngineRunResult
{
    [JsonPropertyName("peer")]
    public required string Peer { get; init; }

    [JsonPropertyName("lines")]
    public required int Lines { get; init; }

    [JsonPropertyName("target_tokens")]
    public required long TargetTokens { get; init; }

    [JsonPropertyName("load_s")]
    public required double LoadSeconds { get; init; }

    /// <summary>Generation alone, without loading and reading.</summary>
    [JsonPropertyName("seconds")]
    public required double Seconds { get; init; }

    /// <summary>Processor time of all threads in that time; null where the peer doesn't say.</summary>
    [JsonPropertyName("cpu_s")]
    public double? CpuSeconds { get; init; }

    [JsonPropertyName("peak_rss_mb")]
    public required long PeakMegabytes { get; init; }

    [JsonIgnore]
    public double LinesPerSecond => Lines / Seconds;
}
