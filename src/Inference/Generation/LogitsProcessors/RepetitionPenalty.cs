namespace Seq2Seq.Inference.Generation.LogitsProcessors;

/// <summary>
/// Makes tokens that the sequence holds less likely, each once however often it occurs (RepetitionPenaltyLogitsProcessor;
/// Keskar et al. 2019, arXiv 1909.05858).
/// </summary>
internal sealed class RepetitionPenalty(double penalty) : LogitsProcessor
{
    private readonly float _penalty = (float)penalty;
    private readonly HashSet<int> _seen = [];

    public override void Apply(ReadOnlySpan<int> sequence, Span<float> scores)
    {
        _seen.Clear();
        foreach (int token in sequence)
        {
            if (_seen.Add(token))
            {
                float score = scores[token];
                scores[token] = score < 0 ? score * _penalty : score / _penalty;
            }
        }
    }

    public override bool TryFindChanged(ReadOnlySpan<int> sequence, List<int> tokens)
    {
        tokens.AddRange(sequence);
        return true;
    }
}
