namespace Seq2Seq.Inference.Generation.LogitsProcessors;

/// <summary>Leaves the k likeliest tokens, and those that are as likely as the last of them (TopKLogitsWarper).</summary>
internal sealed class TopK(int count, int minTokensToKeep) : LogitsProcessor
{
    private readonly int _count = Math.Max(count, minTokensToKeep);

    public override void Apply(ReadOnlySpan<int> sequence, Span<float> scores)
    {
        float least = Scores.Largest(scores, _count);
        foreach (ref float score in scores)
        {
            if (score < least)
            {
                score = float.NegativeInfinity;
            }
        }
    }
}
