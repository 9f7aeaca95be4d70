using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Seq2Seq.Bench.Measuring;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Jobs;
using Seq2Seq.Jobs.Execution;
using Seq2Seq.Jobs.Scheduling;
using Seq2Seq.Jobs.Storage;
using Seq2Seq.Jobs.Submission;
using Seq2Seq.Testing;

namespace Seq2Seq.Bench.Scheduling;

/// <summary>
/// What running shards costs apart from the model: the time from an accepted job to the start of its work, trivial shards a
/// second, and what an idle service does. The model answers at once. Uses the server that SEQ2SEQ_TEST_POSTGRES names, or a
/// private one without durability.
/// </summary>
internal static class SchedulingBenchmark
{
    private const string Model = "echo";
    private const int Clients = 8;

    // A backend reports what it has done within ten idle seconds.
    private static readonly TimeSpan _reportingTime = TimeSpan.FromSeconds(12);

    /// <param name="jobs">Jobs whose latency is taken; a fifth as many go before.</param>
    /// <param name="shards">Shards whose rate is taken.</param>
    /// <param name="idle">How long the idle service is watched.</param>
    /// <param name="output">Where the lines go.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    public static async Task RunAsync(
        int jobs,
        int shards,
        TimeSpan idle,
        TextWriter output,
        CancellationToken cancellationToken
    )
    {
        await using var server = new PostgresServer();
        string database = await server.CreateDatabaseAsync(cancellationToken);
        var echo = new Echo();
        using (var api = await StartAsync(database, echo, workers: false, cancellationToken))
        {
            await SubmitAsync(api, shards, output, cancellationToken);
            await api.StopAsync(cancellationToken);
        }

        using (var worker = await StartAsync(database, echo, workers: true, cancellationToken))
        {
            await MeasureJobsAsync(database, shards, output, cancellationToken);
            await MeasureLatencyAsync("same process", worker, echo, jobs, output, cancellationToken);
            using (var api = await StartAsync(database, echo, workers: false, cancellationToken))
            {
                await MeasureLatencyAsync("submitted by another service", api, echo, jobs, output, cancellationToken);
                await api.StopAsync(cancellationToken);
            }

            await MeasureThroughputAsync(worker, shards, output, cancellationToken);
            await MeasureIdleAsync(database, idle, output, cancellationToken);
            await worker.StopAsync(cancellationToken);
        }

        await server.DropDatabaseAsync(database, cancellationToken);
        await PlainHangfire.RunAsync(server, jobs, shards, output, cancellationToken);
    }

    // Nobody works on them yet.
    private static async Task SubmitAsync(IHost api, int jobs, TextWriter output, CancellationToken cancellationToken)
    {
        var submitter = api.Services.GetRequiredService<JobSubmitter>();
        int half = jobs / 2;
        double alone = await SubmitAsync(0, half, clients: 1);
        double together = await SubmitAsync(half, jobs, Clients);
        await output.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{jobs} jobs of one line: submitted {alone:F0}/s by one client, {together:F0}/s by {Clients}"
            )
        );

        async Task<double> SubmitAsync(int first, int end, int clients)
        {
            long start = Stopwatch.GetTimestamp();
            await Parallel.ForAsync(
                first,
                end,
                new ParallelOptions { MaxDegreeOfParallelism = clients, CancellationToken = cancellationToken },
                async (i, token) =>
                    await submitter.SubmitAsync(
                        new JobRequest { Model = Model },
                        Lines([string.Create(CultureInfo.InvariantCulture, $"job {i}")]),
                        token
                    )
            );
            return (end - first) / Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }

    // From the first start to the last end, as the tables have them.
    private static async Task MeasureJobsAsync(
        string database,
        int jobs,
        TextWriter output,
        CancellationToken cancellationToken
    )
    {
        await using var dataSource = NpgsqlDataSource.Create(database);
        await using var command = dataSource.CreateCommand(
            "SELECT extract(epoch FROM max(finished_at) - min(started_at))::float8 FROM job HAVING bool_and(finished_at IS NOT NULL)"
        );
        object? seconds;
        while ((seconds = await command.ExecuteScalarAsync(cancellationToken)) is null)
        {
            await Task.Delay(100, cancellationToken);
        }

        await output.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{jobs} jobs of one line: worked {jobs / (double)seconds:F0}/s"
            )
        );
    }

    private static async Task MeasureLatencyAsync(
        string what,
        IHost host,
        Echo echo,
        int jobs,
        TextWriter output,
        CancellationToken cancellationToken
    )
    {
        var submitter = host.Services.GetRequiredService<JobSubmitter>();
        var submitting = new Sample();
        var starting = new Sample();
        for (int i = -jobs / 5; i < jobs; i++)
        {
            string text = string.Create(CultureInfo.InvariantCulture, $"{what} {i}");
            var started = echo.Expect(text);
            long before = Stopwatch.GetTimestamp();
            await submitter.SubmitAsync(new JobRequest { Model = Model }, Lines([text]), cancellationToken);
            long accepted = Stopwatch.GetTimestamp();
            long start = await started;
            if (i >= 0)
            {
                submitting.Add(Stopwatch.GetElapsedTime(before, accepted).TotalSeconds);
                starting.Add(Stopwatch.GetElapsedTime(accepted, start).TotalSeconds);
            }

            // The next finds an idle service.
            await Task.Delay(10, cancellationToken);
        }

        await output.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{what}: submit {1000 * submitting.Median:F1} ms; accepted to started p50 {1000 * starting.Median:F1} ms, p99 {1000 * starting.Quantile(0.99):F1} ms"
            )
        );
    }

    private static async Task MeasureThroughputAsync(
        IHost host,
        int shards,
        TextWriter output,
        CancellationToken cancellationToken
    )
    {
        var submitter = host.Services.GetRequiredService<JobSubmitter>();
        var directory = host.Services.GetRequiredService<JobDirectory>();
        var lines = Enumerable.Range(0, shards).Select(i => i.ToString(CultureInfo.InvariantCulture));
        var submitted = await submitter.SubmitAsync(new JobRequest { Model = Model }, Lines(lines), cancellationToken);
        long start = Stopwatch.GetTimestamp();
        var job = await directory.WaitAsync(submitted.Job.Id, TimeSpan.FromMinutes(5), cancellationToken);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        await output.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{job!.ShardsDone} shards of one line: {job.ShardsDone / seconds:F0} shards/s"
            )
        );
    }

    private static async Task MeasureIdleAsync(
        string database,
        TimeSpan idle,
        TextWriter output,
        CancellationToken cancellationToken
    )
    {
        await using var dataSource = NpgsqlDataSource.Create(database);
        await Task.Delay(idle < _reportingTime ? idle : _reportingTime, cancellationToken);
        using var process = Process.GetCurrentProcess();
        var cpu = process.TotalProcessorTime;
        long before = await CountTransactionsAsync(dataSource, cancellationToken);
        await Task.Delay(idle, cancellationToken);
        long after = await CountTransactionsAsync(dataSource, cancellationToken);
        process.Refresh();
        double busy = (process.TotalProcessorTime - cpu).TotalSeconds / idle.TotalSeconds;
        await output.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"idle: {(after - before) / idle.TotalSeconds:F1} transactions/s, {100 * busy:F2} % of a core"
            )
        );
    }

    private static async Task<long> CountTransactionsAsync(
        NpgsqlDataSource dataSource,
        CancellationToken cancellationToken
    )
    {
        await using var command = dataSource.CreateCommand(
            "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
        );
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task<IHost> StartAsync(
        string database,
        Echo echo,
        bool workers,
        CancellationToken cancellationToken
    )
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(
            new Dictionary<string, string?>(StringComparer.Ordinal)
            {
                [$"Models:{Model}:Folder"] = "none",
                ["Slots:0:Device"] = "cpu:0",
                ["Slots:1:Device"] = "cpu:1",
                ["Jobs:ShardLines"] = "1",
            }
        );
        builder.Services.AddSingleton(JobsDataSource.Create(database, loggerFactory: null));
        builder.Services.AddSingleton<LoadModel>((options, _) => echo.Load(options));
        builder.Services.AddJobs();
        if (workers)
        {
            builder.Services.AddJobWorkers();
        }

        var host = builder.Build();
        await host.StartAsync(cancellationToken);
        while (workers && !host.Services.GetRequiredService<WorkerReadiness>().IsReady)
        {
            await Task.Delay(10, cancellationToken);
        }

        return host;
    }

    private static async IAsyncEnumerable<SourceLine> Lines(IEnumerable<string> texts)
    {
        foreach (string text in texts)
        {
            yield return new SourceLine { Text = text };
        }

        await Task.CompletedTask;
    }

    /// <summary>A model that answers each line with itself, and says when it was asked.</summary>
    private sealed class Echo
    {
        private readonly ConcurrentDictionary<string, TaskCompletionSource<long>> _expected = new(
            StringComparer.Ordinal
        );

        public Task<long> Expect(string text) =>
            _expected
                .GetOrAdd(text, _ => new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously))
                .Task;

        public LoadedModel Load(ModelLoadOptions options) =>
            new(
                new LoadReport
                {
                    Model = options.Name,
                    Folder = options.Folder,
                    Outcome = LoadOutcome.Loaded,
                    Tries = [],
                },
                GenerateAsync,
                () => ValueTask.CompletedTask
            );

        private Task<IReadOnlyList<SequenceResult>> GenerateAsync(
            IReadOnlyList<SequenceInput> inputs,
            GenerationParameters parameters,
            CancellationToken cancellationToken
        )
        {
            long now = Stopwatch.GetTimestamp();
            foreach (var input in inputs)
            {
                if (_expected.TryRemove(input.Text!, out var expected))
                {
                    expected.SetResult(now);
                }
            }

            IReadOnlyList<SequenceResult> results = [.. inputs.Select(_ => new SequenceResult())];
            return Task.FromResult(results);
        }
    }
}
