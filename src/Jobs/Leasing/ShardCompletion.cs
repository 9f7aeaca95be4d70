using Npgsql;
using NpgsqlTypes;
using Seq2Seq.Jobs.Scheduling;

namespace Seq2Seq.Jobs.Leasing;

/// <summary>
/// Writes a shard's results and moves its job's counters in one transaction, with the lease as fence: a second runner, a
/// zombie after a pause and a repeated delivery write nothing. The last shard completes its job.
/// </summary>
internal sealed class ShardCompletion(NpgsqlDataSource dataSource)
{
    /// <summary>The job's row comes before its shards': see <see cref="ShardLeases"/>.</summary>
    internal const string LockJob = "SELECT FROM job WHERE id = $1 FOR NO KEY UPDATE";

    private const string Complete = """
        WITH done AS (
            UPDATE shard
            SET state = 'done', lease = NULL, lease_until = NULL, finished_at = clock_timestamp(),
                error_code = $7, error_message = $8, input = CASE WHEN $5 > 0 THEN input END
            WHERE id = $2 AND job_id = $1 AND lease = $3
            RETURNING job_id, first_line, lines, attempts, answered, finished_at
        ),
        stored AS (
            INSERT INTO shard_result (job_id, first_line, load_id, lines, failed, attempts, output)
            SELECT job_id, first_line, $4, lines, $5, attempts, $6 FROM done
            -- What an earlier run gave.
            ON CONFLICT (job_id, first_line) DO UPDATE
            SET load_id = excluded.load_id, created_at = excluded.created_at, lines = excluded.lines,
                failed = excluded.failed, attempts = excluded.attempts, output = excluded.output
        ),
        counted AS (
            UPDATE job
            SET lines_done = job.lines_done + done.lines - done.answered,
                lines_failed = job.lines_failed + $5,
                shards_done = job.shards_done + 1,
                state = CASE
                    WHEN job.shards_done + 1 = job.shards THEN 'completed'
                    WHEN job.state = 'paused' THEN 'paused'
                    ELSE 'running'
                END,
                started_at = coalesce(job.started_at, done.finished_at),
                finished_at = CASE WHEN job.shards_done + 1 = job.shards THEN done.finished_at END,
                expires_at = CASE WHEN job.shards_done + 1 = job.shards THEN done.finished_at + job.retention END
            FROM done
            WHERE job.id = done.job_id
            RETURNING job.id, job.state
        )
        SELECT CASE WHEN state = 'completed' THEN pg_notify($9, id::text)::text END FROM counted
        """;

    /// <returns>False when the lease is gone; nothing was written then.</returns>
    public async Task<bool> CompleteAsync(LeasedShard shard, ShardOutcome outcome, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        // The batch is one transaction.
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand(LockJob) { Parameters = { new NpgsqlParameter<Guid> { TypedValue = shard.JobId } } }
        );
        batch.BatchCommands.Add(Command(shard.JobId, shard.ShardId, shard.Token, outcome));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken);
    }

    /// <summary>The statement, for a transaction that has locked the job's row.</summary>
    internal static NpgsqlBatchCommand Command(Guid jobId, long shardId, Guid token, ShardOutcome outcome) =>
        new(Complete)
        {
            Parameters =
            {
                new NpgsqlParameter<Guid> { TypedValue = jobId },
                new NpgsqlParameter<long> { TypedValue = shardId },
                new NpgsqlParameter<Guid> { TypedValue = token },
                new NpgsqlParameter<long?> { TypedValue = outcome.LoadId },
                new NpgsqlParameter<int> { TypedValue = outcome.Failed },
                new NpgsqlParameter<ReadOnlyMemory<byte>>
                {
                    TypedValue = outcome.Output,
                    NpgsqlDbType = NpgsqlDbType.Bytea,
                },
                new NpgsqlParameter<string?> { TypedValue = outcome.ErrorCode },
                new NpgsqlParameter<string?> { TypedValue = outcome.ErrorMessage },
                new NpgsqlParameter<string> { TypedValue = NotificationChannels.Ended },
            },
        };
}

/// <summary>What came of a shard.</summary>
internal sealed record ShardOutcome
{
    /// <summary>The lines' results as stored.</summary>
    public required ReadOnlyMemory<byte> Output { get; init; }

    /// <summary>How many lines have an error for a result.</summary>
    public required int Failed { get; init; }

    /// <summary>The load that served it; null when no model did.</summary>
    public required long? LoadId { get; init; }

    /// <summary>Why its only line was given up; null in the usual case.</summary>
    public string? ErrorCode { get; init; }
    public string? ErrorMessage { get; init; }
}
