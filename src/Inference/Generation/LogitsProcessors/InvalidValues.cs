namespace Seq2Seq.Inference.Generation.LogitsProcessors;

/// <summary>NaN becomes 0, the infinities the largest and least numbers (InfNanRemoveLogitsProcessor).</summary>
internal sealed class InvalidValues : LogitsProcessor
{
    public override void Apply(ReadOnlySpan<int> sequence, Span<float> scores)
    {
        foreach (ref float score in scores)
        {
            score = float.IsNaN(score) ? 0 : Math.Clamp(score, float.MinValue, float.MaxValue);
        }
    }
}
