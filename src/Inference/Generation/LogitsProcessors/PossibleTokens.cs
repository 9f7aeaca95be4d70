namespace Seq2Seq.Inference.Generation.LogitsProcessors;

/// <summary>The tokens of a row that are not ruled out, and their probabilities. Its memory is used again for each row.</summary>
internal sealed class PossibleTokens
{
    private int[] _tokens = [];
    private float[] _logProbabilities = [];
    private float[] _probabilities = [];
    private int[] _order = [];

    public int Count { get; private set; }

    public ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, Count);

    public ReadOnlySpan<float> LogProbabilities => _logProbabilities.AsSpan(0, Count);

    public ReadOnlySpan<float> Probabilities => _probabilities.AsSpan(0, Count);

    public void Read(ReadOnlySpan<float> scores)
    {
        if (_tokens.Length < scores.Length)
        {
            _tokens = new int[scores.Length];
            _logProbabilities = new float[scores.Length];
            _probabilities = new float[scores.Length];
            _order = new int[scores.Length];
        }

        float max = Scores.Max(scores);
        float logSum = Scores.LogSumExp(scores, max);
        Count = 0;
        for (int token = 0; token < scores.Length; token++)
        {
            if (scores[token] > float.NegativeInfinity)
            {
                float logProbability = scores[token] - max - logSum;
                _tokens[Count] = token;
                _logProbabilities[Count] = logProbability;
                _probabilities[Count] = MathF.Exp(logProbability);
                Count++;
            }
        }
    }

    /// <summary>In nats.</summary>
    public float Entropy()
    {
        double sum = 0;
        for (int i = 0; i < Count; i++)
        {
            sum -= (double)_logProbabilities[i] * _probabilities[i];
        }

        return (float)sum;
    }

    /// <summary>The least likely first.</summary>
    public void SortByProbability() => SortBy(_logProbabilities.AsSpan(0, Count).ToArray());

    /// <summary>Sorts by keys, which are sorted as well.</summary>
    public void SortBy(float[] keys)
    {
        for (int i = 0; i < Count; i++)
        {
            _order[i] = i;
        }

        Array.Sort(keys, _order, 0, Count);
        int[] tokens = _tokens[..Count];
        float[] logProbabilities = _logProbabilities[..Count];
        float[] probabilities = _probabilities[..Count];
        for (int i = 0; i < Count; i++)
        {
            _tokens[i] = tokens[_order[i]];
            _logProbabilities[i] = logProbabilities[_order[i]];
            _probabilities[i] = probabilities[_order[i]];
        }
    }

    /// <summary>Rules tokens out below a probability, but not the likeliest few.</summary>
    public void RemoveLessLikelyThan(float probability, int minTokensToKeep, Span<float> scores)
    {
        float kept = Scores.Largest(scores, minTokensToKeep);
        for (int i = 0; i < Count; i++)
        {
            if (_probabilities[i] < probability && scores[_tokens[i]] < kept)
            {
                scores[_tokens[i]] = float.NegativeInfinity;
            }
        }
    }
}
