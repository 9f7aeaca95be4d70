using System.Text.Json;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Tests.Families;

namespace Seq2Seq.Inference.Tests.Generation;

/// <summary>Outputs that begin with a given prefix, against the reference's with decoder_input_ids.</summary>
public sealed class PromptTests
{
    public static TheoryData<string> Families => GoldenOptions.Families;

    [Theory]
    [MemberData(nameof(Families))]
    public async Task Outputs_after_a_prefix_are_those_of_the_reference(string family)
    {
        GoldenFamily golden = GoldenFamily.Open(family);
        await using SequenceModel model = Load(golden);
        foreach (JsonElement test in GoldenOptions.Family(family).GetProperty("prompts").EnumerateArray())
        {
            await GoldenOutputs.ShouldBeGivenAsync(model, golden.InputIds, test);
        }
    }

    [Theory]
    [MemberData(nameof(GoldenFamily.Names), MemberType = typeof(GoldenFamily))]
    public async Task A_prefix_that_is_an_outputs_own_beginning_changes_nothing(string family)
    {
        GoldenFamily golden = GoldenFamily.Open(family);
        await using SequenceModel model = Load(golden);
        GenerationParameters parameters = new()
        {
            MaxNewTokens = 14,
            MinNewTokens = 14,
            TokenLogprobs = true,
            DecoderStartTokenId = 3,
        };
        SequenceInput line = SequenceInput.FromTokenIds(golden.InputIds[0]);
        SequenceOutput whole = (await GenerateAsync(model, [line], parameters))[0].Outputs[0];
        SequenceInput begun = line with { PrefixTokenIds = [3, .. whole.TokenIds.Take(9)] };

        SequenceOutput prefixed = (
            await GenerateAsync(model, [begun], parameters with { MaxNewTokens = 5, MinNewTokens = 5 })
        )[0].Outputs[0];

        prefixed.TokenIds.Should().Equal(whole.TokenIds);
        prefixed
            .TokenLogprobs.Should()
            .Equal(whole.TokenLogprobs!.Skip(9), (actual, expected) => Math.Abs(actual - expected) < 1e-4);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(3, false)]
    [InlineData(1, true)]
    public async Task Lines_with_prefixes_of_their_own_are_decoded_together_as_alone(int beams, bool isSampled)
    {
        GoldenFamily golden = GoldenFamily.Open("t5");
        await using SequenceModel model = Load(golden);
        GenerationParameters parameters = new()
        {
            NumBeams = beams,
            DoSample = isSampled,
            Seed = 3,
            MaxNewTokens = 12,
        };
        SequenceInput[] lines =
        [
            .. Enumerable
                .Range(0, 30)
                .Select(i => new SequenceInput
                {
                    TokenIds = golden.InputIds[i % 5],
                    PrefixTokenIds = i % 3 == 0 ? null : [.. Enumerable.Range(3, i)],
                    Line = i,
                }),
        ];

        IReadOnlyList<SequenceResult> together = await GenerateAsync(model, lines, parameters);

        foreach ((int i, SequenceInput line) in lines.Index())
        {
            SequenceResult alone = (await GenerateAsync(model, [line], parameters))[0];
            together[i].Outputs[0].TokenIds.Should().Equal(alone.Outputs[0].TokenIds);
            together[i]
                .Outputs[0]
                .TokenIds.Take(line.PrefixTokenIds?.Count ?? 0)
                .Should()
                .Equal(line.PrefixTokenIds ?? []);
        }
    }

    [Fact]
    public async Task A_lines_own_prefix_wins_over_that_of_all()
    {
        await using SequenceModel model = Load(GoldenFamily.Open("t5"));

        IReadOnlyList<SequenceResult> results = await GenerateAsync(
            model,
            [
                SequenceInput.FromTokenIds([5, 6, 1]),
                SequenceInput.FromTokenIds([5, 6, 1]) with
                {
                    PrefixTokenIds = [0, 30],
                },
            ],
            new GenerationParameters { MaxNewTokens = 4, DecoderInputIds = [20, 21] }
        );

        results[0].Outputs[0].TokenIds.Should().StartWith([20, 21]).And.HaveCountLessThanOrEqualTo(6);
        results[1].Outputs[0].TokenIds.Should().StartWith([30]).And.HaveCountLessThanOrEqualTo(5);
    }

    [Fact]
    public async Task A_text_that_outputs_begin_with_needs_the_tokenizer()
    {
        await using SequenceModel model = Load(GoldenFamily.Open("t5"));

        model
            .Invoking(loaded => loaded.Validate(new GenerationParameters { TargetPrefix = "x" }))
            .Should()
            .Throw<GenerationParametersException>()
            .WithMessage("*'target_prefix'*tokenizer*");
    }

    [Fact]
    public async Task A_text_begins_the_outputs_of_a_line()
    {
        await using SequenceModel model = BundledModel.Load();
        SequenceInput line = SequenceInput.FromText("phonemize: wonderful");

        IReadOnlyList<SequenceResult> results = await GenerateAsync(
            model,
            [line, line with { PrefixText = "W AH1 N" }, line with { PrefixText = "V AA1" }],
            GenerationParameters.Default
        );

        results[1].Outputs[0].Text.Should().Be(results[0].Outputs[0].Text).And.StartWith("W AH1 N");
        results[2].Outputs[0].Text.Should().StartWith("V AA1");
    }

    [Fact]
    public async Task A_prefix_that_leaves_no_room_is_refused_by_name()
    {
        await using SequenceModel model = Load(GoldenFamily.Open("t5"));
        GenerationParameters parameters = new() { MaxLength = 3 };

        model
            .Invoking(loaded => loaded.Validate(parameters with { DecoderInputIds = [5, 6, 7] }))
            .Should()
            .Throw<GenerationParametersException>()
            .Which.Parameter.Should()
            .Be("decoder_input_ids");
        SequenceResult result = (
            await GenerateAsync(
                model,
                [SequenceInput.FromTokenIds([5, 1]) with { PrefixTokenIds = [5, 6, 7] }],
                parameters
            )
        )[0];
        result.Error!.Code.Should().Be(LineErrorCodes.PrefixImpossible);
    }

    private static SequenceModel Load(GoldenFamily golden) =>
        SequenceModel.Load(golden.Options, TestContext.Current.CancellationToken);

    private static Task<IReadOnlyList<SequenceResult>> GenerateAsync(
        SequenceModel model,
        IReadOnlyList<SequenceInput> lines,
        GenerationParameters parameters
    ) => model.GenerateAsync(lines, parameters, TestContext.Current.CancellationToken);
}
