using System.Text.Json;
using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Inference.Tests.Generation;

/// <summary>Holds outputs against the reference's: <c>{"parameters", "lines": [[{"tokens", "score", "logprobs"}]]}</c>.</summary>
internal static class GoldenOutputs
{
    private const double Tolerance = 2e-3;

    public static async Task ShouldBeGivenAsync(SequenceModel model, IEnumerable<int[]> inputs, JsonElement test)
    {
        JsonElement[] lines = [.. test.GetProperty("lines").EnumerateArray()];
        IReadOnlyList<SequenceResult> results = await model.GenerateAsync(
            [.. inputs.Take(lines.Length).Select(SequenceInput.FromTokenIds)],
            GenerationParametersJson.Read(test.GetProperty("parameters")) with
            {
                TokenLogprobs = true,
            },
            TestContext.Current.CancellationToken
        );

        results.Should().HaveSameCount(lines);
        foreach ((int line, SequenceResult result) in results.Index())
        {
            ShouldBe(result, lines[line], $"{test.GetProperty("parameters")}, line {line}");
        }
    }

    public static void ShouldBe(SequenceResult result, JsonElement expected, string where)
    {
        result.Error.Should().BeNull(where);
        result
            .Outputs.Select(output => string.Join(' ', output.TokenIds))
            .Should()
            .Equal(
                expected
                    .EnumerateArray()
                    .Select(output => string.Join(' ', output.GetProperty("tokens").Deserialize<int[]>()!)),
                where
            );
        foreach ((SequenceOutput output, JsonElement wanted) in result.Outputs.Zip(expected.EnumerateArray()))
        {
            if (wanted.GetProperty("score").ValueKind == JsonValueKind.Number)
            {
                double score = wanted.GetProperty("score").GetDouble();
                output.Score.Should().BeApproximately(score, Tolerance * Math.Max(1, Math.Abs(score)), where);
            }

            if (wanted.TryGetProperty("logprobs", out JsonElement logprobs))
            {
                output
                    .TokenLogprobs!.Select(logprob => (double)logprob)
                    .Should()
                    .Equal(
                        logprobs.Deserialize<double?[]>()!.Select(logprob => logprob ?? double.NegativeInfinity),
                        (actual, value) => actual.Equals(value) || Math.Abs(actual - value) < Tolerance,
                        where
                    );
            }
        }
    }
}
