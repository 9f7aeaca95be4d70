using System.Text.Json;
using System.Text.Json.Nodes;
using Seq2Seq.Testing;

namespace Seq2Seq.EndToEnd.Tests.Contract;

/// <summary>The reference data of tests/Inference.Tests/Data, and the commands that are held against it.</summary>
internal static class ReferenceData
{
    /// <summary>Commands that run at a time.</summary>
    public const int Parallel = 2;

    private static string Root { get; } = Path.Join(Repository.Root, "tests", "Inference.Tests", "Data");

    /// <summary>The folders with a cases.json, of a kind.</summary>
    public static IReadOnlyList<string> Folders(string kind) =>
        [
            .. Directory
                .EnumerateFiles(Path.Join(Root, kind), "cases.json", SearchOption.AllDirectories)
                .Select(file => Path.GetDirectoryName(file)!)
                .Order(StringComparer.Ordinal),
        ];

    public static JsonElement Cases(string folder) =>
        JsonElement.Parse(File.ReadAllBytes(Path.Join(folder, "cases.json")));

    /// <summary>Sends lines through a command, from file to file, and gives each answer by its line's id.</summary>
    public static async Task<Dictionary<string, JsonElement>> AnswersAsync(
        string verb,
        string folder,
        IReadOnlyCollection<JsonObject> lines,
        CancellationToken cancellationToken,
        params string[] options
    )
    {
        using var data = new DataFolder();
        string input = Path.Join(data.Path, "in.jsonl");
        string output = Path.Join(data.Path, "out.jsonl");
        await File.WriteAllLinesAsync(input, lines.Select(line => line.ToJsonString()), cancellationToken);
        Program.Outcome run = await Program.RunAsync(
            [verb, "--model", folder, "--input", input, "--output", output, .. options],
            cancellationToken
        );
        // 3: some lines have an error as their answer.
        run.ExitCode.Should().BeOneOf([0, 3], $"{verb} {folder}: {run.Error}");
        return (await File.ReadAllLinesAsync(output, cancellationToken))
            .Select(line => JsonElement.Parse(line))
            .ToDictionary(answer => answer.GetProperty("id").GetString()!, StringComparer.Ordinal);
    }
}
