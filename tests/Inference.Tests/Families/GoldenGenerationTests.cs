using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Inference.Tests.Families;

/// <summary>Sequences and scores of every family under many generation settings, against the reference's.</summary>
public sealed class GoldenGenerationTests
{
    /// <summary>As the reference cases allow: scores are sums of float32 in another order.</summary>
    private const double ScoreTolerance = 2e-3;

    public static TheoryData<string> Names => GoldenFamily.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Sequences_are_those_of_the_reference_line_by_line(string name)
    {
        GoldenFamily golden = GoldenFamily.Open(name);
        await using SequenceModel model = SequenceModel.Load(golden.Options, TestContext.Current.CancellationToken);
        foreach (GoldenCase test in golden.Cases)
        {
            for (int line = 0; line < golden.InputIds.Length; line++)
            {
                SequenceResult[] results = await GenerateAsync(model, test, golden.InputIds[line]);
                ShouldBe(test, line, results[0]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Sequences_are_the_same_when_all_settings_and_lines_decode_together(string name)
    {
        GoldenFamily golden = GoldenFamily.Open(name);
        await using SequenceModel model = SequenceModel.Load(golden.Options, TestContext.Current.CancellationToken);

        SequenceResult[][] results = await Task.WhenAll(
            golden.Cases.Select(test => GenerateAsync(model, test, golden.InputIds))
        );

        for (int i = 0; i < results.Length; i++)
        {
            for (int line = 0; line < golden.InputIds.Length; line++)
            {
                ShouldBe(golden.Cases[i], line, results[i][line]);
            }
        }
    }

    private static async Task<SequenceResult[]> GenerateAsync(
        SequenceModel model,
        GoldenCase test,
        params int[][] lines
    ) =>
        [
            .. await model.GenerateAsync(
                [.. lines.Select(SequenceInput.FromTokenIds)],
                GenerationParametersJson.Read(test.Parameters),
                TestContext.Current.CancellationToken
            ),
        ];

    private static void ShouldBe(GoldenCase test, int line, SequenceResult result)
    {
        result.Error.Should().BeNull();
        result
            .Outputs.Select(output => output.TokenIds)
            .Should()
            .BeEquivalentTo(test.Sequences[line], options => options.WithStrictOrdering(), $"{test.Name}, line {line}");
        for (int i = 0; test.Scores is not null && i < result.Outputs.Count; i++)
        {
            double expected = test.Scores[line][i];
            result
                .Outputs[i]
                .Score.Should()
                .BeApproximately(
                    expected,
                    ScoreTolerance * Math.Max(1, Math.Abs(expected)),
                    $"{test.Name}, line {line}, output {i}"
                );
        }
    }
}
