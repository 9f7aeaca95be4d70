using Seq2Seq.Inference.Generation.LogitsProcessors;

namespace Seq2Seq.Inference.Generation;

/// <summary>
/// Beam search over the tokens of one line, with the results of GenerationMixin._beam_search in transformers 5.17: the
/// same candidates, the same float32 sums, the same rules of stopping.
/// </summary>
// Of the sums over all beams and tokens the best (1 + end tokens) × beams are looked at, so that enough unfinished ones
// remain. Those that end and stand among the first `beams` compete for a place among the finished; the best that don't
// end are the next step's beams. Sequences are kept as a tree: a node is a token and its parent node.
internal sealed class BeamSearch : SequenceSearch
{
    /// <summary>The reference's score of what must not be chosen; part of the result where little else can be.</summary>
    private const float Unlikely = -1e9f;

    private readonly GenerationSettings _settings;
    private readonly LogitsProcessorList _processors;
    private readonly TopCandidates _candidates;
    private readonly List<(int Token, int Parent)> _nodes;
    private readonly List<Hypothesis> _finished;
    private readonly int[] _beamNodes;
    private readonly int[] _parents;
    private readonly float[] _beamScores;
    private int[] _sequence = new int[16];
    private int _length = 1;
    private int _rows = 1;
    private bool _isFinished;

    public BeamSearch(GenerationSettings settings, IReadOnlyList<int> source)
    {
        _settings = settings;
        _processors = LogitsProcessorList.Create(settings, source);
        int beams = settings.NumBeams;
        _candidates = new TopCandidates(Math.Max(2, 1 + settings.EosTokenIds.Count) * beams);
        _nodes = [(settings.DecoderStartTokenId, -1)];
        _finished = new List<Hypothesis>(beams + 1);
        _beamNodes = new int[beams];
        _parents = new int[beams];
        _beamScores = new float[beams];
        // All beams begin alike: only the first may be continued, and only it is computed.
        Array.Fill(_beamScores, Unlikely, 1, beams - 1);
    }

    public override int Rows => _rows;

    public override bool IsFinished => _isFinished;

    public override int TokenOf(int row) => _nodes[_beamNodes[row]].Token;

    public override int ParentOf(int row) => _parents[row];

    public override void Advance(Span<float> logits)
    {
        FindCandidates(logits);
        bool allEnd = true;
        int firstNode = _nodes.Count;
        int beam = 0;
        for (int i = 0; i < _candidates.Count; i++)
        {
            (float score, int parent, int token) = _candidates[i];
            bool isEnd = _settings.EosTokenIds.Contains(token);
            if (isEnd || _length + 1 >= _settings.MaxLength)
            {
                if (i < _settings.NumBeams)
                {
                    Finish(score, _beamNodes[parent], token, isEnd ? FinishReason.Stop : FinishReason.Length);
                }
            }
            else
            {
                allEnd = false;
                if (beam < _settings.NumBeams)
                {
                    _nodes.Add((token, _beamNodes[parent]));
                    _beamScores[beam] = score;
                    _parents[beam++] = parent;
                }
            }
        }

        for (int i = 0; i < beam; i++)
        {
            _beamNodes[i] = firstNode + i;
        }

        _rows = beam;
        _length++;
        _isFinished = allEnd || IsGoodEnough();
    }

    public override IReadOnlyList<SequenceOutput> Outputs() =>
        [
            .. _finished
                .Take(_settings.NumReturnSequences)
                .Select(hypothesis => new SequenceOutput
                {
                    TokenIds = Sequence(hypothesis),
                    Score = hypothesis.Score,
                    FinishReason = hypothesis.Reason,
                }),
        ];

    private void FindCandidates(Span<float> logits)
    {
        int vocabulary = _settings.VocabularySize;
        _candidates.Clear();
        bool isFirstStep = _length == 1;
        for (int beam = 0; beam < _rows; beam++)
        {
            Span<float> scores = logits.Slice(beam * vocabulary, vocabulary);
            float max = 0;
            float logSum = 0;
            if (_processors.IsEmpty)
            {
                max = Scores.Max(scores);
                logSum = Scores.LogSumExp(scores, max);
            }
            else
            {
                Scores.LogSoftmax(scores);
                _processors.Apply(SequenceOf(_beamNodes[beam]), scores);
            }

            _candidates.Scan(scores, max, logSum, _beamScores[beam], beam);
            // The other beams of the first step hold the same scores: they matter when too few tokens are possible.
            for (int other = 1; isFirstStep && other < _settings.NumBeams && _candidates.Threshold < Unlikely; other++)
            {
                _candidates.Scan(scores, max, logSum, _beamScores[other], beam);
            }
        }

        _candidates.Pad();
    }

    private void Finish(float sum, int parent, int token, FinishReason reason)
    {
        float score = sum / (float)Math.Pow(_length, _settings.LengthPenalty);
        if (!(score > Unlikely))
        {
            return;
        }

        int place = _finished.Count;
        while (place > 0 && _finished[place - 1].Score < score)
        {
            place--;
        }

        _finished.Insert(place, new Hypothesis(score, parent, token, _length, reason));
        if (_finished.Count > _settings.NumBeams)
        {
            _finished.RemoveAt(_settings.NumBeams);
        }
    }

    /// <summary>
    /// Whether there are enough finished sequences and no beam is expected to become better than the worst of them
    /// (GenerationMixin._check_early_stop_heuristic).
    /// </summary>
    private bool IsGoodEnough()
    {
        if (_finished.Count < _settings.NumBeams)
        {
            return false;
        }

        if (_settings.EarlyStopping == EarlyStopping.AtNumBeams)
        {
            return true;
        }

        int length =
            _settings.EarlyStopping == EarlyStopping.Never && _settings.LengthPenalty > 0
                ? _settings.MaxLength - 1
                : _length - 1;
        return !(_beamScores[0] / (float)Math.Pow(length, _settings.LengthPenalty) > _finished[^1].Score);
    }

    private ReadOnlySpan<int> SequenceOf(int node)
    {
        if (_sequence.Length < _length)
        {
            Array.Resize(ref _sequence, 2 * _length);
        }

        for (int i = _length - 1; i >= 0; i--)
        {
            (_sequence[i], node) = _nodes[node];
        }

        return _sequence.AsSpan(0, _length);
    }

    private int[] Sequence(Hypothesis hypothesis)
    {
        int[] tokens = new int[hypothesis.Length];
        tokens[^1] = hypothesis.Token;
        int node = hypothesis.Parent;
        for (int i = tokens.Length - 2; i >= 0; i--)
        {
            (tokens[i], node) = _nodes[node];
        }

        return tokens;
    }

    /// <param name="Score">Sum of log-probabilities divided by length ^ length penalty.</param>
    /// <param name="Parent">Node of the last token but one.</param>
    /// <param name="Token">The last token.</param>
    /// <param name="Length">Tokens after the decoder start token.</param>
    /// <param name="Reason">Why it ended.</param>
    private sealed record Hypothesis(float Score, int Parent, int Token, int Length, FinishReason Reason);
}
