using System.Diagnostics;

namespace Seq2Seq.Api.Tests.CommandLine;

/// <summary>Runs the executable that lies beside the tests, as a user would.</summary>
internal static class Executable
{
    public static async Task<Outcome> RunAsync(string input, params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "seq2seq"), arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
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
