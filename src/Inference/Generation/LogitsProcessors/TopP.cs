namespace Seq2Seq.Inference.Generation.LogitsProcessors;

/// <summary>
/// Leaves the likeliest tokens whose probabilities together reach p (TopPLogitsWarper; nucleus sampling, Holtzman et al.
/// 2019, arXiv 1904.09751).
/// </summary>
internal sealed class TopP(double mass, int minTokensToKeep) : LogitsProcessor
{
    private readonly float _rest = (float)(1 - mass);
    private readonly PossibleTokens _possible = new();

    public override void Apply(ReadOnlySpan<int> sequence, Span<float> scores)
    {
        _possible.Read(scores);
        _possible.SortByProbability();
        double sum = 0;
        for (int i = 0; i < _possible.Count - minTokensToKeep; i++)
        {
            sum += _possible.Probabilities[i];
            if ((float)sum > _rest)
            {
                return;
            }

            scores[_possible.Tokens[i]] = float.NegativeInfinity;
        }
    }
}
