using System.Diagnostics;

namespace Seq2Seq.Api.Tests.CommandLine;

/// <summary>Runs the executable that lies beside the tests, as a user would.</summary>
internal static class Executable
{
    public static Task<Outcome> RunAsync(string input, params string[] arguments) =>
        RunAsync(input, new Dictionary<string, string>(StringComparer.Ordinal), arguments);

    /// <param name="input">What stands on its standard input.</param>
    /// <param name="environment">Variables over this process's.</param>
    /// <param name="arguments">Its command line.</param>
    public static async Task<Outcome> RunAsync(
        string input,
        IReadOnlyDictionary<string, string> environment,
        string[] arguments
    )
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "seq2seq"), arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
        return new Outcome(process.ExitCode, await output, await error);
    }

    internal sealed record Outcome(int ExitCode, string Output, string Error);
}
