namespace Seq2Seq.Inference.Generation.LogitsProcessors;

/// <summary>Forbids the token that would repeat a run of n tokens of the sequence (NoRepeatNGramLogitsProcessor).</summary>
internal sealed class NoRepeatNgram(int size) : LogitsProcessor
{
    public override void Apply(ReadOnlySpan<int> sequence, Span<float> scores)
    {
        if (sequence.Length < size)
        {
            return;
        }

        ReadOnlySpan<int> prefix = sequence[^(size - 1)..];
        for (int start = 0; start + size <= sequence.Length; start++)
        {
            if (sequence.Slice(start, size - 1).SequenceEqual(prefix))
            {
                scores[sequence[start + size - 1]] = float.NegativeInfinity;
            }
        }
    }
}
