using Seq2Seq.Inference.Families;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Layers.Attention;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Tests.Families;

namespace Seq2Seq.Inference.Tests.Generation;

/// <summary>What is drawn: by chance with the right probabilities, by seed always the same.</summary>
public sealed class SamplingTests
{
    private const int Draws = 20_000;

    private const double LeastExpected = 5;

    private static readonly int[] Source = [45, 23, 54, 87, 10, 1];

    private static readonly SequenceInput Input = SequenceInput.FromTokenIds(Source);

    [Theory]
    [InlineData(1.0, 0)]
    [InlineData(0.5, 0)]
    [InlineData(2.0, 12)]
    public async Task Tokens_are_drawn_with_their_probabilities(double temperature, int topK)
    {
        await using SequenceModel model = Load();
        double[] probabilities = Probabilities(temperature, topK);

        IReadOnlyList<SequenceResult> results = await GenerateAsync(
            model,
            Enumerable.Repeat(Input, Draws),
            new GenerationParameters
            {
                DoSample = true,
                Temperature = temperature,
                TopK = topK,
                Seed = 1,
                MaxNewTokens = 1,
            }
        );

        ShouldFit(results.Select(result => result.Outputs[0].TokenIds[0]), probabilities);
    }

    /// <summary>
    /// Two beams draw two of the tokens, one after the other and not the same; with one token to generate the likelier wins.
    /// </summary>
    [Fact]
    public async Task Beams_draw_continuations_without_replacement()
    {
        await using SequenceModel model = Load();
        double[] p = Probabilities(temperature: 1, topK: 12);
        double[] wins =
        [
            .. p.Select(winner =>
                p.Where(loser => loser > 0 && loser < winner)
                    .Sum(loser => (winner * loser / (1 - winner)) + (loser * winner / (1 - loser)))
            ),
        ];

        IReadOnlyList<SequenceResult> results = await GenerateAsync(
            model,
            Enumerable.Repeat(Input, Draws),
            new GenerationParameters
            {
                DoSample = true,
                NumBeams = 2,
                TopK = 12,
                Seed = 1,
                MaxNewTokens = 1,
            }
        );

        wins.Sum().Should().BeApproximately(1, 1e-9);
        ShouldFit(results.Select(result => result.Outputs[0].TokenIds[0]), wins);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_seed_gives_a_line_the_same_outputs_in_any_company(int beams)
    {
        GenerationParameters parameters = new()
        {
            DoSample = true,
            NumBeams = beams,
            NumReturnSequences = 3,
            Seed = 7,
            MaxNewTokens = 12,
        };
        await using SequenceModel model = Load();
        SequenceInput[] inputs = [.. Enumerable.Range(0, 40).Select(i => SequenceInput.FromTokenIds([2 + (i % 9), 1]))];
        IReadOnlyList<SequenceResult> together = await GenerateAsync(model, inputs, parameters);

        IReadOnlyList<SequenceResult> alone = await GenerateAsync(model, [inputs[31] with { Line = 31 }], parameters);

        Tokens(alone[0]).Should().Equal(Tokens(together[31]));
    }

    [Fact]
    public async Task Sequences_of_a_line_are_drawn_independently_and_the_first_is_that_of_a_single_one()
    {
        GenerationParameters parameters = new()
        {
            DoSample = true,
            NumReturnSequences = 5,
            Seed = 7,
            MaxNewTokens = 12,
        };
        await using SequenceModel model = Load();

        IReadOnlyList<SequenceResult> several = await GenerateAsync(model, [Input], parameters);
        IReadOnlyList<SequenceResult> single = await GenerateAsync(
            model,
            [Input],
            parameters with
            {
                NumReturnSequences = 1,
            }
        );

        Tokens(several[0]).Should().HaveCount(5).And.OnlyHaveUniqueItems();
        Tokens(single[0])[0].Should().Be(Tokens(several[0])[0]);
    }

    [Fact]
    public async Task Equal_lines_and_other_seeds_draw_other_outputs()
    {
        GenerationParameters parameters = new()
        {
            DoSample = true,
            Seed = 7,
            MaxNewTokens = 12,
        };
        await using SequenceModel model = Load();

        IReadOnlyList<SequenceResult> equal = await GenerateAsync(model, [Input, Input], parameters);
        IReadOnlyList<SequenceResult> other = await GenerateAsync(model, [Input], parameters with { Seed = 8 });

        Tokens(equal[0]).Should().NotEqual(Tokens(equal[1]));
        Tokens(equal[0]).Should().NotEqual(Tokens(other[0]));
        equal.Should().OnlyContain(result => result.IsSampled);
    }

    [Theory]
    [InlineData("temperature")]
    [InlineData("top_p")]
    [InlineData("num_return_sequences")]
    public async Task An_option_of_sampling_is_refused_where_nothing_is_drawn(string parameter)
    {
        await using SequenceModel model = Load();
        GenerationParameters parameters = parameter switch
        {
            "temperature" => new GenerationParameters { Temperature = 0.7 },
            "top_p" => new GenerationParameters { DoSample = false, TopP = 0.5 },
            _ => new GenerationParameters { NumReturnSequences = 2 },
        };

        model
            .Invoking(loaded => loaded.Validate(parameters))
            .Should()
            .Throw<GenerationParametersException>()
            .Which.Parameter.Should()
            .Be(parameter);
    }

    private static SequenceModel Load() =>
        SequenceModel.Load(GoldenFamily.Open("t5").Options, TestContext.Current.CancellationToken);

    private static Task<IReadOnlyList<SequenceResult>> GenerateAsync(
        SequenceModel model,
        IEnumerable<SequenceInput> inputs,
        GenerationParameters parameters
    ) => model.GenerateAsync([.. inputs], parameters, TestContext.Current.CancellationToken);

    private static string[] Tokens(SequenceResult result) =>
        [.. result.Outputs.Select(output => string.Join(' ', output.TokenIds))];

    /// <summary>The probabilities of the first token, in float64 from the network's own logits.</summary>
    private static double[] Probabilities(double temperature, int topK)
    {
        using LoadedNetwork loaded = GoldenFamily.Open("t5").Load();
        NetworkShape shape = loaded.Network.Shape;
        using IForwardPass pass = loaded.Network.CreateForwardPass();
        using KeyValueCache memory = new(shape.DecoderLayers, shape.MemoryWidth, shape.Device);
        using KeyValueCache cache = new(shape.DecoderLayers, shape.CacheWidth, shape.Device);
        int start = memory.Take(Source.Length);
        pass.Encode(new SourceBatch([Source], memory, [start]));
        DecoderBatch batch = new(cache, memory);
        batch.Add(tokenId: 0, [cache.Take(1)], start, Source.Length);
        double[] weights = [.. pass.Decode(batch).Row(0).ToArray().Select(logit => Math.Exp(logit / temperature))];
        double least = topK == 0 ? 0 : weights.OrderDescending().ElementAt(topK - 1);
        double sum = weights.Where(weight => weight >= least).Sum();
        return [.. weights.Select(weight => weight >= least ? weight / sum : 0)];
    }

    /// <summary>Pearson's chi-square test at one in a thousand. The seed is fixed: a run is as good as another.</summary>
    private static void ShouldFit(IEnumerable<int> drawn, double[] probabilities)
    {
        int[] counts = new int[probabilities.Length];
        foreach (int token in drawn)
        {
            counts[token]++;
        }

        double statistic = 0;
        int cells = 0;
        double rareExpected = 0;
        int rareCount = 0;
        for (int token = 0; token < counts.Length; token++)
        {
            double expected = Draws * probabilities[token];
            if (expected < LeastExpected)
            {
                // Cells of few draws are one cell together.
                rareExpected += expected;
                rareCount += counts[token];
                continue;
            }

            statistic += Math.Pow(counts[token] - expected, 2) / expected;
            cells++;
        }

        if (rareExpected >= LeastExpected)
        {
            statistic += Math.Pow(rareCount - rareExpected, 2) / rareExpected;
            cells++;
        }

        // Wilson and Hilferty's approximation of the quantile; 3.09 is the normal distribution's.
        double freedom = cells - 1;
        double limit = freedom * Math.Pow(1 - (2 / (9 * freedom)) + (3.09 * Math.Sqrt(2 / (9 * freedom))), 3);
        counts.Where((_, token) => probabilities[token].Equals(0)).Should().OnlyContain(count => count == 0);
        cells.Should().BeGreaterThan(5);
        statistic.Should().BeLessThan(limit);
    }
}
