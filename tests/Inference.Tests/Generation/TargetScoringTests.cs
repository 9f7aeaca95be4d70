using System.Text.Json;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Tests.Families;

namespace Seq2Seq.Inference.Tests.Generation;

/// <summary>Scores of given targets, against the reference's log-probabilities under teacher forcing.</summary>
public sealed class TargetScoringTests
{
    public static TheoryData<string> Families => GoldenOptions.Families;

    [Theory]
    [MemberData(nameof(Families))]
    public async Task Every_token_of_a_target_has_the_log_probability_of_the_reference(string family)
    {
        GoldenFamily golden = GoldenFamily.Open(family);
        JsonElement[] targets = [.. GoldenOptions.Family(family).GetProperty("targets").EnumerateArray()];
        int[][] tokens = [.. targets.Select(target => target.GetProperty("target").Deserialize<int[]>()!)];
        await using SequenceModel model = Load(golden);

        IReadOnlyList<SequenceResult> results = await GenerateAsync(
            model,
            [.. golden.InputIds.Zip(tokens, (source, target) => Pair(source, target))],
            new GenerationParameters { NumBeams = 3, SuppressTokens = [tokens[0][0]] }
        );

        foreach ((int line, SequenceResult result) in results.Index())
        {
            double[] expected = targets[line].GetProperty("logprobs").Deserialize<double[]>()!;
            SequenceOutput output = result.Outputs.Should().ContainSingle().Subject;
            output.TokenIds.Should().Equal(tokens[line]);
            output
                .TokenLogprobs.Should()
                .Equal(expected, (actual, wanted) => Math.Abs(actual - wanted) < 2e-3, $"line {line}");
            output.Score.Should().BeApproximately(expected.Average(), 2e-3);
            output.FinishReason.Should().Be(FinishReason.Stop);
        }
    }

    [Fact]
    public async Task What_is_generated_scores_as_it_did_when_it_was_generated()
    {
        GoldenFamily golden = GoldenFamily.Open("t5");
        await using SequenceModel model = Load(golden);
        GenerationParameters parameters = new() { MaxNewTokens = 40, TokenLogprobs = true };
        IReadOnlyList<SequenceResult> generated = await GenerateAsync(
            model,
            [.. golden.InputIds.Select(SequenceInput.FromTokenIds)],
            parameters
        );

        IReadOnlyList<SequenceResult> scored = await GenerateAsync(
            model,
            [.. golden.InputIds.Zip(generated, (source, result) => Pair(source, result.Outputs[0].TokenIds))],
            parameters
        );

        scored
            .Select(result => result.Outputs[0])
            .Should()
            .BeEquivalentTo(generated.Select(result => result.Outputs[0]), options => options.WithStrictOrdering());
    }

    [Theory]
    [InlineData(new int[0], LineErrorCodes.Empty)]
    [InlineData(new[] { 5, 120 }, LineErrorCodes.TokenOutOfRange)]
    public async Task What_is_wrong_with_a_target_is_the_lines_result(int[] target, string code)
    {
        await using SequenceModel model = Load(GoldenFamily.Open("t5"));

        IReadOnlyList<SequenceResult> results = await GenerateAsync(
            model,
            [Pair([5, 1], target), SequenceInput.FromTokenIds([5, 1])],
            GenerationParameters.Default
        );

        results[0].Error!.Code.Should().Be(code);
        results[0].Error!.Message.Should().Contain("target");
        results[1].Error.Should().BeNull();
    }

    private static SequenceInput Pair(IReadOnlyList<int> source, IReadOnlyList<int> target) =>
        SequenceInput.FromTokenIds(source) with
        {
            TargetTokenIds = target,
        };

    private static SequenceModel Load(GoldenFamily golden) =>
        SequenceModel.Load(golden.Options, TestContext.Current.CancellationToken);

    private static Task<IReadOnlyList<SequenceResult>> GenerateAsync(
        SequenceModel model,
        IReadOnlyList<SequenceInput> inputs,
        GenerationParameters parameters
    ) => model.GenerateAsync(inputs, parameters, TestContext.Current.CancellationToken);
}
