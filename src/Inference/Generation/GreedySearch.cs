using Seq2Seq.Inference.Generation.LogitsProcessors;

namespace Seq2Seq.Inference.Generation;

/// <summary>Takes the likeliest token of every step (GenerationMixin._sample with do_sample = false).</summary>
internal sealed class GreedySearch(GenerationSettings settings, IReadOnlyList<int> source) : SequenceSearch
{
    private readonly LogitsProcessorList _processors = LogitsProcessorList.Create(settings, source);
    private int[] _sequence = [settings.DecoderStartTokenId, .. new int[15]];
    private int _length = 1;
    private double _logProbability;
    private FinishReason? _finished;

    public override int Rows => 1;

    public override bool IsFinished => _finished is not null;

    public override int TokenOf(int row) => _sequence[_length - 1];

    public override int ParentOf(int row) => 0;

    public override void Advance(Span<float> logits)
    {
        _processors.Apply(_sequence.AsSpan(0, _length), logits);
        int token = Scores.ArgMax(logits, out float max);
        // The likeliest token's log-probability is its logit minus max, which is 0, minus the logarithm of the sum.
        _logProbability -= Scores.LogSumExp(logits, max);
        if (_length == _sequence.Length)
        {
            Array.Resize(ref _sequence, 2 * _length);
        }

        _sequence[_length++] = token;
        if (settings.EosTokenIds.Contains(token))
        {
            _finished = FinishReason.Stop;
        }
        else if (_length >= settings.MaxLength)
        {
            _finished = FinishReason.Length;
        }
    }

    public override IReadOnlyList<SequenceOutput> Outputs() =>
        [
            new SequenceOutput
            {
                TokenIds = _sequence[1.._length],
                Score = _logProbability / Math.Pow(_length - 1, settings.LengthPenalty),
                FinishReason = _finished ?? FinishReason.Length,
            },
        ];
}
