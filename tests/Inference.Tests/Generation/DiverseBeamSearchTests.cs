using System.Text.Json;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Tests.Families;

namespace Seq2Seq.Inference.Tests.Generation;

/// <summary>Beams in groups, against what transformers 4 did on the same models.</summary>
public sealed class DiverseBeamSearchTests
{
    public static TheoryData<string> Families => GoldenOptions.Families;

    [Theory]
    [MemberData(nameof(Families))]
    public async Task Outputs_of_groups_are_those_of_the_reference(string family)
    {
        GoldenFamily golden = GoldenFamily.Open(family);
        await using SequenceModel model = SequenceModel.Load(golden.Options, TestContext.Current.CancellationToken);
        foreach (JsonElement test in GoldenOptions.Family(family).GetProperty("groups").EnumerateArray())
        {
            await GoldenOutputs.ShouldBeGivenAsync(model, golden.InputIds, test);
        }
    }

    [Fact]
    public async Task A_penalty_above_all_scores_lets_no_two_groups_choose_the_same_token()
    {
        GoldenFamily golden = GoldenFamily.Open("t5");
        await using SequenceModel model = SequenceModel.Load(golden.Options, TestContext.Current.CancellationToken);

        IReadOnlyList<SequenceResult> results = await model.GenerateAsync(
            [.. golden.InputIds.Select(SequenceInput.FromTokenIds)],
            new GenerationParameters
            {
                NumBeams = 5,
                NumBeamGroups = 5,
                DiversityPenalty = 1e4,
                NumReturnSequences = 5,
                MaxNewTokens = 6,
                MinNewTokens = 6,
            },
            TestContext.Current.CancellationToken
        );

        foreach (SequenceResult result in results)
        {
            result.Outputs.Should().HaveCount(5);
            for (int place = 0; place < 6; place++)
            {
                result.Outputs.Select(output => output.TokenIds[place]).Should().OnlyHaveUniqueItems();
            }
        }
    }

    [Theory]
    [InlineData("""{"num_beams":4,"num_beam_groups":3,"diversity_penalty":1.0}""", "num_beam_groups")]
    [InlineData("""{"num_beam_groups":2,"diversity_penalty":1.0}""", "num_beam_groups")]
    [InlineData("""{"num_beams":2,"num_beam_groups":4,"diversity_penalty":1.0}""", "num_beam_groups")]
    [InlineData("""{"num_beams":4,"num_beam_groups":2,"diversity_penalty":1.0,"do_sample":true}""", "num_beam_groups")]
    [InlineData("""{"num_beams":4,"num_beam_groups":2}""", "diversity_penalty")]
    [InlineData("""{"num_beams":4,"num_beam_groups":2,"diversity_penalty":0}""", "diversity_penalty")]
    [InlineData("""{"num_beams":4,"diversity_penalty":1.0}""", "diversity_penalty")]
    [InlineData("""{"num_beams":4,"num_beam_groups":2,"diversity_penalty":-1.0}""", "diversity_penalty")]
    public async Task What_groups_can_not_do_is_refused_by_name(string json, string parameter)
    {
        await using SequenceModel model = SequenceModel.Load(
            GoldenFamily.Open("t5").Options,
            TestContext.Current.CancellationToken
        );

        model
            .Invoking(loaded => loaded.Validate(GenerationParametersJson.Read(JsonElement.Parse(json))))
            .Should()
            .Throw<GenerationParametersException>()
            .Which.Parameter.Should()
            .Be(parameter);
    }
}
