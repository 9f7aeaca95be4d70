using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Hangfire;
using Hangfire.PostgreSql;
using Hangfire.PostgreSql.Factories;
using Seq2Seq.Bench.Measuring;
using Seq2Seq.Testing;

namespace Seq2Seq.Bench.Scheduling;

/// <summary>
/// Hangfire on PostgreSQL as it comes: its own options, server and queue, and jobs that do nothing. What ours is built on,
/// beside ours.
/// </summary>
internal static class PlainHangfire
{
    private const int Clients = 8;

    // In another process's queue a job waits for the next poll: some seconds each.
    private static readonly TimeSpan _apart = TimeSpan.FromSeconds(1);

    // A schema of its own: the database has ours already.
    private static readonly PostgreSqlStorageOptions _options = new() { SchemaName = "plain" };

    private static readonly ConcurrentDictionary<int, TaskCompletionSource<long>> _started = new();

    /// <summary>Measures it in a process of its own: what Hangfire keeps for the whole process stays as it comes.</summary>
    /// <param name="server">The same server as ours.</param>
    /// <param name="latencies">Jobs whose latency is taken in one process; of another's, a tenth.</param>
    /// <param name="jobs">Jobs whose rates are taken.</param>
    /// <param name="output">Where the lines go.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    public static async Task RunAsync(
        PostgresServer server,
        int latencies,
        int jobs,
        TextWriter output,
        CancellationToken cancellationToken
    )
    {
        string database = await server.CreateDatabaseAsync(cancellationToken);
        await output.WriteAsync(
            await ChildProcess.RunAsync(
                ChildProcess.Bench,
                ["plain-hangfire", database, Text(latencies), Text(jobs)],
                cancellationToken
            )
        );
        await server.DropDatabaseAsync(database, cancellationToken);
    }

    /// <summary>Works in this process.</summary>
    public static async Task WorkAsync(
        string database,
        int latencies,
        int jobs,
        TextWriter output,
        CancellationToken cancellationToken
    )
    {
        PostgreSqlStorage storage = Open(database);
        BackgroundJobClient client = new(storage);
        int half = jobs / 2;
        double alone = Enqueue(client, 0, half, clients: 1);
        double together = Enqueue(client, half, jobs, Clients);
        long before = Stopwatch.GetTimestamp();
        using (BackgroundJobServer worker = new(new BackgroundJobServerOptions(), storage))
        {
            await Task.WhenAll(Enumerable.Range(0, jobs).Select(Started)).WaitAsync(cancellationToken);
            double worked = jobs / Stopwatch.GetElapsedTime(before).TotalSeconds;
            await output.WriteLineAsync(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"plain Hangfire: {jobs} empty jobs: enqueued {alone:F0}/s by one thread, {together:F0}/s by {Clients}; worked {worked:F0}/s"
                )
            );
            Sample same = new();
            for (int i = jobs; i < jobs + latencies; i++)
            {
                int number = i;
                client.Enqueue(() => Run(number));
                long accepted = Stopwatch.GetTimestamp();
                same.Add(Stopwatch.GetElapsedTime(accepted, await Started(i)).TotalSeconds);
                await Task.Delay(10, cancellationToken);
            }

            await output.WriteLineAsync(Describe("same process", same));
            int first = jobs + latencies;
            int count = Math.Max(1, latencies / 10);
            long[] others = await ChildProcess.RunAsync<long[]>(
                ChildProcess.Bench,
                ["enqueue", database, Text(first), Text(count)],
                cancellationToken
            );
            Sample other = new();
            for (int i = 0; i < count; i++)
            {
                other.Add(Stopwatch.GetElapsedTime(others[i], await Started(first + i)).TotalSeconds);
            }

            await output.WriteLineAsync(Describe("enqueued by another process", other));
            worker.SendStop();
            await worker.WaitForShutdownAsync(cancellationToken);
        }

        await output.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"plain Hangfire: a dead worker's job is handed out again after its InvisibilityTimeout, {_options.InvisibilityTimeout.TotalMinutes:F0} min (not waited for)"
            )
        );
    }

    /// <summary>The other process: enqueues jobs one by one, and prints when each was accepted.</summary>
    public static async Task EnqueueAsync(
        string database,
        int first,
        int count,
        TextWriter output,
        CancellationToken cancellationToken
    )
    {
        BackgroundJobClient client = new(Open(database));
        long[] accepted = new long[count];
        for (int i = 0; i < count; i++)
        {
            int number = first + i;
            client.Enqueue(() => Run(number));
            // The system's monotonic clock, which all processes share.
            accepted[i] = Stopwatch.GetTimestamp();
            await Task.Delay(_apart, cancellationToken);
        }

        await output.WriteLineAsync(JsonSerializer.Serialize(accepted));
    }

    /// <summary>The job. Public, because Hangfire calls it.</summary>
    public static void Run(int number) =>
        _started.GetOrAdd(number, _ => NewStart()).TrySetResult(Stopwatch.GetTimestamp());

    private static double Enqueue(BackgroundJobClient client, int first, int end, int clients)
    {
        long started = Stopwatch.GetTimestamp();
        Parallel.For(
            first,
            end,
            new ParallelOptions { MaxDegreeOfParallelism = clients },
            number => client.Enqueue(() => Run(number))
        );
        return (end - first) / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static PostgreSqlStorage Open(string database) =>
        new(new NpgsqlConnectionFactory(database, _options), _options);

    private static string Describe(string what, Sample starting) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"plain Hangfire, {what}: accepted to started p50 {1000 * starting.Median:F1} ms, p99 {1000 * starting.Quantile(0.99):F1} ms"
        );

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static Task<long> Started(int number) => _started.GetOrAdd(number, _ => NewStart()).Task;

    private static TaskCompletionSource<long> NewStart() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
