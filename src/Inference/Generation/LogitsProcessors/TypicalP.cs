namespace Seq2Seq.Inference.Generation.LogitsProcessors;

/// <summary>
/// Leaves the tokens whose information is nearest to the entropy and whose probabilities together reach p
/// (TypicalLogitsWarper; locally typical sampling, Meister et al. 2022, arXiv 2202.00666).
/// </summary>
internal sealed class TypicalP(double mass, int minTokensToKeep) : LogitsProcessor
{
    private readonly float _mass = (float)mass;
    private readonly PossibleTokens _possible = new();
    private float[] _distances = [];

    public override void Apply(ReadOnlySpan<int> sequence, Span<float> scores)
    {
        _possible.Read(scores);
        float entropy = _possible.Entropy();
        if (_distances.Length < _possible.Count)
        {
            _distances = new float[scores.Length];
        }

        for (int i = 0; i < _possible.Count; i++)
        {
            _distances[i] = MathF.Abs(-_possible.LogProbabilities[i] - entropy);
        }

        _possible.SortBy(_distances);
        int last = 0;
        double sum = 0;
        while (last < _possible.Count && (float)(sum += _possible.Probabilities[last]) < _mass)
        {
            last++;
        }

        // Tokens as far from the entropy as the last one stay, too.
        float farthest = last < _possible.Count ? _distances[last] : float.PositiveInfinity;
        for (int i = minTokensToKeep; i < _possible.Count; i++)
        {
            if (_distances[i] > farthest)
            {
                scores[_possible.Tokens[i]] = float.NegativeInfinity;
            }
        }
    }
}
