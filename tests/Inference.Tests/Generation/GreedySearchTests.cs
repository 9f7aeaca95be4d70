using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Generation.Drafting;

namespace Seq2Seq.Inference.Tests.Generation;

/// <summary>Guesses of a greedy search: how many steps they save, and that they never show in the result.</summary>
public sealed class GreedySearchTests
{
    private const int Vocabulary = 50;
    private const int End = 1;

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

    /// <summary>A search whose model gives the answer's next token, wherever it is asked; counts its steps.</summary>
    private static (SequenceOutput Output, int Steps) Run(
        int[] answer,
        int[] source,
        DraftTable? earlier,
        int maxNewTokens = 30
    )
    {
        GenerationSettings settings = GenerationSettings.Resolve(
            new GenerationParameters { MaxNewTokens = maxNewTokens, Drafting = true },
            new GenerationDefaults
            {
                Parameters = new GenerationParameters { DecoderStartTokenId = 0, EosTokenId = [End] },
            },
            Vocabulary,
            maxPositions: null,
            ParameterTexts.None
        );
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
