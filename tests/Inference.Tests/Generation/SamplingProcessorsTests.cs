using System.Text.Json;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Generation.LogitsProcessors;

namespace Seq2Seq.Inference.Tests.Generation;

/// <summary>What each option of sampling leaves of a row of scores, against the reference's processors.</summary>
public sealed class SamplingProcessorsTests
{
    private static readonly JsonElement Golden = GoldenOptions.Data.GetProperty("warpers");

    public static TheoryData<int> Cases => [.. Enumerable.Range(0, Golden.GetProperty("cases").GetArrayLength())];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Scores_are_those_of_the_reference(int index)
    {
        JsonElement test = Golden.GetProperty("cases")[index];
        float[][] expected = Rows(test.GetProperty("scores"));
        GenerationParameters parameters = GenerationParametersJson.Read(test.GetProperty("parameters")) with
        {
            DoSample = true,
        };
        LogitsProcessorList processors = LogitsProcessorList.Create(Settings(parameters), source: [1]);
        foreach ((int row, float[] scores) in Rows(Golden.GetProperty("rows")).Index())
        {
            processors.Apply([0], scores);

            for (int token = 0; token < scores.Length; token++)
            {
                bool isLeft = float.IsFinite(scores[token]);
                isLeft.Should().Be(float.IsFinite(expected[row][token]), $"row {row}, token {token} of {test}");
                if (isLeft)
                {
                    scores[token].Should().BeApproximately(expected[row][token], 1e-4f);
                }
            }
        }
    }

    private static GenerationSettings Settings(GenerationParameters parameters) =>
        GenerationSettings.Resolve(
            parameters,
            new GenerationDefaults
            {
                Parameters = new GenerationParameters { DecoderStartTokenId = 0, EosTokenId = [1] },
            },
            vocabularySize: 64,
            maxPositions: null,
            ParameterTexts.None
        );

    private static float[][] Rows(JsonElement rows) =>
        [
            .. rows.EnumerateArray()
                .Select(row =>
                    row.EnumerateArray()
                        .Select(score =>
                            score.ValueKind == JsonValueKind.Null ? float.NegativeInfinity : score.GetSingle()
                        )
                        .ToArray()
                ),
        ];
}
