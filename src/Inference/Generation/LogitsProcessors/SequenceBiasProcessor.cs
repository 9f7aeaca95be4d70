namespace Seq2Seq.Inference.Generation.LogitsProcessors;

/// <summary>Adds a bias to the token that would complete a given sequence (SequenceBiasLogitsProcessor).</summary>
internal sealed class SequenceBiasProcessor : LogitsProcessor
{
    private readonly (int Token, float Bias)[] _single;
    private readonly (int[] Prefix, int Token, float Bias)[] _longer;

    public SequenceBiasProcessor(IReadOnlyList<SequenceBias> biases)
    {
        // A later bias of the same sequence replaces an earlier one, as in the reference's dictionary.
        Dictionary<string, SequenceBias> distinct = new(StringComparer.Ordinal);
        foreach (SequenceBias bias in biases)
        {
            distinct[string.Join(' ', bias.TokenIds)] = bias;
        }

        _single =
        [
            .. distinct
                .Values.Where(bias => bias.TokenIds.Count == 1)
                .Select(bias => (bias.TokenIds[0], (float)bias.Bias)),
        ];
        _longer =
        [
            .. distinct
                .Values.Where(bias => bias.TokenIds.Count > 1)
                .Select(bias => (bias.TokenIds.SkipLast(1).ToArray(), bias.TokenIds[^1], (float)bias.Bias)),
        ];
    }

    public override void Apply(ReadOnlySpan<int> sequence, Span<float> scores)
    {
        foreach ((int token, float bias) in _single)
        {
            scores[token] += bias;
        }

        foreach ((int[] prefix, int token, float bias) in _longer)
        {
            if (Completes(sequence, prefix))
            {
                scores[token] += bias;
            }
        }
    }

    public override bool TryFindChanged(ReadOnlySpan<int> sequence, List<int> tokens)
    {
        foreach ((int token, _) in _single)
        {
            tokens.Add(token);
        }

        foreach ((int[] prefix, int token, _) in _longer)
        {
            if (Completes(sequence, prefix))
            {
                tokens.Add(token);
            }
        }

        return true;
    }

    // The reference leaves out sequences longer than the context, not only those whose prefix is.
    private static bool Completes(ReadOnlySpan<int> sequence, int[] prefix) =>
        prefix.Length < sequence.Length && sequence.EndsWith(prefix);
}
