using Seq2Seq.Inference.Generation.LogitsProcessors;
using Seq2Seq.Inference.Generation.Stopping;

namespace Seq2Seq.Inference.Generation;

/// <summary>
/// Beam search in groups that keep away from each other's tokens (Vijayakumar et al. 2016, "Diverse Beam Search", arXiv
/// 1610.02424), with the results that GenerationMixin._group_beam_search had in transformers 4, before it left the library.
/// </summary>
// Groups take their turns within a step; a token that earlier groups have chosen in it loses the penalty for each time. Each
// group is a beam search of its own with an older rule of stopping: it is done when it has as many finished sequences as beams
// and none is expected to become better than the worst of them. A group that is done goes on choosing padding.
internal sealed class DiverseBeamSearch : SequenceSearch
{
    private readonly GenerationSettings _settings;
    private readonly StoppingCriteria _stopping;
    private readonly HammingDiversity _diversity;
    private readonly LogitsProcessorList _processors;
    private readonly BeamTree _tree;
    private readonly Group[] _groups;
    private readonly float[] _scores;
    private readonly float[] _logSums;
    private readonly int[] _parents;
    private readonly int[] _lastTokens;
    private readonly int _promptLength;
    private int _length;
    private int _rows = 1;

    public DiverseBeamSearch(GenerationSettings settings, IReadOnlyList<int> source)
    {
        _settings = settings;
        _stopping = new StoppingCriteria(settings);
        _diversity = new HammingDiversity(settings.DiversityPenalty);
        _processors = LogitsProcessorList.Create(settings, source, _diversity);
        _tree = new BeamTree(settings);
        int beams = settings.NumBeams / settings.NumBeamGroups;
        _groups = [.. Enumerable.Range(0, settings.NumBeamGroups).Select(_ => new Group(beams, settings, _tree.Root))];
        _scores = new float[settings.VocabularySize];
        _logSums = new float[beams];
        _parents = new int[settings.NumBeams];
        _lastTokens = new int[settings.NumBeams];
        _lastTokens[0] = settings.Prompt[^1];
        _promptLength = settings.Prompt.Count;
        _length = _promptLength;
    }

    public override int Rows => _rows;

    public override bool IsFinished => _rows == 0;

    public override int Length => _length;

    public override ReadOnlySpan<int> TokensOf(int row) => _lastTokens.AsSpan(row, 1);

    public override int ParentOf(int row) => _parents[row];

    public override void Advance(Span<float> logits)
    {
        bool isTimeUp = _stopping.IsTimeUp;
        _diversity.Clear();
        _rows = 0;
        foreach (Group group in _groups)
        {
            Advance(group, logits);
        }

        _length++;
        if (_length >= _settings.MaxLength || isTimeUp)
        {
            FinishReason reason = _length >= _settings.MaxLength ? FinishReason.Length : FinishReason.Time;
            foreach (Group group in _groups)
            {
                group.FinishOpen(_length, reason);
            }

            _rows = 0;
        }
    }

    // Of equal scores the one that ended last comes first, as when the last of a sorted list is taken.
    public override IReadOnlyList<SequenceOutput> Outputs() =>
        [
            .. _groups
                .SelectMany(group => group.Finished)
                .Where(hypothesis => double.IsFinite(hypothesis.Score))
                .Reverse()
                .OrderByDescending(hypothesis => hypothesis.Score)
                .Take(_settings.NumReturnSequences)
                .Select(_tree.Output),
        ];

    private void Advance(Group group, Span<float> logits)
    {
        if (group.IsDone)
        {
            for (int beam = 0; beam < group.Beams && _settings.PadTokenId is { } padding; beam++)
            {
                _diversity.Add(padding);
            }

            return;
        }

        FindCandidates(group, logits);
        group.Begin();
        TopCandidates candidates = group.Candidates;
        for (int i = 0; i < candidates.Count && group.NextCount < group.Beams; i++)
        {
            (float score, int parent, int token) = candidates[i];
            if (float.IsNegativeInfinity(score))
            {
                break;
            }

            int node = group.Nodes[parent];
            FinishReason? reason = _tree.ReasonToEnd(_stopping, node, _length, token, isTimeUp: false);
            if (reason == FinishReason.Stop)
            {
                if (i < group.Beams)
                {
                    node = _tree.Add(token, node, LogProbability(group, logits, parent, token));
                    group.Finish(score, node, _length + 1, FinishReason.Stop);
                }
            }
            else
            {
                _diversity.Add(token);
                node = _tree.Add(token, node, LogProbability(group, logits, parent, token));
                group.GoOn(score, parent, token, node);
            }
        }

        group.Judge(candidates[0].Score, _length + 1);
        int firstRow = _rows;
        for (int beam = 0; beam < group.NextCount && !group.IsDone; beam++)
        {
            _parents[_rows] = IsFirstStep ? 0 : group.FirstRow + group.NextParents[beam];
            _lastTokens[_rows] = group.NextTokens[beam];
            _rows++;
        }

        group.End(firstRow);
    }

    private bool IsFirstStep => _length == _promptLength;

    private void FindCandidates(Group group, Span<float> logits)
    {
        group.Candidates.Clear();
        // All beams begin alike: the first step has one row for all of all groups.
        int rows = IsFirstStep ? 1 : group.Rows;
        for (int beam = 0; beam < rows; beam++)
        {
            Span<float> scores = ScoresOf(group, logits, beam);
            if (IsFirstStep)
            {
                logits.CopyTo(scores);
            }

            Scores.LogSoftmax(scores);
            _processors.Apply(_tree.Sequence(group.Nodes[beam], _length), scores);
            if (_settings.TokenLogprobs)
            {
                _logSums[beam] = Scores.LogSum(scores);
            }

            for (int other = beam; other < (IsFirstStep ? group.Beams : beam + 1); other++)
            {
                group.Candidates.Scan(scores, max: 0, logSum: 0, group.BeamScores[other], beam);
            }
        }
    }

    private Span<float> ScoresOf(Group group, Span<float> logits, int beam) =>
        IsFirstStep
            ? _scores
            : logits.Slice((group.FirstRow + beam) * _settings.VocabularySize, _settings.VocabularySize);

    /// <summary>The log-probability of a token after the processors; 0 when nobody asks for it.</summary>
    private float LogProbability(Group group, Span<float> logits, int beam, int token) =>
        _settings.TokenLogprobs ? ScoresOf(group, logits, beam)[token] - _logSums[beam] : 0;

    /// <summary>A group of beams: those that go on, and the sequences that it has finished (transformers 4, BeamHypotheses).</summary>
    private sealed class Group
    {
        /// <summary>The reference's score of a beam that is not there yet.</summary>
        private const float Unlikely = -1e9f;

        private readonly GenerationSettings _settings;
        private readonly float[] _nextScores;
        private readonly int[] _nextNodes;

        public Group(int beams, GenerationSettings settings, int root)
        {
            _settings = settings;
            Beams = beams;
            Candidates = new TopCandidates(Math.Max(2, 1 + settings.EosTokenIds.Count) * beams);
            BeamScores = new float[beams];
            Array.Fill(BeamScores, Unlikely, 1, beams - 1);
            Nodes = new int[beams];
            Nodes[0] = root;
            _nextScores = new float[beams];
            _nextNodes = new int[beams];
            NextParents = new int[beams];
            NextTokens = new int[beams];
        }

        public int Beams { get; }

        public TopCandidates Candidates { get; }

        public float[] BeamScores { get; }

        public int[] Nodes { get; }

        /// <summary>Rows of the present step, from <see cref="FirstRow"/> on.</summary>
        public int Rows { get; private set; }

        public int FirstRow { get; private set; }

        public int NextCount { get; private set; }

        public int[] NextParents { get; }

        public int[] NextTokens { get; }

        public bool IsDone { get; private set; }

        public List<Hypothesis> Finished { get; } = [];

        public void Begin() => NextCount = 0;

        public void GoOn(float score, int parent, int token, int node)
        {
            _nextScores[NextCount] = score;
            _nextNodes[NextCount] = node;
            NextParents[NextCount] = parent;
            NextTokens[NextCount] = token;
            NextCount++;
        }

        public void End(int firstRow)
        {
            _nextScores.CopyTo(BeamScores, 0);
            _nextNodes.CopyTo(Nodes, 0);
            Rows = NextCount;
            FirstRow = firstRow;
        }

        public void Finish(float sum, int node, int length, FinishReason reason)
        {
            double score = sum / _settings.LengthDivisor(length - 1);
            if (Finished.Count < Beams)
            {
                Finished.Add(new Hypothesis(score, node, length, reason));
            }
            else if (Finished.MinBy(hypothesis => hypothesis.Score) is { } worst && score > worst.Score)
            {
                Finished.Remove(worst);
                Finished.Add(new Hypothesis(score, node, length, reason));
            }
        }

        /// <summary>Finishes the beams that go on, unless the group is done.</summary>
        public void FinishOpen(int length, FinishReason reason)
        {
            for (int beam = 0; beam < Rows && !IsDone; beam++)
            {
                Finish(BeamScores[beam], Nodes[beam], length, reason);
            }
        }

        /// <summary>Decides whether the group is done.</summary>
        /// <param name="best">The best sum of the step.</param>
        /// <param name="length">Length of the sequences after it.</param>
        public void Judge(float best, int length)
        {
            int longest =
                _settings.EarlyStopping == EarlyStopping.Never && _settings.LengthPenalty > 0
                    ? _settings.MaxLength
                    : length;
            IsDone =
                NextCount == 0
                || (
                    Finished.Count == Beams
                    && (
                        _settings.EarlyStopping == EarlyStopping.AtNumBeams
                        || Finished.Min(hypothesis => hypothesis.Score) >= best / _settings.LengthDivisor(longest - 1)
                    )
                );
        }
    }
}
