using System.Globalization;
using Seq2Seq.Bench.Comparing;
using Seq2Seq.Bench.Measuring;
using Seq2Seq.Bench.Reporting;

namespace Seq2Seq.Bench.Loading;

/// <summary>Loads from the disk, and their peak memory, beside reading the same bytes.</summary>
internal sealed class LoadBenchmark(string[] models) : IBenchmark
{
    private const string Compute = "float32";

    public string Id => "load";

    public string Title => "Loading from the disk";

    public async Task<BenchmarkSection> RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        List<string> folders = [];
        foreach (string model in models)
        {
            folders.Add(await context.ModelAsync(model, cancellationToken));
        }

        List<LoadRunResult>[] runs = await AlternatingRuns.RunAsync(
            models.Length,
            context.Rounds,
            context.Budget,
            i =>
                ChildProcess.RunAsync<LoadRunResult>(
                    ChildProcess.Bench,
                    ["load", folders[i], "--compute", Compute],
                    cancellationToken
                )
        );
        return new BenchmarkSection
        {
            Id = Id,
            Title = Title,
            Tables =
            [
                new ResultTable(
                    [
                        "model",
                        "weights, MiB",
                        "reading, s",
                        "loading, s",
                        "at most 1.5 × reading + 1 s",
                        "peak, MiB",
                        "of it before, MiB",
                    ],
                    [.. models.Select((model, i) => Row(model, runs[i]))]
                )
                {
                    Caption = $"{Compute}, medians of {runs[0].Count} runs, each in a fresh process.",
                },
            ],
        };
    }

    private static IReadOnlyList<string> Row(string model, List<LoadRunResult> runs)
    {
        double read = Median(run => run.ReadSeconds);
        double load = Median(run => run.LoadSeconds);
        return
        [
            model,
            Text(runs[0].Bytes / 1048576.0, "F0"),
            Text(read, "F2"),
            Text(load, "F2"),
            load <= (1.5 * read) + 1 ? "yes" : "**no**",
            Text(Median(run => run.PeakMegabytes), "F0"),
            Text(Median(run => run.BaseMegabytes), "F0"),
        ];

        double Median(Func<LoadRunResult, double> value) => Sample.Of(runs.Select(value)).Median;
    }

    private static string Text(double number, string format) => number.ToString(format, CultureInfo.InvariantCulture);
}
