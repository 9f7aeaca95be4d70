using Npgsql;
using Seq2Seq.Jobs.Leasing;
using Seq2Seq.Jobs.Scheduling;
using Seq2Seq.Jobs.Storage;

namespace Seq2Seq.Jobs;

/// <summary>
/// Ends a job before its last line: cancelled by its caller, or failed. Results that are there are kept, shards without one are
/// dropped. A job that has ended already stays as it is.
/// </summary>
internal static class JobEnding
{
    private const string EndJob = $"""
        WITH ended AS (
            UPDATE job
            SET state = $2, error_code = coalesce($3, error_code), error_message = coalesce($4, error_message),
                finished_at = ending.moment, expires_at = ending.moment + retention
            FROM (SELECT clock_timestamp() AS moment) AS ending
            WHERE id = $1 AND state IN ('receiving', 'queued', 'running', 'paused')
            RETURNING id
        )
        SELECT pg_notify('{NotificationChannels.Ended}', id::text) FROM ended
        """;

    // A statement of its own, so that it sees what others did while the job's lock was waited for: a split, say. Running shards
    // lose their lease, which stops their workers and refuses their results.
    private const string DropShards = """
        UPDATE shard
        SET state = 'cancelled', lease = NULL, lease_until = NULL, finished_at = clock_timestamp()
        FROM job
        WHERE job.id = $1 AND job.state = $2 AND shard.job_id = $1 AND shard.state IN ('waiting', 'queued', 'running')
        """;

    /// <param name="dataSource">The database.</param>
    /// <param name="jobId">The job.</param>
    /// <param name="state">Cancelled or failed.</param>
    /// <param name="code">Why; null leaves what the job says.</param>
    /// <param name="message">Why, in words.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public static async Task EndAsync(
        NpgsqlDataSource dataSource,
        Guid jobId,
        JobState state,
        string? code,
        string? message,
        CancellationToken cancellationToken
    )
    {
        string name = StateNames.Of(state);
        // The batch is one transaction; the job's row comes before its shards' (see ShardLeases).
        await using var batch = dataSource.CreateBatch();
        Append(batch, ShardCompletion.LockJob, jobId);
        Append(batch, EndJob, jobId, name, code, message);
        Append(batch, DropShards, jobId, name);
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private static void Append(NpgsqlBatch batch, string sql, Guid jobId, params ReadOnlySpan<string?> texts)
    {
        var command = new NpgsqlBatchCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = jobId });
        foreach (string? text in texts)
        {
            command.Parameters.Add(new NpgsqlParameter<string?> { TypedValue = text });
        }

        batch.BatchCommands.Add(command);
    }
}
