namespace Seq2Seq.Inference.Generation.LogitsProcessors;

/// <summary>
/// Makes tokens less likely that other groups of beams have chosen in this step, once for each time (HammingDiversityLogitsProcessor
/// of transformers 4; Vijayakumar et al. 2016, arXiv 1610.02424).
/// </summary>
internal sealed class HammingDiversity(double penalty) : LogitsProcessor
{
    private readonly float _penalty = (float)penalty;
    private readonly Dictionary<int, int> _chosen = [];

    /// <summary>Begins a step.</summary>
    public void Clear() => _chosen.Clear();

    /// <summary>Says what a group has chosen.</summary>
    public void Add(int token) => _chosen[token] = _chosen.GetValueOrDefault(token) + 1;

    public override void Apply(ReadOnlySpan<int> sequence, Span<float> scores)
    {
        foreach ((int token, int count) in _chosen)
        {
            scores[token] -= _penalty * count;
        }
    }
}
