namespace Seq2Seq.Inference.Generation.LogitsProcessors;

/// <summary>Leaves tokens at least as likely as this (EpsilonLogitsWarper; Hewitt et al. 2022, arXiv 2210.15191).</summary>
internal sealed class EpsilonCutoff(double epsilon, int minTokensToKeep) : LogitsProcessor
{
    private readonly PossibleTokens _possible = new();

    public override void Apply(ReadOnlySpan<int> sequence, Span<float> scores)
    {
        _possible.Read(scores);
        _possible.RemoveLessLikelyThan((float)epsilon, minTokensToKeep, scores);
    }
}
