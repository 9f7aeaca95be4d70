namespace Seq2Seq.Inference.Generation;

/// <summary>
/// The log-probability of each token of a given target (teacher forcing): nothing is chosen and no option changes the
/// scores, as in the loss that a model is trained with. The target goes through the decoder in pieces of several tokens.
/// </summary>
internal sealed class TargetScoring : SequenceSearch
{
    private const int MaxTokensPerStep = 32;

    private readonly GenerationSettings _settings;
    private readonly int[] _target;
    private readonly int[] _fed;
    private readonly float[] _logProbabilities;
    private int _done;

    /// <param name="settings">Start token, vocabulary and length penalty.</param>
    /// <param name="target">At least one token, the end token included if it shall count.</param>
    public TargetScoring(GenerationSettings settings, IReadOnlyList<int> target)
    {
        _settings = settings;
        _target = [.. target];
        _fed = [settings.DecoderStartTokenId, .. target.SkipLast(1)];
        _logProbabilities = new float[target.Count];
    }

    public override int Rows => 1;

    public override bool IsFinished => _done == _target.Length;

    public override int Length => _done + 1;

    public static int RowsOf(IReadOnlyList<int> target) => Math.Min(target.Count, MaxTokensPerStep);

    public override ReadOnlySpan<int> TokensOf(int row) =>
        _fed.AsSpan(_done, Math.Min(MaxTokensPerStep, _fed.Length - _done));

    public override int ParentOf(int row) => 0;

    public override void Advance(Span<float> logits)
    {
        for (; !logits.IsEmpty; logits = logits[_settings.VocabularySize..])
        {
            Span<float> scores = logits[.._settings.VocabularySize];
            float max = Scores.Max(scores);
            _logProbabilities[_done] = scores[_target[_done]] - max - Scores.LogSumExp(scores, max);
            _done++;
        }
    }

    public override IReadOnlyList<SequenceOutput> Outputs() =>
        [
            new SequenceOutput
            {
                TokenIds = _target,
                Score =
                    _logProbabilities.Sum(logProbability => (double)logProbability)
                    / Math.Pow(_target.Length, _settings.LengthPenalty),
                FinishReason = _settings.EosTokenIds.Contains(_target[^1]) ? FinishReason.Stop : FinishReason.Length,
                TokenLogprobs = _logProbabilities,
            },
        ];
}
