using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Inference.Tests.Families;

/// <summary>Sequences and scores of every family under many generation settings, against the reference's.</summary>
public sealed class GoldenGenerationTests
{
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

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Lines_of_any_length_are_answered_alike_alone_and_among_others(string name)
    {
        GoldenFamily golden = GoldenFamily.Open(name);
        await using SequenceModel model = SequenceModel.Load(golden.Options, TestContext.Current.CancellationToken);
        SequenceInput[] lines = AnyLines(golden);
        foreach (int beams in (int[])[1, 4])
        {
            GenerationParameters parameters = new() { NumBeams = beams, MaxNewTokens = 12 };
            IReadOnlyList<SequenceResult> together = await model.GenerateAsync(
                lines,
                parameters,
                TestContext.Current.CancellationToken
            );
            for (int line = 0; line < lines.Length; line++)
            {
                IReadOnlyList<SequenceResult> alone = await model.GenerateAsync(
                    [lines[line]],
                    parameters,
                    TestContext.Current.CancellationToken
                );
                together[line].Error.Should().BeNull();
                SequenceOutput expected = alone[0].Outputs[0];
                together[line].Outputs[0].TokenIds.Should().Equal(expected.TokenIds, $"line {line}, {beams} beams");
                together[line]
                    .Outputs[0]
                    .Score.Should()
                    .BeApproximately(expected.Score, GoldenCase.ScoreTolerance(expected.Score));
            }
        }
    }

    /// <summary>From a token to as many as a small model has positions for.</summary>
    private static SequenceInput[] AnyLines(GoldenFamily golden)
    {
        Random random = new(7);
        int most = golden.InputIds.Max(line => line.Max());
        return
        [
            .. Enumerable
                .Range(0, 20)
                .Select(_ =>
                    SequenceInput.FromTokenIds([
                        .. Enumerable.Range(0, random.Next(1, 30)).Select(_ => random.Next(4, most)),
                        golden.InputIds[0][^1],
                    ])
                ),
        ];
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
                    GoldenCase.ScoreTolerance(expected),
                    $"{test.Name}, line {line}, output {i}"
                );
        }
    }
}
