using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Seq2Seq.EndToEnd.Tests.Contract;

/// <summary><c>seq2seq generate</c> on every family's tiny model: the tokens and scores of transformers under every setting.</summary>
public sealed class GenerationContractTests
{
    private const double ScoreTolerance = 2e-3;

    [Fact]
    public async Task Every_line_of_every_family_is_generated_as_by_transformers()
    {
        var misses = new ConcurrentQueue<string>();
        int asked = 0;
        await Parallel.ForEachAsync(
            ReferenceData.Folders("generation"),
            new ParallelOptions
            {
                MaxDegreeOfParallelism = ReferenceData.Parallel,
                CancellationToken = TestContext.Current.CancellationToken,
            },
            async (folder, cancellationToken) =>
                Interlocked.Add(ref asked, await CheckAsync(folder, misses, cancellationToken))
        );

        misses.Should().BeEmpty();
        asked.Should().BeGreaterThan(2000);
    }

    private static async Task<int> CheckAsync(
        string folder,
        ConcurrentQueue<string> misses,
        CancellationToken cancellationToken
    )
    {
        JsonElement reference = ReferenceData.Cases(folder);
        JsonElement[] inputs = [.. reference.GetProperty("input_ids").EnumerateArray()];
        int end = reference.GetProperty("special")[1].GetInt32();
        JsonElement[] cases = [.. reference.GetProperty("cases").EnumerateArray()];
        JsonObject[] lines =
        [
            .. cases.SelectMany(test =>
                inputs.Select(
                    (ids, line) =>
                        new JsonObject
                        {
                            ["id"] = Id(test, line),
                            ["input_ids"] = JsonNode.Parse(ids.GetRawText()),
                            ["parameters"] = JsonNode.Parse(test.GetProperty("generation").GetRawText()),
                        }
                )
            ),
        ];
        Dictionary<string, JsonElement> answers = await ReferenceData.AnswersAsync(
            "generate",
            folder,
            lines,
            cancellationToken,
            [
                "--compute-type",
                "float32",
                .. reference.TryGetProperty("as_published", out JsonElement published) && published.GetBoolean()
                    ? new[] { "--as-published" }
                    : [],
            ]
        );
        foreach (JsonElement test in cases)
        {
            for (int line = 0; line < inputs.Length; line++)
            {
                if (!IsMet(test, line, end, answers.GetValueOrDefault(Id(test, line))))
                {
                    misses.Enqueue(
                        $"{Path.GetFileName(folder)} {Id(test, line)}: {answers.GetValueOrDefault(Id(test, line))}"
                    );
                }
            }
        }

        return lines.Length;
    }

    private static string Id(JsonElement test, int line) => $"{test.GetProperty("name").GetString()}/{line}";

    private static bool IsMet(JsonElement test, int line, int end, JsonElement answer)
    {
        int returned = test.GetProperty("generation").TryGetProperty("num_return_sequences", out JsonElement count)
            ? count.GetInt32()
            : 1;
        if (answer.ValueKind != JsonValueKind.Object || !answer.TryGetProperty("outputs", out JsonElement outputs))
        {
            return false;
        }

        int[][] expected =
        [
            .. test.GetProperty("sequences")
                .Deserialize<int[][]>()!
                .Skip(line * returned)
                .Take(returned)
                .Select(sequence => Strip(sequence, end)),
        ];
        double[] scores = test.TryGetProperty("sequences_scores", out JsonElement all)
            ? [.. all.Deserialize<double[]>()!.Skip(line * returned).Take(returned)]
            : [];
        JsonElement[] found = [.. outputs.EnumerateArray()];
        return found.Length == returned
            && found
                .Zip(expected)
                .All(pair =>
                    pair.First.GetProperty("token_ids").Deserialize<int[]>().AsSpan().SequenceEqual(pair.Second)
                )
            && found
                .Zip(scores)
                .All(pair =>
                    Math.Abs(pair.First.GetProperty("score").GetDouble() - pair.Second)
                    < ScoreTolerance * Math.Max(1, Math.Abs(pair.Second))
                );
    }

    /// <summary>Without the start token, and without what stands behind the end token.</summary>
    private static int[] Strip(int[] sequence, int end)
    {
        int last = Array.IndexOf(sequence, end, 1);
        return last < 0 ? sequence[1..] : sequence[1..(last + 1)];
    }
}
