using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Npgsql;
using Seq2Seq.Testing;

namespace Seq2Seq.EndToEnd.Tests.Chaos;

/// <summary>
/// An API and two workers, each a process, on a PostgreSQL that they reach through a proxy: everything that can be disturbed,
/// and what its tables say of it. Tables are looked at past the proxy, as the superuser.
/// </summary>
internal sealed class ChaosService : IAsyncDisposable
{
    private const int WorkerCount = 2;
    private const int MaxConnections = 60;
    private const string Role = "seq2seq";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    private readonly DataFolder _data = new();
    private readonly ChaosOptions _options;
    private readonly NpgsqlDataSource _superuser;
    private readonly int _port;

    private ChaosService(ChaosOptions options, PostgresCluster cluster, int port)
    {
        _options = options;
        _port = port;
        Cluster = cluster;
        Proxy = new TcpProxy(ConnectionString("proxy", port));
        Random = new Random(options.Seed);
        _superuser = NpgsqlDataSource.Create(
            // Without a pool: a connection of before a restart would be none.
            new NpgsqlConnectionStringBuilder(cluster.ConnectionString)
            {
                Database = Role,
                ApplicationName = "chaos",
                Pooling = false,
            }
        );
    }

    /// <summary>Why the database's disk can't be filled here; null when it can.</summary>
    public static string? NoDiskLimit { get; } =
        Environment.IsPrivilegedProcess ? null : "needs root, to mount a small file system";

    public PostgresCluster Cluster { get; }

    public TcpProxy Proxy { get; }

    public Random Random { get; }

    public ServiceProcess Api { get; private set; } = null!;

    public ServiceProcess[] Workers { get; } = new ServiceProcess[WorkerCount];

    /// <summary>Logs of workers that ended though nobody had ended them; they were started again.</summary>
    public List<string> EndedByThemselves { get; } = [];

    public TimeSpan Lease => _options.Lease ?? TimeSpan.FromSeconds(30);

    public static async Task<ChaosService> StartAsync(ChaosOptions options, CancellationToken cancellationToken)
    {
        int port = FreePort.Find();
        PostgresCluster cluster = await PostgresCluster.StartAsync(
            new PostgresClusterOptions
            {
                Port = port,
                IsDurable = true,
                MaxConnections = MaxConnections,
                DiskSize = NoDiskLimit is null ? "256m" : null,
            },
            cancellationToken
        );
        var service = new ChaosService(options, cluster, port);
        await using (var connection = new NpgsqlConnection(cluster.ConnectionString))
        {
            await connection.OpenAsync(cancellationToken);
            foreach (string sql in (string[])[$"CREATE ROLE {Role} LOGIN", $"CREATE DATABASE {Role} OWNER {Role}"])
            {
                await using var command = new NpgsqlCommand(sql, connection);
                await command.ExecuteNonQueryAsync(cancellationToken);
            }
        }

        service.Api = ServiceProcess.Start(service._data.Path, "api", service.Settings("api", "cpu"));
        await service.Api.ReadyAsync(cancellationToken);
        for (int i = 0; i < WorkerCount; i++)
        {
            service.StartWorker(i);
        }

        return service;
    }

    public int PickWorker() => Random.Next(WorkerCount);

    public void StartWorker(int index) =>
        Workers[index] = ServiceProcess.Start(
            _data.Path,
            "worker",
            Settings(WorkerName(index), string.Create(CultureInfo.InvariantCulture, $"cpu:{index}"))
        );

    public async Task KillWorkerAsync(int index)
    {
        await Workers[index].KillAsync();
        await Workers[index].DisposeAsync();
    }

    /// <summary>What a process manager does: starts workers again that have ended.</summary>
    public async Task StartEndedWorkersAsync()
    {
        for (int i = 0; i < WorkerCount; i++)
        {
            if (Workers[i].HasExited)
            {
                EndedByThemselves.Add(Tail(Workers[i].Log));
                await Workers[i].DisposeAsync();
                StartWorker(i);
            }
        }
    }

    /// <summary>Returns when every worker works, so that the next fault finds somebody who takes over.</summary>
    public Task UntilAllWorkAsync(CancellationToken cancellationToken) =>
        UntilAsync(
            async () =>
                (
                    await ReadAsync(
                        "SELECT name FROM slot WHERE state = 'ready' AND split_part(worker_id, ':', 2) = ANY ($1)",
                        row => row.GetString(0),
                        cancellationToken,
                        // Its elements would be taken for parameters.
                        (object)Workers.Select(worker => worker.Id.ToString(CultureInfo.InvariantCulture)).ToArray()
                    )
                ).Count == WorkerCount,
            "every worker works",
            cancellationToken
        );

    public Task RandomMomentAsync(CancellationToken cancellationToken) =>
        Task.Delay(Random.Next(0, 1000), cancellationToken);

    /// <summary>Submits until the service has accepted: with an idempotency key, so that no doubt makes a second job.</summary>
    public async Task<string> SubmitAsync(IReadOnlyList<string> lines, string key, CancellationToken cancellationToken)
    {
        while (true)
        {
            using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n"));
            content.Headers.ContentType = new MediaTypeHeaderValue("text/plain");
            using var request = new HttpRequestMessage(HttpMethod.Post, "jobs?model=english-tts") { Content = content };
            request.Headers.Add("Idempotency-Key", key);
            using HttpResponseMessage response = await Api.Http.SendAsync(request, cancellationToken);
            string body = await response.Content.ReadAsStringAsync(cancellationToken);
            if (response.StatusCode == HttpStatusCode.Accepted)
            {
                return JsonDocument.Parse(body).RootElement.GetProperty("id").GetString()!;
            }

            response.StatusCode.Should().BeOneOf([HttpStatusCode.ServiceUnavailable, HttpStatusCode.Conflict], body);
            await Task.Delay(200, cancellationToken);
        }
    }

    /// <summary>A connection past the proxy, in the database of the service.</summary>
    public ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken) =>
        _superuser.OpenConnectionAsync(cancellationToken);

    /// <summary>One more connection of those that services may have; null when there is none left.</summary>
    public async Task<NpgsqlConnection?> TryTakeConnectionAsync(CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(ConnectionString("chaos", _port)) { Pooling = false }.ConnectionString
        );
        try
        {
            await connection.OpenAsync(cancellationToken);
            return connection;
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.TooManyConnections)
        {
            await connection.DisposeAsync();
            return null;
        }
    }

    /// <summary>Ends every connection of the services.</summary>
    public Task TerminateConnectionsAsync(CancellationToken cancellationToken) =>
        ReadAsync(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1 AND application_name <> 'chaos'",
            row => row.GetBoolean(0),
            cancellationToken,
            Role
        );

    /// <summary>The leases of a worker, alive or not.</summary>
    public Task<IReadOnlyList<Guid>> HeldShardsAsync(int worker, CancellationToken cancellationToken) =>
        ReadAsync(
            "SELECT lease FROM shard WHERE state = 'running' AND split_part(worker, ':', 2) = $1",
            row => row.GetGuid(0),
            cancellationToken,
            Workers[worker].Id.ToString(CultureInfo.InvariantCulture)
        );

    /// <summary>Locks the row of a job that runs; with <paramref name="isLast"/> of one whose last shards do.</summary>
    public static async Task<bool> TryLockBusyJobAsync(
        NpgsqlConnection connection,
        bool isLast,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT FROM job
            WHERE state = 'running' AND EXISTS (SELECT FROM shard WHERE job_id = job.id AND state = 'running')
                AND (NOT $1 OR NOT EXISTS (SELECT FROM shard WHERE job_id = job.id AND state IN ('waiting', 'queued')))
            FOR UPDATE
            """,
            connection
        );
        command.Parameters.Add(new NpgsqlParameter { Value = isLast });
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken);
    }

    /// <summary>A worker that waits for a job's row that somebody else has locked, as it does when it writes results.</summary>
    public async Task<int?> FindWritingAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<string> writing = await ReadAsync(
            """
            SELECT application_name FROM pg_stat_activity
            WHERE wait_event_type = 'Lock' AND query LIKE '%FOR NO KEY UPDATE%' AND application_name LIKE 'worker%'
            ORDER BY query_start
            """,
            row => row.GetString(0),
            cancellationToken
        );
        return writing.Count == 0
            ? null
            : Enumerable.Range(0, WorkerCount).First(index => WorkerName(index) == writing[0]);
    }

    /// <summary>Lines whose lease was lost, counted each time: they are computed once more.</summary>
    public Task<long> LostAsync(CancellationToken cancellationToken) =>
        CountAsync(
            """
            SELECT coalesce(sum((attempts - CASE WHEN state IN ('running', 'done') THEN 1 ELSE 0 END) * lines), 0)::bigint
            FROM shard
            """,
            cancellationToken
        );

    /// <summary>Returns when no lease of these stands any more.</summary>
    /// <returns>The time since; null when there was none.</returns>
    public async Task<TimeSpan?> UntilReleasedAsync(
        IReadOnlyList<Guid> leases,
        long since,
        CancellationToken cancellationToken
    )
    {
        if (leases.Count == 0)
        {
            return null;
        }

        await UntilAsync(
            async () =>
                (
                    await ReadAsync(
                        "SELECT id FROM shard WHERE lease = ANY ($1)",
                        row => row.GetInt64(0),
                        cancellationToken,
                        leases.ToArray()
                    )
                ).Count == 0,
            "others have taken the leases",
            cancellationToken
        );
        return Stopwatch.GetElapsedTime(since);
    }

    /// <summary>Returns when more lines are done than now.</summary>
    public async Task<TimeSpan?> UntilProgressAsync(CancellationToken cancellationToken)
    {
        const string done = "SELECT coalesce(sum(lines_done), 0)::bigint FROM job";
        long start = Stopwatch.GetTimestamp();
        long before = await CountAsync(done, cancellationToken);
        await UntilAsync(
            async () => await CountAsync(done, cancellationToken) > before,
            "lines are done again",
            cancellationToken
        );
        return Stopwatch.GetElapsedTime(start);
    }

    public async Task<string> StateAsync(string job, CancellationToken cancellationToken) =>
        (
            await ReadAsync(
                "SELECT state FROM job WHERE id = $1",
                row => row.GetString(0),
                cancellationToken,
                Guid.Parse(job)
            )
        )[0];

    public async Task UntilAsync(Func<Task<bool>> condition, string what, CancellationToken cancellationToken)
    {
        var waited = Stopwatch.StartNew();
        while (!await HoldsAsync(condition))
        {
            if (waited.Elapsed > Patience)
            {
                string tables = await DescribeAsync(cancellationToken);
                throw new TimeoutException($"Not within {Patience}: {what}.\n{tables}\n{Logs()}");
            }

            await Task.Delay(Interval, cancellationToken);
        }
    }

    public string Logs() =>
        string.Join(
            '\n',
            Workers
                .Select((worker, index) => $"== {WorkerName(index)} ({worker.Id})\n{Tail(worker.Log)}")
                .Append(Tail(Api.Log))
        );

    // What waits, what runs, who holds whom up.
    private async Task<string> DescribeAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<string> rows = await ReadAsync(
            """
            SELECT 'at ' || now()
            UNION ALL
            SELECT 'job ' || id || ' ' || state || ' ' || lines_done || '/' || lines || ' ' || coalesce(error_code, '')
            FROM job WHERE finished_at IS NULL
            UNION ALL
            SELECT 'shard ' || shard.id || ' ' || shard.state || ' ' || attempts || ' ' || coalesce(worker, '') || ' until '
                || coalesce(lease_until::text, '') || ' not before ' || coalesce(not_before::text, '') || ' queued '
                || coalesce(queued_at::text, '') || ' Hangfire ' || coalesce(hangfire_job_id, '') || ' '
                || coalesce(jobqueue.queue, '') || ' fetched ' || coalesce(jobqueue.fetchedat::text, '')
            FROM shard LEFT JOIN hangfire.jobqueue ON jobqueue.jobid::text = shard.hangfire_job_id
            WHERE shard.state IN ('waiting', 'queued', 'running')
            UNION ALL
            SELECT 'slot ' || slot.worker_id || ' ' || slot.state || ' ' || slot_model.state || ' ' || heartbeat_at
            FROM slot JOIN worker ON worker.id = slot.worker_id JOIN slot_model ON slot_model.worker_id = slot.worker_id
            UNION ALL
            SELECT 'session ' || pid || ' ' || application_name || ' ' || state || ' since ' || state_change || ' '
                || coalesce(wait_event_type || ' ' || wait_event, '') || ' behind ' || pg_blocking_pids(pid)::text || ' '
                || left(regexp_replace(query, '\s+', ' ', 'g'), 100)
            FROM pg_stat_activity WHERE usename = $1 AND application_name <> 'chaos'
            """,
            row => row.IsDBNull(0) ? "" : row.GetString(0),
            cancellationToken,
            Role
        );
        return string.Join('\n', rows);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ServiceProcess process in Workers.Append(Api))
        {
            if (process is { HasExited: false })
            {
                await process.KillAsync();
            }

            if (process is not null)
            {
                await process.DisposeAsync();
            }
        }

        await Proxy.DisposeAsync();
        await _superuser.DisposeAsync();
        await Cluster.DisposeAsync();
        _data.Dispose();
    }

    private static string WorkerName(int index) => string.Create(CultureInfo.InvariantCulture, $"worker {index}");

    private static string Tail(string log) => string.Join('\n', log.Split('\n').TakeLast(40));

    private static string ConnectionString(string application, int port) =>
        $"Host=127.0.0.1;Port={port};Username={Role};Database={Role};Application Name={application}";

    private Dictionary<string, string> Settings(string application, string device)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["ConnectionStrings__Jobs"] = ConnectionString(application, Proxy.Port),
            ["Slots__0__Device"] = device,
            ["Slots__0__Threads"] = "1",
            // Small shards: much can go wrong in little time. A shard that meets many faults in a row is not to blame.
            ["Jobs__ShardLines"] = "40",
            ["Jobs__MaxAttempts"] = "100",
            ["Jobs__RetryDelay"] = "00:00:00.100",
        };
        if (_options.Lease is { } lease)
        {
            settings["Jobs__Lease"] = lease.ToString("c", CultureInfo.InvariantCulture);
        }

        return settings;
    }

    // The database may be away while it is asked.
    private async Task<bool> HoldsAsync(Func<Task<bool>> condition)
    {
        await StartEndedWorkersAsync();
        try
        {
            return await condition();
        }
        catch (NpgsqlException exception) when (!IsMistake(exception))
        {
            return false;
        }
    }

    // A statement that PostgreSQL does not understand will not be understood later either.
    private static bool IsMistake(NpgsqlException exception) =>
        exception.SqlState is { } state
        && (state == PostgresErrorCodes.ProtocolViolation || state.StartsWith("42", StringComparison.Ordinal));

    private async Task<long> CountAsync(string sql, CancellationToken cancellationToken) =>
        (await ReadAsync(sql, row => row.GetInt64(0), cancellationToken))[0];

    private async Task<IReadOnlyList<T>> ReadAsync<T>(
        string sql,
        Func<NpgsqlDataReader, T> read,
        CancellationToken cancellationToken,
        params object[] parameters
    )
    {
        await using NpgsqlConnection connection = await OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (object parameter in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        }

        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken);
        List<T> rows = [];
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(read(reader));
        }

        return rows;
    }
}
