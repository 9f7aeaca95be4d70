using System.Globalization;
using Npgsql;

namespace Seq2Seq.Bench.Scale;

/// <summary>What the tables say of a job's shards: which worker has them, and when their lines were done.</summary>
internal sealed class WorkedShards(NpgsqlDataSource database, Guid job)
{
    // A worker's id is host:pid:guid.
    private const string OfProcess = "split_part(worker, ':', 2) = $2";

    /// <summary>Whether a worker's process has done any.</summary>
    public Task<bool> AnyOfAsync(int process, CancellationToken cancellationToken) =>
        ReadAsync<bool>(
            $"SELECT EXISTS (SELECT FROM shard WHERE job_id = $1 AND state = 'done' AND {OfProcess})",
            cancellationToken,
            Text(process)
        );

    /// <summary>Lines of the shards that a worker's process holds leases on, alive or not.</summary>
    public Task<long> HeldLinesAsync(int process, CancellationToken cancellationToken) =>
        ReadAsync<long>(
            $"SELECT coalesce(sum(lines), 0) FROM shard WHERE job_id = $1 AND state = 'running' AND {OfProcess}",
            cancellationToken,
            Text(process)
        );

    /// <summary>Whether every shard whose lease was lost is done all the same.</summary>
    public Task<bool> AreLostDoneAsync(CancellationToken cancellationToken) =>
        ReadAsync<bool>(
            """
            SELECT NOT EXISTS (
                SELECT FROM shard
                WHERE job_id = $1 AND state <> 'done' AND attempts > CASE WHEN state = 'running' THEN 1 ELSE 0 END
            )
            """,
            cancellationToken
        );

    /// <summary>Lines of shards that were done in a time.</summary>
    public Task<long> LinesDoneAsync(DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken) =>
        ReadAsync<long>(
            "SELECT coalesce(sum(lines), 0) FROM shard WHERE job_id = $1 AND finished_at > $2 AND finished_at <= $3",
            cancellationToken,
            from,
            to
        );

    /// <summary>The longest time in which none was done.</summary>
    public async Task<TimeSpan> LongestPauseAsync(
        DateTimeOffset from,
        DateTimeOffset to,
        CancellationToken cancellationToken
    ) =>
        await ReadAsync<TimeSpan>(
            """
            SELECT max(pause) FROM (
                SELECT at - lag(at) OVER (ORDER BY at) AS pause FROM (
                    SELECT finished_at AS at FROM shard WHERE job_id = $1 AND finished_at > $2 AND finished_at <= $3
                    UNION ALL SELECT $2
                    UNION ALL SELECT $3
                ) AS done
            ) AS pauses
            """,
            cancellationToken,
            from,
            to
        );

    public async Task<WorkedLines> LinesAsync(CancellationToken cancellationToken) =>
        new(
            await ReadAsync<long>("SELECT lines_done FROM job WHERE id = $1", cancellationToken),
            await ReadAsync<long>(
                """
                SELECT coalesce(sum((attempts - CASE WHEN state IN ('running', 'done') THEN 1 ELSE 0 END) * lines), 0)
                FROM shard WHERE job_id = $1
                """,
                cancellationToken
            )
        );

    /// <exception cref="InvalidOperationException">The job has ended: there is nothing to watch any more.</exception>
    public async Task ShouldLastAsync(CancellationToken cancellationToken)
    {
        string state = await ReadAsync<string>("SELECT state FROM job WHERE id = $1", cancellationToken);
        if (state is not ("queued" or "running"))
        {
            throw new InvalidOperationException($"The job is {state} before everything was measured.");
        }
    }

    private async Task<T> ReadAsync<T>(string sql, CancellationToken cancellationToken, params object[] parameters)
    {
        await using NpgsqlCommand command = database.CreateCommand(sql);
        foreach (object parameter in (object[])[job, .. parameters])
        {
            command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        }

        return (T)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static string Text(int process) => process.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Lines of a job.</summary>
/// <param name="Done">Those that have a result.</param>
/// <param name="Again">Those of leases that were not the last on their shard, counted each time.</param>
internal sealed record WorkedLines(long Done, long Again);
