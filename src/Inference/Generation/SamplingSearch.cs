using Seq2Seq.Inference.Generation.LogitsProcessors;
using Seq2Seq.Inference.Generation.Stopping;

namespace Seq2Seq.Inference.Generation;

/// <summary>
/// Draws the token of every step from its distribution (GenerationMixin._sample with do_sample = true), for one sequence or
/// several that are independent of each other.
/// </summary>
// All sequences begin alike, so the first step has one row, from which each draws its own token. A sequence that has ended
// takes no row any more.
internal sealed class SamplingSearch : SequenceSearch
{
    private readonly LogitsProcessorList _processors;
    private readonly GeneratedSequence[] _sequences;
    private readonly RandomStream[] _random;
    private readonly int[] _parents;
    private readonly int[] _sequenceOfRow;
    private readonly float[] _scores;
    private int _rows = 1;
    private int _length;
    private bool _isFirstStep = true;

    public SamplingSearch(GenerationSettings settings, SamplingSettings sampling, IReadOnlyList<int> source, long line)
    {
        _processors = LogitsProcessorList.Create(settings, source);
        int count = settings.NumReturnSequences;
        StoppingCriteria stopping = new(settings);
        _sequences = [.. Enumerable.Range(0, count).Select(_ => new GeneratedSequence(settings, stopping))];
        _length = settings.Prompt.Count;
        _random = [.. Enumerable.Range(0, count).Select(i => new RandomStream(sampling.Seed, line, i))];
        _parents = new int[count];
        _sequenceOfRow = new int[count];
        _scores = new float[settings.VocabularySize];
    }

    public override int Rows => _rows;

    public override bool IsFinished => _rows == 0;

    public override int Length => _length;

    public override ReadOnlySpan<int> TokensOf(int row) => _sequences[_sequenceOfRow[row]].Tokens[^1..];

    public override int ParentOf(int row) => _parents[row];

    public override void Advance(Span<float> logits)
    {
        int vocabulary = _scores.Length;
        int next = 0;
        if (_isFirstStep)
        {
            _isFirstStep = false;
            _processors.Apply(_sequences[0].Tokens, logits);
            for (int sequence = 0; sequence < _sequences.Length; sequence++)
            {
                logits.CopyTo(_scores);
                Draw(sequence, parent: 0, _scores, ref next);
            }
        }
        else
        {
            for (int row = 0; row < _rows; row++)
            {
                int sequence = _sequenceOfRow[row];
                Span<float> scores = logits.Slice(row * vocabulary, vocabulary);
                _processors.Apply(_sequences[sequence].Tokens, scores);
                Draw(sequence, row, scores, ref next);
            }
        }

        _rows = next;
        _length++;
    }

    public override IReadOnlyList<SequenceOutput> Outputs() => [.. _sequences.Select(sequence => sequence.Output())];

    private void Draw(int sequence, int parent, Span<float> scores, ref int next)
    {
        int token = Scores.Sample(scores, _random[sequence].NextDouble(), out float logProbability);
        _sequences[sequence].Add(token, logProbability);
        if (!_sequences[sequence].IsFinished)
        {
            (_parents[next], _sequenceOfRow[next]) = (parent, sequence);
            next++;
        }
    }
}
