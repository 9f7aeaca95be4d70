namespace Seq2Seq.Inference.Generation.LogitsProcessors;

/// <summary>Lets the end tokens' scores grow exponentially after some length (ExponentialDecayLengthPenalty).</summary>
internal sealed class ExponentialDecayLengthPenalty(ExponentialDecay decay, int promptLength, TokenIds endTokens)
    : LogitsProcessor
{
    private readonly int _start = decay.Start + promptLength;

    public override void Apply(ReadOnlySpan<int> sequence, Span<float> scores)
    {
        if (sequence.Length <= _start)
        {
            return;
        }

        float growth = (float)(Math.Pow(decay.Factor, sequence.Length - _start) - 1);
        foreach (int token in endTokens)
        {
            // What is forbidden stays so: minus infinity and infinity would make no number.
            if (!float.IsNegativeInfinity(scores[token]))
            {
                scores[token] += Math.Abs(scores[token]) * growth;
            }
        }
    }
}
