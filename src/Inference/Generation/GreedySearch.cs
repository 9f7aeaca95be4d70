using Seq2Seq.Inference.Generation.LogitsProcessors;

namespace Seq2Seq.Inference.Generation;

/// <summary>Takes the likeliest token of every step (GenerationMixin._sample with do_sample = false).</summary>
internal sealed class GreedySearch(GenerationSettings settings, IReadOnlyList<int> source) : SequenceSearch
{
    private readonly LogitsProcessorList _processors = LogitsProcessorList.Create(settings, source);
    private readonly GeneratedSequence _sequence = new(settings);

    public override int Rows => 1;

    public override bool IsFinished => _sequence.IsFinished;

    public override int Length => _sequence.Length;

    public override ReadOnlySpan<int> TokensOf(int row) => _sequence.Tokens[^1..];

    public override int ParentOf(int row) => 0;

    public override void Advance(Span<float> logits)
    {
        _processors.Apply(_sequence.Tokens, logits);
        int token = Scores.ArgMax(logits, out float max);
        // The likeliest token's log-probability is its logit minus max, which is 0, minus the logarithm of the sum.
        _sequence.Add(token, -Scores.LogSumExp(logits, max));
    }

    public override IReadOnlyList<SequenceOutput> Outputs() => [_sequence.Output()];
}
