namespace Seq2Seq.Inference.Generation.LogitsProcessors;

/// <summary>
/// Leaves tokens at least as likely as the lesser of ε and √ε · e^−entropy (EtaLogitsWarper; Hewitt et al. 2022, arXiv
/// 2210.15191).
/// </summary>
internal sealed class EtaCutoff(double epsilon, int minTokensToKeep) : LogitsProcessor
{
    private readonly float _epsilon = (float)epsilon;
    private readonly PossibleTokens _possible = new();

    public override void Apply(ReadOnlySpan<int> sequence, Span<float> scores)
    {
        _possible.Read(scores);
        float eta = MathF.Min(_epsilon, MathF.Sqrt(_epsilon) * MathF.Exp(-_possible.Entropy()));
        _possible.RemoveLessLikelyThan(eta, minTokensToKeep, scores);
    }
}
