using System.Diagnostics;
using Seq2Seq.Bench.Service;

namespace Seq2Seq.Bench.Scale;

/// <summary><c>seq2seq run</c> in a process of its own, with a service that runs or with one that runs as long as the command.</summary>
internal static class RunCommand
{
    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(20);

    /// <param name="input">The file of lines.</param>
    /// <param name="parameters">The job's generation parameters, as JSON.</param>
    /// <param name="output">Where the results go, as JSON Lines.</param>
    /// <param name="arguments">Which service.</param>
    /// <param name="watch">Called with the process once it runs.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <returns>
    /// What it took. The submit can't be seen from outside, so first results are counted from the command's start.
    /// </returns>
    /// <exception cref="InvalidOperationException">It failed, or its output is not whole and in order.</exception>
    public static async Task<JobTimes> RunAsync(
        string input,
        string parameters,
        string output,
        IEnumerable<string> arguments,
        Func<int, MemoryWatch> watch,
        CancellationToken cancellationToken
    )
    {
        ProcessStartInfo start = new(
            ServiceRun.Executable,
            ["run", input, "--model", TinyService.Model, "--parameters", parameters, "--output", output, .. arguments]
        )
        {
            UseShellExecute = false,
            RedirectStandardError = true,
        };
        long started = Stopwatch.GetTimestamp();
        using Process process = Process.Start(start)!;
        Task<string> said = process.StandardError.ReadToEndAsync(cancellationToken);
        double? first = null;
        await using (watch(process.Id).ConfigureAwait(false))
        {
            while (!process.HasExited)
            {
                if (first is null && File.Exists(output) && new FileInfo(output).Length > 0)
                {
                    first = Stopwatch.GetElapsedTime(started).TotalSeconds;
                }

                await Task.Delay(_look, cancellationToken);
            }
        }

        double total = Stopwatch.GetElapsedTime(started).TotalSeconds;
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"seq2seq run ended with {process.ExitCode}: {await said}");
        }

        await using FileStream results = File.OpenRead(output);
        long lines = await JobOverHttp.CountAsync(results, 0, cancellationToken);
        File.Delete(output);
        return new JobTimes(lines, Submit: null, first ?? total, total, Early: null);
    }
}
