namespace Seq2Seq.Inference.Families.NllbMoe;

/// <summary>
/// How tokens are shared out to experts: each to its two likeliest, as long as these have room (NllbMoeTop2Router of
/// transformers 5.17). Room is counted over tokens that are routed together, which here are those of one line only.
/// </summary>
internal sealed record NllbMoeRouting
{
    /// <summary>Tokens that an expert takes where <see cref="CapacityFraction"/> is not above 0; null: twice its even share.</summary>
    public int? Capacity { get; init; } = 64;

    /// <summary>Part of the tokens that an expert takes at most, where above 0.</summary>
    public double CapacityFraction { get; init; } = 1;

    /// <summary>Whether the two probabilities are made to sum to one before tokens without room are dropped, not after.</summary>
    public bool NormalizesBeforeDropping { get; init; }

    /// <summary>Whether tokens that are surer of their expert get room first, instead of those that stand first.</summary>
    public bool PrefersLikelyTokens { get; init; }

    /// <summary>Weights of each token's likeliest expert and of its second; 0 for an expert that had no room.</summary>
    /// <param name="logits">The router's output for tokens routed together, <c>[tokens, experts]</c>.</param>
    /// <param name="experts">Number of experts; at least 2.</param>
    /// <param name="first">Receives the weights of the likeliest experts, <c>[tokens]</c>.</param>
    /// <param name="second">Receives the weights of the second experts, <c>[tokens]</c>.</param>
    public void Route(ReadOnlySpan<float> logits, int experts, Span<float> first, Span<float> second)
    {
        int tokens = first.Length;
        int[] firstExpert = new int[tokens];
        int[] secondExpert = new int[tokens];
        float[] certainty = new float[tokens];
        for (int token = 0; token < tokens; token++)
        {
            ReadOnlySpan<float> row = logits.Slice(token * experts, experts);
            (firstExpert[token], secondExpert[token]) = Likeliest(row);
            float most = row[firstExpert[token]];
            float sum = 0;
            foreach (float logit in row)
            {
                sum += MathF.Exp(logit - most);
            }

            certainty[token] = 1 / sum;
            first[token] = 1 / sum;
            second[token] = MathF.Exp(row[secondExpert[token]] - most) / sum;
            if (NormalizesBeforeDropping)
            {
                Normalize(ref first[token], ref second[token]);
            }
        }

        DropWithoutRoom(firstExpert, secondExpert, certainty, experts, first, second);
        if (!NormalizesBeforeDropping)
        {
            for (int token = 0; token < tokens; token++)
            {
                Normalize(ref first[token], ref second[token]);
            }
        }
    }

    private void DropWithoutRoom(
        int[] firstExpert,
        int[] secondExpert,
        float[] certainty,
        int experts,
        Span<float> first,
        Span<float> second
    )
    {
        int tokens = firstExpert.Length;
        int room =
            CapacityFraction > 0
                ? (int)Math.Ceiling(CapacityFraction * tokens)
                : Capacity ?? (2 * ((tokens + experts - 1) / experts));
        IEnumerable<int> order = Enumerable.Range(0, tokens);
        int[] inOrder = PrefersLikelyTokens ? [.. order.OrderByDescending(token => certainty[token])] : [.. order];

        // Second choices come after all first choices, dropped ones included.
        int[] taken = new int[experts];
        foreach (int token in inOrder)
        {
            if (taken[firstExpert[token]]++ >= room)
            {
                first[token] = 0;
            }
        }

        foreach (int token in inOrder)
        {
            if (taken[secondExpert[token]]++ >= room)
            {
                second[token] = 0;
            }
        }
    }

    private static (int First, int Second) Likeliest(ReadOnlySpan<float> logits)
    {
        int first = 0;
        int second = -1;
        for (int i = 1; i < logits.Length; i++)
        {
            if (logits[i] > logits[first])
            {
                second = first;
                first = i;
            }
            else if (second < 0 || logits[i] > logits[second])
            {
                second = i;
            }
        }

        return (first, second);
    }

    private static void Normalize(ref float first, ref float second)
    {
        const float Epsilon = 1.1920929e-7f;
        float sum = Math.Max(first + second, Epsilon);
        first /= sum;
        second /= sum;
    }
}
