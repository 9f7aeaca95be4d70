using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Jobs.Execution;

/// <summary>A model could not be put onto a slot: someone must mend its folder or the configuration.</summary>
internal sealed class RefusedModelException(long loadId, ModelLoadException refusal)
    : Exception(refusal.Message, refusal)
{
    /// <summary>Key of the report that has every try.</summary>
    public long LoadId { get; } = loadId;

    public ModelLoadException Refusal { get; } = refusal;
}
