using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;
using Seq2Seq.Bench.Reporting;
using Seq2Seq.Bench.Service;

namespace Seq2Seq.Bench.Scale;

/// <summary>Many jobs of ten lines, sent over HTTP by several clients at once.</summary>
/// <param name="Rate">How fast they were accepted and done.</param>
/// <param name="Sizes">The tables before and after.</param>
internal sealed record SmallJobs(ResultTable Rate, ResultTable Sizes)
{
    private const int Clients = 8;
    private const int LinesPerJob = 10;

    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(100);

    public static async Task<SmallJobs> RunAsync(ServiceRun service, int jobs, CancellationToken cancellationToken)
    {
        await using NpgsqlDataSource database = service.Folder.OpenDatabase();
        TableSizes before = await TableSizes.ReadAsync(database, cancellationToken);
        await using MemoryWatch memory = new(service.ProcessId, client: null, () => service.Folder.Postmaster);
        long started = Stopwatch.GetTimestamp();
        await Parallel.ForAsync(
            0,
            jobs,
            new ParallelOptions { MaxDegreeOfParallelism = Clients, CancellationToken = cancellationToken },
            async (i, token) =>
            {
                using HttpContent job = Job(i);
                await JobOverHttp.SubmitAsync(service.Http, "jobs", job, token);
            }
        );
        double accepted = Stopwatch.GetElapsedTime(started).TotalSeconds;
        while (await CountAsync(database, "finished_at IS NULL", cancellationToken) > 0)
        {
            await Task.Delay(_look, cancellationToken);
        }

        double done = Stopwatch.GetElapsedTime(started).TotalSeconds;
        long completed = await CountAsync(
            database,
            $"state = 'completed' AND lines_done = {LinesPerJob} AND lines_failed = 0",
            cancellationToken
        );
        if (completed < jobs)
        {
            throw new InvalidOperationException($"{completed} of {jobs} small jobs completed.");
        }

        TableSizes after = await TableSizes.ReadAsync(database, cancellationToken);
        return new SmallJobs(
            new ResultTable(
                ["jobs of ten lines", "clients", "accepted/s", "done/s", "service, MiB", "all backends, MiB"],
                [
                    [
                        jobs.ToString("N0", CultureInfo.InvariantCulture),
                        Clients.ToString(CultureInfo.InvariantCulture),
                        Number(jobs / accepted, 0),
                        Number(jobs / done, 0),
                        Number(memory.Program, 0),
                        Number(memory.AllBackends, 0),
                    ],
                ]
            ),
            new ResultTable(
                ["table", "MiB before", "MiB after", "rows after", "dead rows after"],
                [
                    .. after.Tables.Select(
                        IReadOnlyList<string> (table) =>
                            [
                                table.Key,
                                Number(before.Tables[table.Key].Mebibytes, 1),
                                Number(table.Value.Mebibytes, 1),
                                table.Value.Live.ToString(CultureInfo.InvariantCulture),
                                table.Value.Dead.ToString(CultureInfo.InvariantCulture),
                            ]
                    ),
                ]
            )
            {
                Caption = "Tables with their indexes, before and after these jobs:",
            }
        );
    }

    /// <summary>The body of one small job.</summary>
    /// <param name="number">Of the job: no two have equal lines.</param>
    /// <param name="retentionSeconds">How long it is kept; null for the usual time.</param>
    public static HttpContent Job(int number, int? retentionSeconds = null)
    {
        Dictionary<string, object> job = new(StringComparer.Ordinal)
        {
            ["model"] = TinyService.Model,
            ["parameters"] = JsonElement.Parse(TinyService.Parameters),
            ["inputs"] = Enumerable
                .Range(0, LinesPerJob)
                .Select(line => string.Create(CultureInfo.InvariantCulture, $"The fox no. {number} {line}")),
        };
        if (retentionSeconds is { } seconds)
        {
            job["retention_seconds"] = seconds;
        }

        return JsonContent.Create(job);
    }

    private static async Task<long> CountAsync(
        NpgsqlDataSource database,
        string where,
        CancellationToken cancellationToken
    )
    {
        await using NpgsqlCommand command = database.CreateCommand("SELECT count(*) FROM job WHERE " + where);
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static string Number(double number, int decimals) =>
        number.ToString("F" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}
