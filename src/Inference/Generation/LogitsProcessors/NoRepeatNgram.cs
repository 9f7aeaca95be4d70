namespace Seq2Seq.Inference.Generation.LogitsProcessors;

/// <summary>Forbids the token that would repeat a run of n tokens of the sequence (NoRepeatNGramLogitsProcessor).</summary>
internal sealed class NoRepeatNgram(int size) : LogitsProcessor
{
    private readonly List<int> _repeating = [];

    public override void Apply(ReadOnlySpan<int> sequence, Span<float> scores)
    {
        _repeating.Clear();
        TryFindChanged(sequence, _repeating);
        foreach (int token in _repeating)
        {
            scores[token] = float.NegativeInfinity;
        }
    }

    public override bool TryFindChanged(ReadOnlySpan<int> sequence, List<int> tokens)
    {
        if (sequence.Length < size)
        {
            return true;
        }

        ReadOnlySpan<int> prefix = sequence[^(size - 1)..];
        for (int start = 0; start + size <= sequence.Length; start++)
        {
            if (sequence.Slice(start, size - 1).SequenceEqual(prefix))
            {
                tokens.Add(sequence[start + size - 1]);
            }
        }

        return true;
    }
}
