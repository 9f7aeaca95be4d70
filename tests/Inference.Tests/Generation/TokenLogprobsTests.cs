using System.Text.Json;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Tests.Families;

namespace Seq2Seq.Inference.Tests.Generation;

/// <summary>Log-probabilities of generated tokens, against the reference's compute_transition_scores.</summary>
public sealed class TokenLogprobsTests
{
    public static TheoryData<string> Families => GoldenOptions.Families;

    [Theory]
    [MemberData(nameof(Families))]
    public async Task Every_generated_token_has_the_log_probability_of_the_reference(string family)
    {
        GoldenFamily golden = GoldenFamily.Open(family);
        JsonElement expected = GoldenOptions.Family(family).GetProperty("token_logprobs");
        await using SequenceModel model = SequenceModel.Load(golden.Options, TestContext.Current.CancellationToken);
        foreach (GoldenCase test in golden.Cases)
        {
            IReadOnlyList<SequenceResult> results = await model.GenerateAsync(
                [.. golden.InputIds.Select(SequenceInput.FromTokenIds)],
                GenerationParametersJson.Read(test.Parameters) with
                {
                    TokenLogprobs = true,
                },
                TestContext.Current.CancellationToken
            );

            double?[][][] lines = expected.GetProperty(test.Name).Deserialize<double?[][][]>()!;
            foreach ((int line, SequenceResult result) in results.Index())
            {
                foreach ((int rank, SequenceOutput output) in result.Outputs.Index())
                {
                    string where = $"{test.Name}, line {line}, output {rank}";
                    output.TokenLogprobs.Should().HaveSameCount(output.TokenIds, where);
                    output
                        .TokenLogprobs!.Select(logprob => (double)logprob)
                        .Should()
                        .Equal(
                            lines[line][rank].Select(logprob => logprob ?? double.NegativeInfinity),
                            (actual, wanted) => actual.Equals(wanted) || Math.Abs(actual - wanted) < 2e-3,
                            where
                        );
                }
            }
        }
    }

    [Fact]
    public async Task Nobody_gets_log_probabilities_unasked()
    {
        GoldenFamily golden = GoldenFamily.Open("t5");
        await using SequenceModel model = SequenceModel.Load(golden.Options, TestContext.Current.CancellationToken);

        IReadOnlyList<SequenceResult> results = await model.GenerateAsync(
            [SequenceInput.FromTokenIds([5, 6, 1])],
            new GenerationParameters { MaxNewTokens = 3 },
            TestContext.Current.CancellationToken
        );

        results[0].Outputs[0].TokenLogprobs.Should().BeNull();
    }
}
