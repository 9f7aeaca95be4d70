namespace Seq2Seq.Inference.Generation.LogitsProcessors;

/// <summary>Makes log-probabilities of the scores (LogitNormalization).</summary>
internal sealed class LogitNormalization : LogitsProcessor
{
    public override void Apply(ReadOnlySpan<int> sequence, Span<float> scores) => Scores.LogSoftmax(scores);
}
