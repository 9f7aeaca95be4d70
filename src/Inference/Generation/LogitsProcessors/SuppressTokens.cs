namespace Seq2Seq.Inference.Generation.LogitsProcessors;

/// <summary>Forbids tokens, always or at one length of the sequence (SuppressTokens- and SuppressTokensAtBeginLogitsProcessor).</summary>
internal sealed class SuppressTokens(IReadOnlyList<int> tokens, int? atLength = null) : LogitsProcessor
{
    public override void Apply(ReadOnlySpan<int> sequence, Span<float> scores)
    {
        if (atLength is null || sequence.Length == atLength)
        {
            foreach (int token in tokens)
            {
                scores[token] = float.NegativeInfinity;
            }
        }
    }
}
