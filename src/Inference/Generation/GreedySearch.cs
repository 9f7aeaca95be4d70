using Seq2Seq.Inference.Generation.Drafting;
using Seq2Seq.Inference.Generation.LogitsProcessors;

namespace Seq2Seq.Inference.Generation;

/// <summary>
/// Takes the likeliest token of every step (GenerationMixin._sample with do_sample = false). With a drafter several tokens
/// may come of one step: guesses are fed with the last token, and as long as a guess is the likeliest token, the logits
/// behind it are those of the next step already.
/// </summary>
internal sealed class GreedySearch : SequenceSearch
{
    private readonly GenerationSettings _settings;
    private readonly LogitsProcessorList _processors;
    private readonly GeneratedSequence _sequence;
    private readonly Drafter? _drafter;
    private int _drafted;

    public GreedySearch(GenerationSettings settings, IReadOnlyList<int> source, Drafter? drafter)
    {
        _settings = settings;
        _processors = LogitsProcessorList.Create(settings, source);
        _sequence = new GeneratedSequence(settings);
        _drafter = drafter;
    }

    public override int Rows => 1;

    public override bool IsFinished => _sequence.IsFinished;

    public override int Length => _sequence.Length;

    public override ReadOnlySpan<int> TokensOf(int row) =>
        _sequence.WithGuesses(_drafted).Slice(_sequence.Length - 1, 1 + _drafted);

    public override bool NeedsOnlyLikeliest(List<int> wanted) =>
        !_settings.ReturnScores && _drafter is null && _processors.TryFindChanged(_sequence.Tokens, wanted);

    public override int ParentOf(int row) => 0;

    public override int Draft(int most)
    {
        // The last token is never fed.
        int room = Math.Min(most, _settings.MaxLength - _sequence.Length - 1);
        _drafted =
            _drafter is null || room <= 0 ? 0 : _drafter.Guess(_sequence.WithGuesses(room), _sequence.Length, room);
        return _drafted;
    }

    public override void Advance(Span<float> logits)
    {
        int right = 0;
        while (true)
        {
            Span<float> scores = logits.Slice(right * _settings.VocabularySize, _settings.VocabularySize);
            _processors.Apply(_sequence.Tokens, scores);
            int token = Scores.ArgMax(scores, out float max);
            bool isAsGuessed = right < _drafted && _sequence.WithGuesses(1)[^1] == token;
            // The likeliest token's log-probability is its logit minus max, which is 0, minus the logarithm of the sum.
            _sequence.Add(token, _settings.ReturnScores ? -Scores.LogSumExp(scores, max) : float.NaN);
            if (!isAsGuessed || _sequence.IsFinished)
            {
                break;
            }

            right++;
        }

        _drafter?.Learn(right, _drafted);
        _drafted = 0;
        if (_sequence.IsFinished)
        {
            _drafter?.Finish(_sequence.Tokens);
        }
    }

    public override IReadOnlyList<SequenceOutput> Outputs() => [_sequence.Output()];
}
