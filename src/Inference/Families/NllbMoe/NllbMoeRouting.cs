namespace Seq2Seq.Inference.Families.NllbMoe;

/// <summary>A token's likeliest expert and its second, with their weights; 0 for one that had no room.</summary>
internal readonly record struct TokenExperts(int First, float FirstWeight, int Second, float SecondWeight);

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

    /// <param name="logits">The router's output for tokens routed together, <c>[tokens, experts]</c>.</param>
    /// <param name="experts">Number of experts; at least 2.</param>
    /// <returns><c>[tokens]</c></returns>
    public TokenExperts[] Route(ReadOnlySpan<float> logits, int experts)
    {
        TokenExperts[] tokens = new TokenExperts[logits.Length / experts];
        float[] certainty = new float[tokens.Length];
        for (int i = 0; i < tokens.Length; i++)
        {
            tokens[i] = Likeliest(logits.Slice(i * experts, experts));
            certainty[i] = tokens[i].FirstWeight;
        }

        if (NormalizesBeforeDropping)
        {
            Normalize(tokens);
        }

        DropWithoutRoom(tokens, certainty, experts);
        if (!NormalizesBeforeDropping)
        {
            Normalize(tokens);
        }

        return tokens;
    }

    private void DropWithoutRoom(TokenExperts[] tokens, float[] certainty, int experts)
    {
        int room =
            CapacityFraction > 0
                ? (int)Math.Ceiling(CapacityFraction * tokens.Length)
                : Capacity ?? (2 * ((tokens.Length + experts - 1) / experts));
        IEnumerable<int> order = Enumerable.Range(0, tokens.Length);
        int[] inOrder = PrefersLikelyTokens ? [.. order.OrderByDescending(token => certainty[token])] : [.. order];

        // Second choices come after all first choices, dropped ones included.
        int[] taken = new int[experts];
        foreach (int token in inOrder)
        {
            if (taken[tokens[token].First]++ >= room)
            {
                tokens[token] = tokens[token] with { FirstWeight = 0 };
            }
        }

        foreach (int token in inOrder)
        {
            if (taken[tokens[token].Second]++ >= room)
            {
                tokens[token] = tokens[token] with { SecondWeight = 0 };
            }
        }
    }

    /// <summary>The two likeliest experts with their probabilities.</summary>
    private static TokenExperts Likeliest(ReadOnlySpan<float> logits)
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

        float sum = 0;
        foreach (float logit in logits)
        {
            sum += MathF.Exp(logit - logits[first]);
        }

        return new TokenExperts(first, 1 / sum, second, MathF.Exp(logits[second] - logits[first]) / sum);
    }

    private static void Normalize(TokenExperts[] tokens)
    {
        const float Epsilon = 1.1920929e-7f;
        for (int i = 0; i < tokens.Length; i++)
        {
            (float first, float second) = (tokens[i].FirstWeight, tokens[i].SecondWeight);
            float sum = Math.Max(first + second, Epsilon);
            tokens[i] = tokens[i] with { FirstWeight = first / sum, SecondWeight = second / sum };
        }
    }
}
