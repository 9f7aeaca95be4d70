namespace Seq2Seq.Inference.Generation.LogitsProcessors;

/// <summary>Leaves tokens at least p times as likely as the likeliest (MinPLogitsWarper; Nguyen et al. 2024, arXiv 2407.01082).</summary>
internal sealed class MinP(double share, int minTokensToKeep) : LogitsProcessor
{
    private readonly PossibleTokens _possible = new();

    public override void Apply(ReadOnlySpan<int> sequence, Span<float> scores)
    {
        _possible.Read(scores);
        float least = (float)share * Scores.Max(_possible.Probabilities);
        _possible.RemoveLessLikelyThan(least, minTokensToKeep, scores);
    }
}
