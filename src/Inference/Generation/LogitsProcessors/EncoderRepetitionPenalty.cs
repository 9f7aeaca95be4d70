namespace Seq2Seq.Inference.Generation.LogitsProcessors;

/// <summary>Makes tokens of the source more likely (EncoderRepetitionPenaltyLogitsProcessor).</summary>
internal sealed class EncoderRepetitionPenalty(double penalty, IReadOnlyList<int> source) : LogitsProcessor
{
    private readonly float _penalty = (float)(1 / penalty);
    private readonly int[] _tokens = [.. source.Distinct()];

    public override void Apply(ReadOnlySpan<int> sequence, Span<float> scores)
    {
        foreach (int token in _tokens)
        {
            float score = scores[token];
            scores[token] = score < 0 ? score * _penalty : score / _penalty;
        }
    }
}
