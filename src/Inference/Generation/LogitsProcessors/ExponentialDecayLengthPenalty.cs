namespace Seq2Seq.Inference.Generation.LogitsProcessors;

/// <summary>Lets the end tokens' scores grow exponentially after some length (ExponentialDecayLengthPenalty).</summary>
internal sealed class ExponentialDecayLengthPenalty(ExponentialDecay decay, TokenIds endTokens) : LogitsProcessor
{
    /// <summary>The decoder start token counts.</summary>
    private readonly int _start = decay.Start + 1;

    public override void Apply(ReadOnlySpan<int> sequence, Span<float> scores)
    {
        if (sequence.Length <= _start)
        {
            return;
        }

        float growth = (float)(Math.Pow(decay.Factor, sequence.Length - _start) - 1);
        foreach (int token in endTokens)
        {
            scores[token] += Math.Abs(scores[token]) * growth;
        }
    }
}
