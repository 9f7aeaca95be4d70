namespace Seq2Seq.Inference.Generation.LogitsProcessors;

/// <summary>Leaves only the given tokens, at one length of the sequence (ForcedBOS- and ForcedEOSTokenLogitsProcessor).</summary>
internal sealed class ForcedTokens(TokenIds tokens, int atLength) : LogitsProcessor
{
    public override void Apply(ReadOnlySpan<int> sequence, Span<float> scores)
    {
        if (sequence.Length == atLength)
        {
            scores.Fill(float.NegativeInfinity);
            foreach (int token in tokens)
            {
                scores[token] = 0;
            }
        }
    }

    public override bool TryFindChanged(ReadOnlySpan<int> sequence, List<int> tokens) => sequence.Length != atLength;
}
