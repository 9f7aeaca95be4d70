using System.Text.Json;

namespace Seq2Seq.EndToEnd.Tests;

/// <summary>What the bundled model gives for each word, by <c>seq2seq generate</c>: no service, no shards, no threads in between.</summary>
public sealed class ExpectedTexts : IAsyncLifetime
{
    public IReadOnlyList<string> Texts { get; private set; } = [];

    public async ValueTask InitializeAsync()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("seq2seq-e2e-");
        try
        {
            string input = Path.Combine(folder.FullName, "in.jsonl");
            string output = Path.Combine(folder.FullName, "out.jsonl");
            await File.WriteAllLinesAsync(
                input,
                Words.Lines(int.MaxValue).Select(line => JsonSerializer.Serialize(new { text = line })),
                TestContext.Current.CancellationToken
            );
            Program.Outcome run = await Program.RunAsync(
                ["generate", "--model", Program.BundledModel, "--input", input, "--output", output],
                TestContext.Current.CancellationToken
            );
            run.ExitCode.Should().Be(0, run.Error);
            Texts =
            [
                .. (await File.ReadAllLinesAsync(output, TestContext.Current.CancellationToken)).Select(line =>
                    JsonDocument.Parse(line).RootElement.GetProperty("outputs")[0].GetProperty("text").GetString()!
                ),
            ];
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
