using System.Globalization;
using System.Text.Json;
using Seq2Seq.Inference;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Bench.Agreement;

/// <summary>
/// What narrower weights cost in quality: for each model, in how many of its answers float16, bfloat16 and int8 give the
/// tokens of float32, and how many of float32's tokens come before the first that differs.
/// </summary>
internal static class AgreementBenchmark
{
    private const int LongestLine = 24;

    private static readonly string[] _computeTypes = ["float16", "bfloat16", "int8"];

    /// <param name="folder">Folders of models, each with a cases.json whose <c>input_ids</c> show the token ids in use.</param>
    /// <param name="lines">Lines of random token ids for each model.</param>
    /// <param name="output">Gets a table in Markdown.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task RunAsync(string folder, int lines, TextWriter output, CancellationToken cancellationToken)
    {
        await output.WriteLineAsync("| model | search | float16 | bfloat16 | int8 |");
        await output.WriteLineAsync("|---|---|---|---|---|");
        foreach (string model in Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal))
        {
            SequenceInput[] inputs = Inputs(model, lines);
            foreach (int beams in (int[])[1, 4])
            {
                GenerationParameters parameters = new() { NumBeams = beams, MaxNewTokens = 20 };
                int[][] expected = await AnswerAsync(model, "float32", inputs, parameters, cancellationToken);
                List<string> cells = [];
                foreach (string computeType in _computeTypes)
                {
                    cells.Add(
                        Agreement(
                            expected,
                            await AnswerAsync(model, computeType, inputs, parameters, cancellationToken)
                        )
                    );
                }

                string search = beams == 1 ? "greedy" : $"beam {beams}";
                await output.WriteLineAsync($"| {Path.GetFileName(model)} | {search} | {string.Join(" | ", cells)} |");
            }
        }
    }

    /// <summary>Lines of random tokens, the same in every run, each with the end that the model's own lines have.</summary>
    private static SequenceInput[] Inputs(string model, int lines)
    {
        JsonElement cases = JsonElement.Parse(File.ReadAllBytes(Path.Join(model, "cases.json")));
        int[][] known = cases.GetProperty("input_ids").Deserialize<int[][]>()!;
        int least = known.Min(line => line.Min());
        int most = known.Max(line => line.Max());
        Random random = new(20);
        return
        [
            .. Enumerable
                .Range(0, lines)
                .Select(_ =>
                    (int[])
                        [
                            .. Enumerable
                                .Range(0, random.Next(1, LongestLine))
                                .Select(_ => random.Next(Math.Max(4, least), most + 1)),
                            known[0][^1],
                        ]
                )
                .Select(SequenceInput.FromTokenIds),
        ];
    }

    private static async Task<int[][]> AnswerAsync(
        string model,
        string computeType,
        SequenceInput[] inputs,
        GenerationParameters parameters,
        CancellationToken cancellationToken
    )
    {
        await using SequenceModel loaded = SequenceModel.Load(
            new ModelLoadOptions
            {
                Name = Path.GetFileName(model),
                Folder = model,
                ComputeType = computeType,
                Threads = 1,
            },
            cancellationToken
        );
        IReadOnlyList<SequenceResult> results = await loaded.GenerateAsync(inputs, parameters, cancellationToken);
        return [.. results.Select(result => result.Outputs[0].TokenIds.ToArray())];
    }

    private static string Agreement(int[][] expected, int[][] actual)
    {
        int equal = 0;
        int before = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            int common = expected[i].AsSpan().CommonPrefixLength(actual[i]);
            before += common;
            equal += common == expected[i].Length && common == actual[i].Length ? 1 : 0;
        }

        double lines = 100.0 * equal / expected.Length;
        double tokens = 100.0 * before / expected.Sum(line => line.Length);
        return string.Create(CultureInfo.InvariantCulture, $"{lines:0} % ({tokens:0.0} %)");
    }
}
