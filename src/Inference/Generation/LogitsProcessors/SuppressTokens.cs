namespace Seq2Seq.Inference.Generation.LogitsProcessors;

/// <summary>Forbids tokens, always or at one length of the sequence (SuppressTokens- and SuppressTokensAtBeginLogitsProcessor).</summary>
internal sealed class SuppressTokens(IReadOnlyList<int> suppressed, int? atLength = null) : LogitsProcessor
{
    public override void Apply(ReadOnlySpan<int> sequence, Span<float> scores)
    {
        if (Applies(sequence))
        {
            foreach (int token in suppressed)
            {
                scores[token] = float.NegativeInfinity;
            }
        }
    }

    public override bool TryFindChanged(ReadOnlySpan<int> sequence, List<int> tokens)
    {
        if (Applies(sequence))
        {
            tokens.AddRange(suppressed);
        }

        return true;
    }

    private bool Applies(ReadOnlySpan<int> sequence) => atLength is null || sequence.Length == atLength;
}
