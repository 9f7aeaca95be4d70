using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Seq2Seq.EndToEnd.Tests;

/// <summary>What the README shows works as it stands there.</summary>
public sealed class ReadmeTests
{
    private static readonly string Root = FindRoot();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_examples_of_http_and_of_the_command_line_work()
    {
        using var data = new DataFolder();
        await using var service = ServiceProcess.Start(data.Path);
        await service.ReadyAsync(Cancelled);
        string address = service.Http.BaseAddress!.ToString().TrimEnd('/');
        List<string> commands = [.. BashBlocks().SelectMany(Commands)];
        commands.RemoveAll(command => command.EndsWith("seq2seq serve", StringComparison.Ordinal));
        commands.Count.Should().BeGreaterThan(5);

        string job = "";
        foreach (string command in commands)
        {
            if (command.Contains("/ID/", StringComparison.Ordinal))
            {
                (await service.Http.UntilAsync(job, long.MaxValue, Cancelled)).Name.Should().Be("completed");
            }

            string output = await RunAsync(
                command
                    .Replace("http://127.0.0.1:5080", address, StringComparison.Ordinal)
                    .Replace("/ID/", $"/{job}/", StringComparison.Ordinal)
                    .Replace("curl ", "curl -sS --fail-with-body ", StringComparison.Ordinal)
                    .Replace("./seq2seq run", $"{Program.Executable} run --server {address}", StringComparison.Ordinal)
                    .Replace("./seq2seq", Program.Executable, StringComparison.Ordinal)
                    .Replace("words.jsonl", Path.Combine(data.Path, "words.jsonl"), StringComparison.Ordinal)
            );
            if (command.StartsWith("curl -X POST", StringComparison.Ordinal))
            {
                job = JsonDocument.Parse(output).RootElement.GetProperty("id").GetString()!;
            }

            if (command.Contains("wonderful", StringComparison.Ordinal))
            {
                output.Should().Contain("W AH1 N D ER0 F AH0 L");
            }
        }

        (await File.ReadAllLinesAsync(Path.Combine(data.Path, "words.jsonl"), Cancelled)).Should().HaveCount(2000);
    }

    [Fact]
    public async Task The_example_in_csharp_is_the_sample() =>
        (await File.ReadAllTextAsync(Path.Combine(Root, "samples", "client.cs"), Cancelled))
            .Should()
            .EndWith(Block("csharp"));

    private static string Block(string language) =>
        Regex
            .Match(
                File.ReadAllText(Path.Combine(Root, "README.md")),
                $"^```{language}\n(?<code>.*?)^```",
                RegexOptions.Singleline | RegexOptions.Multiline | RegexOptions.ExplicitCapture,
                TimeSpan.FromSeconds(1)
            )
            .Groups["code"]
            .Value;

    private static IEnumerable<string> BashBlocks() =>
        Regex
            .Matches(
                File.ReadAllText(Path.Combine(Root, "README.md")),
                "^```bash\n(?<code>.*?)^```",
                RegexOptions.Singleline | RegexOptions.Multiline | RegexOptions.ExplicitCapture,
                TimeSpan.FromSeconds(1)
            )
            .Select(match => match.Groups["code"].Value);

    private static string[] Commands(string block) =>
        block.Replace("\\\n", "", StringComparison.Ordinal).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static async Task<string> RunAsync(string command)
    {
        var start = new ProcessStartInfo("bash", ["-euo", "pipefail", "-c", command])
        {
            UseShellExecute = false,
            WorkingDirectory = Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(Cancelled);
        Task<string> error = process.StandardError.ReadToEndAsync(Cancelled);
        await process.WaitForExitAsync(Cancelled);
        process.ExitCode.Should().Be(0, $"{command} printed {await output} {await error}");
        return await output;
    }

    private static string FindRoot()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Jobs.sln")))
        {
            folder =
                Path.GetDirectoryName(folder)
                ?? throw new InvalidOperationException("These tests run inside the source tree.");
        }

        return folder;
    }
}
