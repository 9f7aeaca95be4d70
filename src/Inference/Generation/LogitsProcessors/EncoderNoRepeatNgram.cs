namespace Seq2Seq.Inference.Generation.LogitsProcessors;

/// <summary>Forbids the token that would complete a run of n tokens of the source (EncoderNoRepeatNGramLogitsProcessor).</summary>
internal sealed class EncoderNoRepeatNgram(int size, IReadOnlyList<int> source) : LogitsProcessor
{
    private readonly int[] _source = [.. source];

    public override void Apply(ReadOnlySpan<int> sequence, Span<float> scores)
    {
        // The reference slices from cur_len + 1 - n, which is negative and thus counts from the end while the sequence is
        // too short; the slice is then shorter than a prefix and matches nothing.
        if (sequence.Length < size - 1)
        {
            return;
        }

        ReadOnlySpan<int> prefix = sequence[^(size - 1)..];
        for (int start = 0; start + size <= _source.Length; start++)
        {
            if (_source.AsSpan(start, size - 1).SequenceEqual(prefix))
            {
                scores[_source[start + size - 1]] = float.NegativeInfinity;
            }
        }
    }
}
