using System.Globalization;
using Seq2Seq.Bench.Engine;
using Seq2Seq.Bench.Measuring;
using Seq2Seq.Bench.Reporting;
using Seq2Seq.Bench.Workloads;

namespace Seq2Seq.Bench.Profile;

/// <summary>Where the time of a step goes, on the three main workloads, sampled in runs of their own.</summary>
internal sealed class ProfileBenchmark : IBenchmark
{
    /// <summary>The table's header; the plot reads the columns between the first and the last.</summary>
    public static readonly string[] Header =
    [
        "workload",
        "GEMM",
        "attention",
        "search",
        "interop",
        "other",
        "idle",
        "samples",
    ];

    private static readonly string[] _workloads = ["words-greedy", "words-beam", "t5-small", "opus-mt"];

    public string Id => "profile";

    public string Title => "Where the time of a step goes";

    public async Task<BenchmarkSection> RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        List<IReadOnlyList<string>> rows = [];
        List<string> missing = [];
        foreach (
            EngineWorkload workload in EngineWorkloads.All(context.Scale).Where(one => _workloads.Contains(one.Id))
        )
        {
            try
            {
                string model = await context.ModelAsync(workload.Model, cancellationToken);
                foreach (string compute in context.Scale.ProfiledComputeTypes)
                {
                    context.Progress($"profile: {workload.Id} {compute}");
                    rows.Add(
                        Row(
                            $"{workload.Id} {compute}",
                            await SampleAsync(workload, model, compute, context, cancellationToken)
                        )
                    );
                }
            }
            catch (UnavailableException e)
            {
                missing.Add($"{workload.Id}: {e.Message}");
            }
        }

        return new BenchmarkSection
        {
            Id = Id,
            Title = Title,
            Tables =
            [
                new ResultTable(Header, rows)
                {
                    Caption =
                        "Shares of the samples of all threads that decode, one model on all cores. Idle: waiting for lines or for another thread.",
                },
            ],
            Notes = missing,
        };
    }

    private static Task<StepShares> SampleAsync(
        EngineWorkload workload,
        string model,
        string compute,
        BenchmarkContext context,
        CancellationToken cancellationToken
    )
    {
        // The shares of a part are those of the whole.
        EngineRunOptions options = workload.Shorten(
            new EngineRunOptions
            {
                Model = model,
                Lines = workload.Lines(context.Files),
                MaxNew = workload.MaxNew,
                MinNew = workload.MinNew,
            }
        );
        return ChildProcess.RunAsync<StepShares>(
            ChildProcess.Bench,
            [
                "profile",
                model,
                options.Lines,
                "--compute",
                compute,
                "--beam",
                Text(workload.Beam),
                "--threads",
                Text(Environment.ProcessorCount),
                "--max-new",
                Text(options.MaxNew),
                "--min-new",
                Text(options.MinNew),
                "--limit",
                Text(options.Limit),
            ],
            cancellationToken
        );
    }

    private static IReadOnlyList<string> Row(string workload, StepShares shares) =>
        [
            workload,
            Percent(shares.Gemm),
            Percent(shares.Attention),
            Percent(shares.Search),
            Percent(shares.Interop),
            Percent(shares.Other),
            Percent(shares.Idle),
            Text(shares.Samples),
        ];

    private static string Percent(double share) => (100 * share).ToString("F1", CultureInfo.InvariantCulture) + " %";

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
