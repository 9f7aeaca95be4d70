using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Seq2Seq.EndToEnd.Tests.Chaos;

/// <summary>
/// Job after job, while workers and the database are disturbed in every way there is: whatever was accepted is completed, with
/// the bytes of the undisturbed run. Here each fault once; <c>tests/chaos</c> runs it for long.
/// </summary>
public sealed class ChaosTests(ITestOutputHelper output)
{
    // After the last fault: what was accepted is still to be completed.
    private static readonly TimeSpan ToEnd = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task Whatever_happens_to_workers_and_the_database_every_job_completes_with_the_same_bytes()
    {
        ChaosOptions options = ChaosOptions.Read();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(options.Limit + ToEnd);
        CancellationToken cancellationToken = limit.Token;
        await using ChaosService service = await ChaosService.StartAsync(options, cancellationToken);
        IReadOnlyList<string> lines = Words.Lines(options.Lines);
        long start = Stopwatch.GetTimestamp();
        string calm = await RunAsync(service, lines, "calm", cancellationToken);
        string expected = await service.Api.Http.ResultsAsync(calm, "jsonl", cancellationToken);
        expected.Split('\n', StringSplitOptions.RemoveEmptyEntries).Should().HaveCount(lines.Count);
        output.WriteLine($"In peace: {lines.Count} lines in {Seconds(start)} s, loading included.");

        List<Fault> faults =
        [
            .. Pick(WorkerFaults.All, options.Kills, service.Random),
            .. Pick(DatabaseFaults.All, options.DatabaseFaults, service.Random),
        ];
        service.Random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(faults));
        var report = new ChaosReport();
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<List<string>> stream = SubmitAllAsync(service, lines, enough.Token, cancellationToken);
        start = Stopwatch.GetTimestamp();
        _ = stream.ContinueWith(
            _ => limit.CancelAsync(),
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted,
            TaskScheduler.Default
        );
        try
        {
            foreach (Fault fault in faults.TakeWhile(_ => Stopwatch.GetElapsedTime(start) < options.Limit))
            {
                report.Add(await InjectAsync(service, fault, cancellationToken));
                output.WriteLine($"{Seconds(start), 7} s  {report.Rows[^1]}");
            }
        }
        catch (OperationCanceledException) when (stream.IsFaulted)
        {
            await stream;
        }

        await enough.CancelAsync();
        List<string> jobs = await stream;
        foreach (string job in jobs)
        {
            (await service.StateAsync(job, cancellationToken)).Should().Be("completed");
            (await service.Api.Http.ResultsAsync(job, "jsonl", cancellationToken) == expected)
                .Should()
                .BeTrue($"job {job} is to have the bytes of the undisturbed run");
        }

        report.Rows.Should().NotBeEmpty();
        output.WriteLine("");
        foreach (string line in report.ToLines(WorkerFaults.All.Concat(DatabaseFaults.All).Select(fault => fault.Name)))
        {
            output.WriteLine(line);
        }

        output.WriteLine(
            $"\n{report.Rows.Count} of {faults.Count} faults in {Seconds(start)} s (seed {options.Seed}); {jobs.Count} jobs of {lines.Count} lines, each with the bytes of "
                + $"the undisturbed run; {service.EndedByThemselves.Count} workers ended by themselves and were started again."
        );
        service.EndedByThemselves.Should().BeEmpty();
    }

    private static async Task<ChaosReport.Row> InjectAsync(
        ChaosService service,
        Fault fault,
        CancellationToken cancellationToken
    )
    {
        await service.UntilAllWorkAsync(cancellationToken);
        long before = await service.LostAsync(cancellationToken);
        TimeSpan? stood = await fault.InjectAsync(service, cancellationToken);
        return new ChaosReport.Row(
            fault.Name,
            stood?.TotalSeconds,
            await service.LostAsync(cancellationToken) - before
        );
    }

    // One after the other, until it is enough; the last to its end.
    private static async Task<List<string>> SubmitAllAsync(
        ChaosService service,
        IReadOnlyList<string> lines,
        CancellationToken enough,
        CancellationToken cancellationToken
    )
    {
        List<string> jobs = [];
        do
        {
            string key = string.Create(CultureInfo.InvariantCulture, $"job-{jobs.Count}");
            jobs.Add(await RunAsync(service, lines, key, cancellationToken));
        } while (!enough.IsCancellationRequested);

        return jobs;
    }

    private static async Task<string> RunAsync(
        ChaosService service,
        IReadOnlyList<string> lines,
        string key,
        CancellationToken cancellationToken
    )
    {
        string job = await service.SubmitAsync(lines, key, cancellationToken);
        while (true)
        {
            try
            {
                if (await service.StateAsync(job, cancellationToken) is "completed" or "failed" or "cancelled")
                {
                    return job;
                }
            }
            catch (NpgsqlException)
            {
                // It is away at the moment.
            }

            await Task.Delay(100, cancellationToken);
        }
    }

    /// <summary>As many as asked for, each kind as often as the others; zero: each once.</summary>
    private static IEnumerable<Fault> Pick(IReadOnlyList<Fault> kinds, int count, Random random)
    {
        List<Fault> possible = [.. kinds.Where(fault => fault.Hindrance is null)];
        random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(possible));
        return Enumerable.Range(0, count == 0 ? possible.Count : count).Select(i => possible[i % possible.Count]);
    }

    private static string Seconds(long since) =>
        Stopwatch.GetElapsedTime(since).TotalSeconds.ToString("F1", CultureInfo.InvariantCulture);
}
