using CsCheck;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Generation.Drafting;

namespace Seq2Seq.Inference.Tests.Generation;

/// <summary>Guesses of a greedy search: how many steps they save, and that they never show in the result.</summary>
public sealed class GreedySearchTests
{
    private const int Vocabulary = 50;
    private const int End = 1;

    private static readonly Gen<(GenerationParameters, int)> Options = Gen.Select(
        Gen.Int[0, 6],
        Gen.Int[0, 3],
        Gen.OneOf(Gen.Const(1.0), Gen.Const(1.5), Gen.Const(0.7)),
        Gen.Int[10, Vocabulary - 1].Array[0, 5],
        Gen.Int[3, Vocabulary - 1].Array[1, 3].Array[0, 4],
        Gen.Int,
        (minNew, ngram, penalty, suppressed, badWords, seed) =>
            (
                new GenerationParameters
                {
                    MaxNewTokens = 12,
                    MinNewTokens = minNew,
                    NoRepeatNgramSize = ngram,
                    RepetitionPenalty = penalty,
                    SuppressTokens = suppressed.Length == 0 ? null : suppressed,
                    BadWordsIds = badWords.Length == 0 ? null : badWords,
                    ForcedBosTokenId = minNew == 3 ? 9 : null,
                    ForcedEosTokenId = ngram == 2 ? [End] : null,
                },
                seed
            )
    );

    private static readonly int[] Answer = [7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, End];

    [Fact]
    public void What_is_copied_from_the_source_takes_few_steps()
    {
        (SequenceOutput plain, int steps) = Run(Answer, source: Answer, earlier: null);
        (SequenceOutput drafted, int fewer) = Run(Answer, source: Answer, new DraftTable());

        drafted.Should().BeEquivalentTo(plain);
        steps.Should().Be(Answer.Length);
        fewer.Should().BeLessThanOrEqualTo(5);
    }

    [Fact]
    public void What_came_before_in_earlier_outputs_takes_few_steps()
    {
        DraftTable earlier = new();
        Run(Answer, source: [30, End], earlier);
        Run(Answer, source: [31, End], earlier);

        (SequenceOutput drafted, int steps) = Run(Answer, source: [32, End], earlier);

        drafted.TokenIds.Should().Equal(Answer);
        steps.Should().BeLessThanOrEqualTo(4);
    }

    [Fact]
    public void Wrong_guesses_cost_no_token()
    {
        DraftTable earlier = new();
        int[] other = [7, 8, 20, 21, 22, 23, End];
        Run(other, source: [30, End], earlier);
        Run(other, source: [31, End], earlier);

        (SequenceOutput drafted, _) = Run(Answer, source: [8, 9, 10, 40, End], earlier);

        drafted.Should().BeEquivalentTo(Run(Answer, source: [30, End], earlier: null).Output);
    }

    [Fact]
    public void No_guess_goes_beyond_the_length_limit()
    {
        DraftTable earlier = new();
        Run(Answer, source: [30, End], earlier);
        Run(Answer, source: [31, End], earlier);

        (SequenceOutput drafted, _) = Run(Answer, source: [32, End], earlier, maxNewTokens: 5);

        drafted.TokenIds.Should().Equal(Answer[..5]);
        drafted.FinishReason.Should().Be(FinishReason.Length);
    }

    [Fact]
    public void Where_only_the_likeliest_logit_is_given_beside_the_wanted_ones_the_same_tokens_come_out() =>
        Options.Sample(
            (parameters, seed) =>
            {
                SequenceSearch full = Create(parameters);
                SequenceSearch frugal = Create(parameters with { ReturnScores = false });
                Random random = new(seed);
                while (!full.IsFinished)
                {
                    float[] logits = [.. Enumerable.Range(0, Vocabulary).Select(_ => 4 * random.NextSingle())];
                    List<int> wanted = [];
                    float[] given = frugal.NeedsOnlyLikeliest(wanted) ? Likeliest(logits, wanted) : [.. logits];

                    full.Advance(logits);
                    frugal.Advance(given);
                }

                frugal.IsFinished.Should().BeTrue();
                frugal.Outputs()[0].TokenIds.Should().Equal(full.Outputs()[0].TokenIds);
                frugal.Outputs()[0].Score.Should().Be(double.NaN);
            },
            iter: 300
        );

    [Fact]
    public void A_search_that_gives_scores_needs_all_logits()
    {
        Create(new GenerationParameters { MaxNewTokens = 5 }).NeedsOnlyLikeliest([]).Should().BeFalse();
        GenerationParameters both = new()
        {
            MaxNewTokens = 5,
            ReturnScores = false,
            TokenLogprobs = true,
        };
        Create(both).NeedsOnlyLikeliest([]).Should().BeFalse();
    }

    [Fact]
    public void A_search_whose_options_look_at_all_logits_needs_all()
    {
        GenerationParameters parameters = new() { MaxNewTokens = 5, ReturnScores = false };
        Create(parameters).NeedsOnlyLikeliest([]).Should().BeTrue();
        Create(parameters with { RemoveInvalidValues = true }).NeedsOnlyLikeliest([]).Should().BeFalse();
        Create(parameters with { ForcedBosTokenId = 4 }).NeedsOnlyLikeliest([]).Should().BeFalse("it is forced now");
    }

    private static float[] Likeliest(float[] logits, List<int> wanted)
    {
        int likeliest = Enumerable.Range(0, Vocabulary).Except(wanted).MaxBy(token => logits[token]);
        return
        [
            .. logits.Select(
                (logit, token) => token == likeliest || wanted.Contains(token) ? logit : float.NegativeInfinity
            ),
        ];
    }

    private static SequenceSearch Create(GenerationParameters parameters) =>
        SequenceSearch.Create(Resolve(parameters), source: [5, 6, 7, End], line: 0, earlier: null);

    private static GenerationSettings Resolve(GenerationParameters parameters) =>
        GenerationSettings.Resolve(
            parameters,
            new GenerationDefaults
            {
                Parameters = new GenerationParameters { DecoderStartTokenId = 0, EosTokenId = [End] },
            },
            Vocabulary,
            maxPositions: null
        );

    /// <summary>A search whose model gives the answer's next token, wherever it is asked; counts its steps.</summary>
    private static (SequenceOutput Output, int Steps) Run(
        int[] answer,
        int[] source,
        DraftTable? earlier,
        int maxNewTokens = 30
    )
    {
        GenerationSettings settings = Resolve(new() { MaxNewTokens = maxNewTokens, Drafting = true });
        SequenceSearch search = SequenceSearch.Create(settings, source, line: 0, earlier);
        int steps = 0;
        for (; !search.IsFinished; steps++)
        {
            search.Draft(most: 16);
            int fed = search.TokensOf(0).Length;
            (search.Length - 1 + fed).Should().BeLessThanOrEqualTo(maxNewTokens, "the last token needs no position");
            float[] logits = new float[fed * Vocabulary];
            for (int i = 0; i < fed; i++)
            {
                int place = search.Length - 1 + i;
                // What follows a wrong guess is of no account.
                logits[(i * Vocabulary) + (place < answer.Length ? answer[place] : 49)] = 5;
            }

            search.Advance(logits);
        }

        return (search.Outputs()[0], steps);
    }
}
