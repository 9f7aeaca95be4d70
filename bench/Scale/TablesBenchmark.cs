using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Seq2Seq.Bench.Reporting;
using Seq2Seq.Bench.Service;

namespace Seq2Seq.Bench.Scale;

/// <summary>
/// Small jobs at a steady rate, each kept for a minute: rows come and go, and the tables must stop growing once as many go as
/// come.
/// </summary>
internal sealed class TablesBenchmark : IBenchmark
{
    private const int JobsPerSecond = 5;
    private const int RetentionSeconds = 60;
    private const int Samples = 10;

    public string Id => "tables";

    public string Title => "Tables while small jobs come and go";

    public async Task<BenchmarkSection> RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        using TinyService tiny = new(context.Files);
        await using ServiceRun service = await ServiceRun.StartAsync(
            new ServiceRunOptions { Configuration = tiny.Configuration },
            cancellationToken
        );
        await using NpgsqlDataSource database = service.Folder.OpenDatabase();
        TimeSpan interval = TimeSpan.FromMinutes(context.Scale.TablesMinutes / Samples);
        List<(TimeSpan At, int Jobs, TableSizes Sizes)> seen = [];
        long started = Stopwatch.GetTimestamp();
        int jobs = 0;
        using PeriodicTimer timer = new(TimeSpan.FromSeconds(1.0 / JobsPerSecond));
        while (seen.Count < Samples && await timer.WaitForNextTickAsync(cancellationToken))
        {
            using HttpContent job = SmallJobs.Job(jobs++, RetentionSeconds);
            await JobOverHttp.SubmitAsync(service.Http, "jobs", job, cancellationToken);
            TimeSpan at = Stopwatch.GetElapsedTime(started);
            if (at >= (seen.Count + 1) * interval)
            {
                context.Progress(string.Create(CultureInfo.InvariantCulture, $"{at.TotalMinutes:F1} min, {jobs} jobs"));
                seen.Add((at, jobs, await TableSizes.ReadAsync(database, cancellationToken)));
            }
        }

        string[] tables = [.. seen[^1].Sizes.Tables.Keys.Order(StringComparer.Ordinal)];
        return new BenchmarkSection
        {
            Id = Id,
            Title = $"{Title}: {JobsPerSecond} jobs of ten lines a second, kept for {RetentionSeconds} s",
            Tables =
            [
                new ResultTable(
                    ["min", "jobs so far", .. tables],
                    [
                        .. seen.Select(
                            IReadOnlyList<string> (sample) =>
                                [
                                    sample.At.TotalMinutes.ToString("F1", CultureInfo.InvariantCulture),
                                    sample.Jobs.ToString(CultureInfo.InvariantCulture),
                                    .. tables.Select(table => Describe(sample.Sizes.Tables[table])),
                                ]
                        ),
                    ]
                )
                {
                    Caption = "MiB with indexes (rows, dead rows):",
                },
            ],
        };
    }

    private static string Describe(TableSize size) =>
        string.Create(CultureInfo.InvariantCulture, $"{size.Mebibytes:F1} ({size.Live}, {size.Dead})");
}
