using Seq2Seq.Bench.Engine;
using Seq2Seq.Bench.Kernels;
using Seq2Seq.Bench.Loading;
using Seq2Seq.Bench.Measuring;
using Seq2Seq.Bench.Profile;
using Seq2Seq.Bench.Quality;
using Seq2Seq.Bench.Reporting;
using Seq2Seq.Bench.Scale;
using Seq2Seq.Bench.Scheduling;
using Seq2Seq.Bench.Service;
using Seq2Seq.Bench.Store;
using Seq2Seq.Bench.Workloads;

namespace Seq2Seq.Bench;

/// <summary>Runs the parts one after the other, and writes the report after each: an interrupted run loses one part.</summary>
internal static class BenchmarkRun
{
    /// <summary>All parts, in the order of the page.</summary>
    public static IReadOnlyList<IBenchmark> Parts(BenchmarkScale scale) =>
        [
            new PeakBenchmark(),
            .. EngineWorkloads.All(scale).Select(workload => new EngineBenchmark(workload)),
            new LoadBenchmark([BenchmarkFiles.BundledModel, "t5-small", "opus-mt"]),
            new ServiceBenchmark(),
            new ScaleBenchmark(),
            new NeighbourBenchmark(),
            new MachinesBenchmark(),
            new TablesBenchmark(),
            new QualityBenchmark(),
            new ProfileBenchmark(),
            new TextBenchmark(
                "store",
                "What keeping a line in the database costs",
                (output, cancellationToken) =>
                    StoreBenchmark.RunAsync(scale.StoreLines, scale.SmallJobs, output, cancellationToken)
            ),
            new TextBenchmark(
                "scheduling",
                "What running shards costs apart from the model",
                (output, cancellationToken) =>
                    SchedulingBenchmark.RunAsync(
                        scale.SchedulingJobs,
                        scale.SchedulingShards,
                        TimeSpan.FromSeconds(scale.IdleSeconds),
                        output,
                        cancellationToken
                    )
            ),
        ];

    /// <param name="parts">What to run.</param>
    /// <param name="context">What they share.</param>
    /// <param name="report">The report so far, with the machine and the peers of this run.</param>
    /// <param name="write">Called with the report after each part.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <returns>Whether every part could be measured.</returns>
    public static async Task<bool> RunAsync(
        IReadOnlyList<IBenchmark> parts,
        BenchmarkContext context,
        BenchmarkReport report,
        Action<BenchmarkReport> write,
        CancellationToken cancellationToken
    )
    {
        string? commit = await CommitAsync(cancellationToken);
        bool all = true;
        double peak = PeakBenchmark.TorchGflops();
        foreach (IBenchmark part in parts)
        {
            context.Progress($"{part.Id}: {part.Title}");
            double load = Machine.LoadAverage();
            BenchmarkSection section;
            try
            {
                section = await part.RunAsync(context, cancellationToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // One part that fails takes no other with it.
                all = false;
                context.Progress($"{part.Id}: {e.Message}");
                section = new BenchmarkSection
                {
                    Id = part.Id,
                    Title = part.Title,
                    Notes = ["Not measured: " + e.Message],
                };
            }

            report = report.With(
                section with
                {
                    Measured = TimeProvider.System.GetUtcNow(),
                    Commit = commit,
                    GemmPeak = peak,
                    LoadBefore = load,
                }
            );
            write(report);
        }

        return all;
    }

    private static async Task<string?> CommitAsync(CancellationToken cancellationToken)
    {
        try
        {
            string commit = await ChildProcess.RunAsync("git", ["describe", "--always"], cancellationToken);
            // Not the pages that are written here: they measure nothing.
            string changed = await ChildProcess.RunAsync(
                "git",
                ["status", "--porcelain", "--", ":(top)", ":(top,exclude)bench/results"],
                cancellationToken
            );
            return commit.Trim() + (changed.Length > 0 ? "-dirty" : "");
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
