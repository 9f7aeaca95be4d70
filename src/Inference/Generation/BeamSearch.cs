using Seq2Seq.Inference.Generation.LogitsProcessors;
using Seq2Seq.Inference.Generation.Stopping;

namespace Seq2Seq.Inference.Generation;

/// <summary>
/// Beam search over the tokens of one line, with the results of GenerationMixin._beam_search in transformers 5.17: the
/// same candidates, the same float32 sums, the same rules of stopping. Sampling draws the candidates, without replacement,
/// from the distribution over all continuations.
/// </summary>
// Of the sums over all beams and tokens the best (1 + end tokens) × beams are looked at, so that enough unfinished ones
// remain. Those that end and stand among the first `beams` compete for a place among the finished; the best that don't
// end are the next step's beams. Where stop strings leave too few of these, ended ones go on with a score below all others.
// Drawing without replacement is taking the largest of the scores with Gumbel noise added (Kool et al. 2019, arXiv
// 1903.06059); candidates then stand in the order in which they were drawn.
internal sealed class BeamSearch : SequenceSearch
{
    /// <summary>The reference's score of what must not be chosen; part of the result where little else can be.</summary>
    private const float Unlikely = -1e9f;

    private readonly GenerationSettings _settings;
    private readonly LogitsProcessorList _processors;
    private readonly StoppingCriteria _stopping;
    private readonly TopCandidates _candidates;
    private readonly BeamTree _tree;
    private readonly float[] _logSums;
    private RandomStream _random;
    private readonly List<Hypothesis> _finished;
    private readonly List<(float Score, int Parent, int Token)> _running = [];
    private readonly List<(float Score, int Parent, int Token)> _ended = [];
    private readonly int[] _nextNodes;
    private readonly int[] _beamNodes;
    private readonly int[] _parents;
    private readonly int[] _lastTokens;
    private readonly float[] _beamScores;
    private readonly int _promptLength;
    private int _length;
    private int _rows = 1;
    private bool _isFinished;

    public BeamSearch(GenerationSettings settings, IReadOnlyList<int> source, long line)
    {
        _settings = settings;
        _random = new RandomStream(settings.Sampling?.Seed ?? 0, line, sequence: 0);
        _processors = LogitsProcessorList.Create(settings, source);
        int beams = settings.NumBeams;
        _stopping = new StoppingCriteria(settings);
        _candidates = new TopCandidates(Math.Max(2, 1 + settings.EosTokenIds.Count) * beams);
        _tree = new BeamTree(settings);
        _promptLength = settings.Prompt.Count;
        _length = _promptLength;
        _logSums = new float[beams];
        _finished = new List<Hypothesis>(beams + 1);
        _nextNodes = new int[beams];
        _beamNodes = new int[beams];
        _beamNodes[0] = _tree.Root;
        _parents = new int[beams];
        _lastTokens = new int[beams];
        _lastTokens[0] = settings.Prompt[^1];
        _beamScores = new float[beams];
        // All beams begin alike: only the first may be continued, and only it is computed.
        Array.Fill(_beamScores, Unlikely, 1, beams - 1);
    }

    public override int Rows => _rows;

    public override bool IsFinished => _isFinished;

    public override int Length => _length;

    public override ReadOnlySpan<int> TokensOf(int row) => _lastTokens.AsSpan(row, 1);

    public override int ParentOf(int row) => _parents[row];

    public override void Advance(Span<float> logits)
    {
        FindCandidates(logits);
        bool isTimeUp = _stopping.IsTimeUp;
        _running.Clear();
        _ended.Clear();
        for (int i = 0; i < _candidates.Count; i++)
        {
            (float score, int parent, int token) = _candidates[i];
            if (_tree.ReasonToEnd(_stopping, _beamNodes[parent], _length, token, isTimeUp) is { } reason)
            {
                _ended.Add((score + Unlikely, parent, token));
                if (i < _settings.NumBeams)
                {
                    Finish(score, parent, token, LogProbability(logits, parent, token), reason);
                }
            }
            else
            {
                _running.Add((score, parent, token));
            }
        }

        bool allEnd = _running.Count == 0;
        if (_settings.Sampling is not null)
        {
            // Candidates were drawn in any order; beams go on best first.
            _running.Sort((a, b) => b.Score.CompareTo(a.Score));
            _ended.Sort((a, b) => b.Score.CompareTo(a.Score));
        }

        foreach ((float score, int parent, int token) in _ended)
        {
            if (!allEnd && _running.Count < _settings.NumBeams && score > float.NegativeInfinity)
            {
                _running.Add((score, parent, token));
            }
        }

        Continue(logits);
        _length++;
        _isFinished = allEnd || IsGoodEnough();
    }

    public override IReadOnlyList<SequenceOutput> Outputs() =>
        [.. _finished.Take(_settings.NumReturnSequences).Select(_tree.Output)];

    /// <summary>The best candidates that don't end become the beams of the next step.</summary>
    private void Continue(ReadOnlySpan<float> logits)
    {
        _rows = Math.Min(_running.Count, _settings.NumBeams);
        for (int beam = 0; beam < _rows; beam++)
        {
            (float score, int parent, int token) = _running[beam];
            _nextNodes[beam] = _tree.Add(token, _beamNodes[parent], LogProbability(logits, parent, token));
            _beamScores[beam] = score;
            _parents[beam] = parent;
            _lastTokens[beam] = token;
        }

        _nextNodes.AsSpan(0, _rows).CopyTo(_beamNodes);
    }

    /// <summary>The log-probability of a token after the processors; 0 when nobody asks for it.</summary>
    private float LogProbability(ReadOnlySpan<float> scores, int beam, int token) =>
        _settings.TokenLogprobs ? scores[(beam * _settings.VocabularySize) + token] - _logSums[beam] : 0;

    private void FindCandidates(Span<float> logits)
    {
        int vocabulary = _settings.VocabularySize;
        _candidates.Clear();
        bool isFirstStep = _length == _promptLength;
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
                _processors.Apply(_tree.Sequence(_beamNodes[beam], _length), scores);
            }

            if (_settings.TokenLogprobs)
            {
                _logSums[beam] = Scores.LogSum(scores);
            }

            if (_settings.Sampling is not null)
            {
                Draw(scores, max, logSum, beam);
                continue;
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

    /// <summary>Gives each possible continuation of a beam its chance.</summary>
    private void Draw(ReadOnlySpan<float> scores, float max, float logSum, int beam)
    {
        for (int token = 0; token < scores.Length; token++)
        {
            float score = scores[token] - max - logSum + _beamScores[beam];
            if (score > float.NegativeInfinity)
            {
                double noise = -Math.Log(-Math.Log(_random.NextDouble()));
                _candidates.Draw(score + noise, score, beam, token);
            }
        }
    }

    private void Finish(float sum, int parent, int token, float logProbability, FinishReason reason)
    {
        float score = sum / (float)_settings.LengthDivisor(_length);
        if (!(score > Unlikely))
        {
            return;
        }

        int place = _finished.Count;
        while (place > 0 && _finished[place - 1].Score < score)
        {
            place--;
        }

        int node = _tree.Add(token, _beamNodes[parent], logProbability);
        _finished.Insert(place, new Hypothesis(score, node, _length + 1, reason));
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
        return !(_beamScores[0] / (float)_settings.LengthDivisor(length) > _finished[^1].Score);
    }
}
