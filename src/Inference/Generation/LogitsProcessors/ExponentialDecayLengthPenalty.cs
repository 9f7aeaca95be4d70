namespace Seq2Seq.Inference.Generation.LogitsProcessors;

/// <summary>Lets the end tokens' scores grow exponentially after some length (ExponentialDecayLengthPenalty).</summary>
/// <param name="factor">By which it grows with each token.</param>
/// <param name="start">The sequence's length from which on it does, the decoder start token included.</param>
/// <param name="endTokens">The end tokens.</param>
internal sealed class ExponentialDecayLengthPenalty(double factor, int start, TokenIds endTokens) : LogitsProcessor
{
    public override void Apply(ReadOnlySpan<int> sequence, Span<float> scores)
    {
        if (sequence.Length <= start)
        {
            return;
        }

        float growth = (float)(Math.Pow(factor, sequence.Length - start) - 1);
        foreach (int token in endTokens)
        {
            scores[token] += Math.Abs(scores[token]) * growth;
        }
    }
}
