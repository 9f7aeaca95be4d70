using System.Diagnostics;
using System.Text.Json;

namespace Seq2Seq.Bench.Measuring;

/// <summary>A program that measures something in a process of its own and prints it as one JSON object.</summary>
internal static class ChildProcess
{
    /// <summary>This benchmark's own program: artifacts/bin/Bench/CONFIGURATION, also when tests have started it.</summary>
    public static string Bench { get; } =
        Path.GetFullPath(
            Path.Combine(
                AppContext.BaseDirectory,
                "..",
                "..",
                "Bench",
                Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)),
                "Seq2Seq.Bench"
            )
        );

    /// <returns>What the program's last line of output holds.</returns>
    /// <exception cref="InvalidOperationException">It failed; the message has its error output.</exception>
    public static async Task<T> RunAsync<T>(
        string program,
        IEnumerable<string> arguments,
        CancellationToken cancellationToken
    )
    {
        string[] all = [.. arguments];
        string output = await RunAsync(program, all, cancellationToken);
        string line = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? "";
        try
        {
            return JsonSerializer.Deserialize<T>(line)
                ?? throw new InvalidOperationException($"{Describe(program, all)} printed null.");
        }
        catch (JsonException e)
        {
            throw new InvalidOperationException(
                $"{Describe(program, all)} printed '{line}' where one JSON object was expected: {e.Message}",
                e
            );
        }
    }

    /// <returns>The program's standard output.</returns>
    /// <exception cref="InvalidOperationException">It failed; the message has its error output.</exception>
    public static async Task<string> RunAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process =
            Process.Start(start) ?? throw new InvalidOperationException($"{program} could not be started.");
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            Task<string> error = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode == 0
                ? await output
                : throw new InvalidOperationException(
                    $"{Describe(program, arguments)} ended with {process.ExitCode}: {(await error).Trim()}"
                );
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    private static string Describe(string program, string[] arguments) => $"'{program} {string.Join(' ', arguments)}'";
}
