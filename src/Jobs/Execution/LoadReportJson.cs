using System.Text.Json;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Jobs.Execution;

/// <summary>Load reports as they stand in <c>model_load.report</c>.</summary>
internal static class LoadReportJson
{
    private static readonly JsonSerializerOptions _options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    public static string Write(LoadReport report) => JsonSerializer.Serialize(report, _options);

    public static LoadReport Read(string json) => JsonSerializer.Deserialize<LoadReport>(json, _options)!;
}
