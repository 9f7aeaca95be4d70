using System.Diagnostics;

namespace Seq2Seq.EndToEnd.Tests;

/// <summary>The executable, where the build has put it: beside these tests, under the project's own name.</summary>
internal static class Program
{
    /// <summary>artifacts/bin/Api/CONFIGURATION, a sibling of artifacts/bin/EndToEnd.Tests/CONFIGURATION.</summary>
    public static string Folder { get; } =
        Path.GetFullPath(
            Path.Combine(
                AppContext.BaseDirectory,
                "..",
                "..",
                "Api",
                Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory))
            )
        );

    public static string Executable { get; } = Path.Combine(Folder, "seq2seq");

    public static string BundledModel { get; } = Path.Combine(Folder, "models", "english-tts");

    /// <summary>Runs a command to its end.</summary>
    public static async Task<Outcome> RunAsync(
        IReadOnlyList<string> arguments,
        CancellationToken cancellationToken,
        string workingDirectory = ""
    )
    {
        var start = new ProcessStartInfo(Executable, arguments)
        {
            UseShellExecute = false,
            WorkingDirectory = workingDirectory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        Task<string> error = process.StandardError.ReadToEndAsync(cancellationToken);
        try
        {
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }

        return new Outcome(process.ExitCode, await output, await error);
    }

    internal sealed record Outcome(int ExitCode, string Output, string Error);
}
