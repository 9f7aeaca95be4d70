namespace Seq2Seq.Inference.Loading;

/// <summary>A model could not be loaded: someone must mend its folder. The first error is the inner cause; the report has every try.</summary>
public sealed class ModelLoadException(LoadReport report, Exception? innerException)
    : Exception($"Model '{report.Model}' was refused ({report.Code}): {report.Message}", innerException)
{
    /// <summary>Stable code of the refusal, for problem details and metric labels.</summary>
    public string Code => Report.Code ?? "model_load_failed";

    public LoadReport Report { get; } = report;
}
