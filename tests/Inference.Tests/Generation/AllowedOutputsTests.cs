using System.Text.Json;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Generation.Constraints;
using Seq2Seq.Inference.Tests.Families;

namespace Seq2Seq.Inference.Tests.Generation;

/// <summary>Outputs out of a given set, against the reference's with prefix_allowed_tokens_fn and a trie.</summary>
public sealed class AllowedOutputsTests
{
    public static TheoryData<string> Families => GoldenOptions.Families;

    [Theory]
    [MemberData(nameof(Families))]
    public async Task Outputs_of_a_set_are_those_of_the_reference(string family)
    {
        GoldenFamily golden = GoldenFamily.Open(family);
        await using SequenceModel model = Load(golden);
        foreach (JsonElement test in GoldenOptions.Family(family).GetProperty("allowed").EnumerateArray())
        {
            await GoldenOutputs.ShouldBeGivenAsync(model, golden.InputIds, test);
        }
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"num_beams":3,"num_return_sequences":3}""")]
    [InlineData("""{"num_beams":4,"num_beam_groups":2,"diversity_penalty":2.0,"num_return_sequences":4}""")]
    [InlineData("""{"do_sample":true,"seed":1,"num_return_sequences":4,"temperature":3.0,"top_k":0}""")]
    [InlineData("""{"do_sample":true,"seed":1,"num_beams":3,"num_return_sequences":3,"temperature":3.0,"top_k":0}""")]
    [InlineData("""{"repetition_penalty":2.0,"length_penalty":-1.0,"num_beams":2}""")]
    public async Task Every_output_is_a_member_of_the_set(string json)
    {
        GoldenFamily golden = GoldenFamily.Open("t5");
        await using SequenceModel model = Load(golden);
        Random random = new(5);
        int[][] members =
        [
            .. Enumerable
                .Range(0, 200)
                .Select(_ => Enumerable.Range(0, random.Next(1, 9)).Select(_ => random.Next(3, 12)).ToArray()),
        ];
        HashSet<string> allowed = [.. members.Select(member => string.Join(' ', member.Append(1)))];

        IReadOnlyList<SequenceResult> results = await model.GenerateAsync(
            [.. golden.InputIds.Select(SequenceInput.FromTokenIds)],
            GenerationParametersJson.Read(JsonElement.Parse(json)) with
            {
                AllowedOutputs = [.. members.Select(member => new AllowedOutput { TokenIds = member })],
            },
            TestContext.Current.CancellationToken
        );

        results
            .SelectMany(result => result.Outputs)
            .Select(output => string.Join(' ', output.TokenIds))
            .Should()
            .NotBeEmpty()
            .And.OnlyContain(output => allowed.Contains(output));
    }

    [Fact]
    public async Task Texts_are_tokenised_as_targets()
    {
        await using SequenceModel model = BundledModel.Load();
        AllowedOutput[] outputs =
        [
            new() { Text = "D AO1 G" },
            new() { Text = "K AE1 T" },
            new() { Text = "K AE1 T S" },
        ];

        IReadOnlyList<SequenceResult> results = await model.GenerateAsync(
            [
                SequenceInput.FromText("phonemize: cat"),
                SequenceInput.FromText("phonemize: dogs"),
                SequenceInput.FromText("phonemize: cats"),
            ],
            new GenerationParameters { AllowedOutputs = outputs },
            TestContext.Current.CancellationToken
        );

        results.Select(result => result.Outputs[0].Text).Should().Equal("K AE1 T", "D AO1 G", "K AE1 T S");
    }

    [Fact]
    public async Task Where_other_parameters_forbid_every_member_the_line_fails()
    {
        GoldenFamily golden = GoldenFamily.Open("t5");
        await using SequenceModel model = Load(golden);

        SequenceResult result = (
            await model.GenerateAsync(
                [SequenceInput.FromTokenIds([5, 6, 1])],
                new GenerationParameters
                {
                    AllowedOutputs = [new AllowedOutput { TokenIds = [7, 8] }],
                    SuppressTokens = [8],
                },
                TestContext.Current.CancellationToken
            )
        )[0];

        result.Error!.Code.Should().Be(LineErrorCodes.NoAllowedOutput);
    }

    [Theory]
    [InlineData("""{"allowed_outputs":[]}""")]
    [InlineData("""{"allowed_outputs":[[]]}""")]
    [InlineData("""{"allowed_outputs":[[5,100000]]}""")]
    [InlineData("""{"allowed_outputs":["x"]}""")]
    [InlineData("""{"allowed_outputs":[[5,6,7]],"max_new_tokens":3}""")]
    public async Task A_set_that_can_not_be_used_is_refused_by_name(string json)
    {
        await using SequenceModel model = Load(GoldenFamily.Open("t5"));

        model
            .Invoking(loaded => loaded.Validate(GenerationParametersJson.Read(JsonElement.Parse(json))))
            .Should()
            .Throw<GenerationParametersException>()
            .Which.Parameter.Should()
            .Be("allowed_outputs");
    }

    private static SequenceModel Load(GoldenFamily golden) =>
        SequenceModel.Load(golden.Options, TestContext.Current.CancellationToken);
}
