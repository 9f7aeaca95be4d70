namespace Seq2Seq.Inference.Generation.LogitsProcessors;

/// <summary>Forbids the end tokens while the sequence is shorter than this (MinLength- and MinNewTokensLengthLogitsProcessor).</summary>
internal sealed class MinLength(int length, TokenIds endTokens) : LogitsProcessor
{
    public override void Apply(ReadOnlySpan<int> sequence, Span<float> scores)
    {
        if (sequence.Length < length)
        {
            foreach (int token in endTokens)
            {
                scores[token] = float.NegativeInfinity;
            }
        }
    }

    public override bool TryFindChanged(ReadOnlySpan<int> sequence, List<int> tokens)
    {
        if (sequence.Length < length)
        {
            tokens.AddRange(endTokens);
        }

        return true;
    }
}
