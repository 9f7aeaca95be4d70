using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using Npgsql;
using Seq2Seq.Bench.Reporting;
using Seq2Seq.Bench.Service;
using Seq2Seq.Bench.Store;
using Seq2Seq.Bench.Workloads;
using Seq2Seq.Testing;

namespace Seq2Seq.Bench.Scale;

/// <summary>
/// A job on workers that stand for machines, each in a network namespace of its own and on one core, with the API and PostgreSQL
/// in another place. A second one joins while the job runs, then the first is killed: what a machine brings, and what is lost
/// with it. On the bundled model.
/// </summary>
internal sealed class MachinesBenchmark : IBenchmark
{
    // A fifth of the usual, so that rates are not counted in thousands.
    private const int LinesPerShard = 200;

    private const string Database = "seq2seq";

    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(50);

    public string Id => "machines";

    public string Title => "A machine joins a running job, another is lost";

    public async Task<BenchmarkSection> RunAsync(BenchmarkContext context, CancellationToken cancellationToken)
    {
        int[] cores = Cores();
        if ((SeparateMachine.Hindrance ?? (cores.Length < 2 ? "Two machines need two cores." : null)) is { } hindrance)
        {
            throw new UnavailableException(hindrance);
        }

        using SeparateMachine first = new(1, cores[0]);
        using SeparateMachine second = new(2, cores[1]);
        int port = FreePort.Find();
        await using PostgresCluster cluster = await PostgresCluster.StartAsync(
            new PostgresClusterOptions
            {
                Port = port,
                Addresses = ["127.0.0.1", first.Gateway, second.Gateway],
                Network = SeparateMachine.Network,
            },
            cancellationToken
        );
        await using NpgsqlDataSource database = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(cluster.ConnectionString) { Database = Database, MaxPoolSize = 1 }
        );
        await using ServiceRun api = await ServiceRun.StartAsync(
            new ServiceRunOptions { Role = "api", Settings = Settings("127.0.0.1") },
            cancellationToken
        );
        await using ServiceRun lost = await StartWorkerAsync(first);
        string job = await SubmitAsync(api, context.Scale.MachineLines, cancellationToken);
        WorkedShards shards = new(database, Guid.Parse(job));
        // Its first results: it is warm.
        await UntilAsync(lost, () => shards.AnyOfAsync(lost.ProcessId, cancellationToken));

        context.Progress("one machine");
        Phase alone = await WatchAsync("one machine", lost);

        context.Progress("a second joins");
        long started = Stopwatch.GetTimestamp();
        await using ServiceRun joined = await StartWorkerAsync(second);
        await UntilAsync(joined, () => shards.AnyOfAsync(joined.ProcessId, cancellationToken));
        double joining = Stopwatch.GetElapsedTime(started).TotalSeconds;
        Phase together = await WatchAsync("a second has joined", joined);

        context.Progress("the first is killed");
        DateTimeOffset killed = Now();
        await lost.KillAsync(cancellationToken);
        long held = await shards.HeldLinesAsync(lost.ProcessId, cancellationToken);
        await UntilAsync(joined, async () => await shards.HeldLinesAsync(lost.ProcessId, cancellationToken) == 0);
        Phase orphaned = new("the first is killed: until its leases are taken away", killed, Now());
        await UntilAsync(joined, () => shards.AreLostDoneAsync(cancellationToken));
        double again = (Now() - killed).TotalSeconds;
        Phase left = await WatchAsync("after that", joined);

        long inOrder = await ReadAsync(api, job, cancellationToken);
        WorkedLines lines = await shards.LinesAsync(cancellationToken);
        using HttpResponseMessage cancelled = await api.Http.PostAsync(
            new Uri($"jobs/{job}/cancel", UriKind.Relative),
            content: null,
            cancellationToken
        );
        cancelled.EnsureSuccessStatusCode();

        List<IReadOnlyList<string>> rows = [];
        double one = await RateAsync(alone);
        foreach ((Phase phase, int machines) in new[] { (alone, 1), (together, 2), (orphaned, 1), (left, 1) })
        {
            double rate = await RateAsync(phase);
            rows.Add([
                phase.Name,
                machines.ToString(CultureInfo.InvariantCulture),
                phase.Seconds.ToString("F1", CultureInfo.InvariantCulture),
                rate.ToString("F0", CultureInfo.InvariantCulture),
                (rate / one).ToString("F2", CultureInfo.InvariantCulture),
                (await shards.LongestPauseAsync(phase.From, phase.To, cancellationToken)).TotalSeconds.ToString(
                    "F1",
                    CultureInfo.InvariantCulture
                ),
            ]);
        }

        return new BenchmarkSection
        {
            Id = Id,
            Title = Title,
            Tables =
            [
                new ResultTable(
                    ["", "machines", "s", "lines/s", "× one machine", "longest without a shard done, s"],
                    rows
                ),
                new ResultTable(
                    [
                        "from the second's start to its first results, s",
                        "lines in the leases that were lost",
                        "lines computed again",
                        "leases taken away after, s",
                        "their lines done after, s",
                        "lines done",
                        "results read in order, without a gap",
                    ],
                    [
                        [
                            joining.ToString("F1", CultureInfo.InvariantCulture),
                            held.ToString(CultureInfo.InvariantCulture),
                            lines.Again.ToString(CultureInfo.InvariantCulture),
                            orphaned.Seconds.ToString("F1", CultureInfo.InvariantCulture),
                            again.ToString("F1", CultureInfo.InvariantCulture),
                            lines.Done.ToString(CultureInfo.InvariantCulture),
                            inOrder.ToString(CultureInfo.InvariantCulture),
                        ],
                    ]
                ),
            ],
            Notes =
            [
                $"A worker has one core ({string.Join(" and ", cores[..2])}); PostgreSQL, the API and this program share all {cores.Length} with them.",
                $"Shards of {LinesPerShard} lines, `Jobs:Lease` {context.Scale.MachineLeaseSeconds} s. A rate counts the lines of shards that were done in the time. Lines computed again are those of every lease that was not the last on its shard, whether they had been computed or only begun.",
            ],
        };

        Dictionary<string, string> Settings(string host) =>
            new(StringComparer.Ordinal)
            {
                ["ConnectionStrings__Jobs"] = new NpgsqlConnectionStringBuilder(cluster.ConnectionString)
                {
                    Host = host,
                    Database = Database,
                }.ConnectionString,
                ["Jobs__ShardLines"] = LinesPerShard.ToString(CultureInfo.InvariantCulture),
                ["Jobs__Lease"] = TimeSpan.FromSeconds(context.Scale.MachineLeaseSeconds).ToString(),
            };

        Task<ServiceRun> StartWorkerAsync(SeparateMachine machine) =>
            ServiceRun.StartAsync(
                new ServiceRunOptions
                {
                    Role = ServiceRunOptions.Worker,
                    Settings = Settings(machine.Gateway),
                    Launcher = machine.Launcher,
                },
                cancellationToken
            );

        async Task UntilAsync(ServiceRun worker, Func<Task<bool>> condition)
        {
            while (!await condition())
            {
                worker.ShouldRun();
                await shards.ShouldLastAsync(cancellationToken);
                await Task.Delay(_look, cancellationToken);
            }
        }

        // So long, and until there is something to count.
        async Task<Phase> WatchAsync(string name, ServiceRun worker)
        {
            DateTimeOffset from = Now();
            await Task.Delay(TimeSpan.FromSeconds(context.Scale.MachineSeconds), cancellationToken);
            await UntilAsync(worker, async () => await shards.LinesDoneAsync(from, Now(), cancellationToken) > 0);
            return new Phase(name, from, Now());
        }

        async Task<double> RateAsync(Phase phase) =>
            await shards.LinesDoneAsync(phase.From, phase.To, cancellationToken) / phase.Seconds;
    }

    private static DateTimeOffset Now() => TimeProvider.System.GetUtcNow();

    // Those that this process may run on, by number.
    private static int[] Cores()
    {
        using Process self = Process.GetCurrentProcess();
        nint mask = OperatingSystem.IsLinux() ? self.ProcessorAffinity : 0;
        return [.. Enumerable.Range(0, nint.Size * 8).Where(core => (mask >> core & 1) != 0)];
    }

    private static Task<string> SubmitAsync(ServiceRun api, int lines, CancellationToken cancellationToken)
    {
        StreamContent content = new(
            new NumberedLines(lines, i => string.Create(CultureInfo.InvariantCulture, $"phonemize: fox{i}"))
        );
        content.Headers.ContentType = new MediaTypeHeaderValue("text/plain");
        return JobOverHttp.SubmitAsync(
            api.Http,
            $"jobs?model={BenchmarkFiles.BundledModel}",
            content,
            cancellationToken
        );
    }

    private static async Task<long> ReadAsync(ServiceRun api, string job, CancellationToken cancellationToken)
    {
        await using Stream results = await api.Http.GetStreamAsync(
            new Uri($"jobs/{job}/results?format=jsonl", UriKind.Relative),
            cancellationToken
        );
        return await JobOverHttp.CountAsync(results, 0, cancellationToken);
    }

    /// <summary>A time with as many machines as it says.</summary>
    private sealed record Phase(string Name, DateTimeOffset From, DateTimeOffset To)
    {
        public double Seconds => (To - From).TotalSeconds;
    }
}
