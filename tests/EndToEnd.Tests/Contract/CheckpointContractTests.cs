using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Seq2Seq.Inference.Tests.Loading;

namespace Seq2Seq.EndToEnd.Tests.Contract;

/// <summary>
/// <c>seq2seq models check</c> on every reference checkpoint, and <c>seq2seq generate</c> on those that load: loaded by the
/// path that is expected, or refused with the reason in words; nothing is executed and nothing left behind.
/// </summary>
public sealed class CheckpointContractTests(CheckpointCases cases) : IClassFixture<CheckpointCases>
{
    // Byte for byte the good folder bin-written-by-hand: its fault is missing.
    private const string WithoutItsFault = "refused-zip-offset-other";

    private static readonly JsonSerializerOptions _json = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    [Fact]
    public async Task Every_checkpoint_is_met_as_it_must_be()
    {
        var misses = new ConcurrentQueue<string>();
        CheckpointCase[] all = [.. CheckpointCases.All.Values.Where(one => one.Case != WithoutItsFault)];
        await Parallel.ForEachAsync(
            all,
            new ParallelOptions
            {
                MaxDegreeOfParallelism = ReferenceData.Parallel,
                CancellationToken = TestContext.Current.CancellationToken,
            },
            async (one, cancellationToken) =>
            {
                if (await MissAsync(one, cancellationToken) is { } miss)
                {
                    misses.Enqueue($"{one.Case} ({one.Why}): {miss}");
                }
            }
        );

        misses.Should().BeEmpty();
        all.Length.Should().BeGreaterThan(450);
    }

    /// <returns>What is wrong; null when nothing is.</returns>
    private async Task<string?> MissAsync(CheckpointCase one, CancellationToken cancellationToken)
    {
        string folder = Path.Join(cases.Root, one.Folder);
        using var working = new DataFolder();
        Program.Outcome run = await Program.RunAsync(
            ["models", "check", folder, "--json"],
            cancellationToken,
            working.Path
        );
        if (Directory.EnumerateFileSystemEntries(working.Path).Any() || File.Exists(Path.Join(folder, "PWNED")))
        {
            return "it left something behind";
        }

        JsonObject report = JsonNode.Parse(run.Output)!.AsObject();
        string said = report.ToJsonString(_json);
        string found = $"exit code {run.ExitCode}, {said}";
        if (report["outcome"]!.GetValue<string>() == "refused")
        {
            bool isRight =
                one.Outcome == "refused"
                    ? one.HintContains.All(hint => Says(said, hint))
                    : one.Lenient.Contains("may be refused", StringComparison.Ordinal);
            return run.ExitCode == 1 && isRight ? null : found;
        }

        if (run.ExitCode != 0 || !MayLoad(one, report, said))
        {
            return found;
        }

        return await WrongTokensAsync(one, folder, cancellationToken);
    }

    private static bool MayLoad(CheckpointCase one, JsonObject report, string said)
    {
        if (one.Outcome == "refused")
        {
            return one.Lenient.Contains("may load", StringComparison.Ordinal)
                || one.Lenient.Contains("ids may be given", StringComparison.Ordinal);
        }

        string[] hints = [.. one.ReportContains, .. one.Path == "config-first" ? one.HintContains : []];
        return (
                report["strategy"]!.GetValue<string>() == one.Path
                || one.Lenient.Contains("either path", StringComparison.Ordinal)
            ) && Array.TrueForAll(hints, hint => Says(said, hint));
    }

    private static async Task<string?> WrongTokensAsync(
        CheckpointCase one,
        string folder,
        CancellationToken cancellationToken
    )
    {
        CheckpointCase inputs =
            one.SameAs is { } other ? CheckpointCases.All[other]
            : one.InputIds is not null ? one
            : CheckpointCases.All["t5-micro"];
        int[][] expected = (one.Outcome == "refused" ? one.OwnIdsIfLoaded : null) ?? one.OutputIds ?? inputs.OutputIds!;
        JsonObject[] lines =
        [
            .. inputs.InputIds!.Select(
                (ids, line) =>
                    new JsonObject
                    {
                        ["id"] = $"{line}",
                        ["input_ids"] = JsonSerializer.SerializeToNode(ids),
                        ["parameters"] = new JsonObject
                        {
                            ["num_beams"] = 1,
                            ["do_sample"] = false,
                            ["max_new_tokens"] = 16,
                            ["min_new_tokens"] = 0,
                        },
                    }
            ),
        ];
        Dictionary<string, JsonElement> answers = await ReferenceData.AnswersAsync(
            "generate",
            folder,
            lines,
            cancellationToken,
            "--compute-type",
            "float32"
        );
        for (int line = 0; line < expected.Length; line++)
        {
            JsonElement answer = answers[$"{line}"];
            if (
                !answer.TryGetProperty("outputs", out JsonElement outputs)
                || !outputs[0]
                    .GetProperty("token_ids")
                    .Deserialize<int[]>()
                    .AsSpan()
                    .SequenceEqual(expected[line].AsSpan(1))
            )
            {
                return $"want {string.Join(',', expected[line][1..])}, got {answer}";
            }
        }

        return null;
    }

    private static bool Says(string report, string hint) =>
        report.Contains(JsonSerializer.Serialize(hint, _json)[1..^1], StringComparison.OrdinalIgnoreCase);
}
