using Microsoft.Extensions.Options;
using Npgsql;
using Seq2Seq.Jobs.Configuration;
using Seq2Seq.Jobs.Scheduling;

namespace Seq2Seq.Jobs.Leasing;

/// <summary>
/// Leases on shards. An attempt is counted when a lease is taken, before any work, so that a shard that kills its worker is
/// counted too. Times are PostgreSQL's, so that workers' clocks don't matter. What stands in a row is the truth: a lease
/// that has run out is still ours until somebody has taken the shard away.
/// </summary>
/// <remarks>Lock order, everywhere: the job's row, then <see cref="FeedQueries.Lock"/>, then shards' rows.</remarks>
internal sealed class ShardLeases(
    NpgsqlDataSource dataSource,
    LeaseConnection renewing,
    WorkerIdentity worker,
    IOptions<JobsOptions> options
)
{
    // Before the shard, by the lock order.
    private const string Start = """
        UPDATE job
        SET state = 'running', started_at = coalesce(started_at, clock_timestamp()), error_code = NULL, error_message = NULL
        WHERE id = $1 AND (state = 'queued' OR (state = 'running' AND error_code IS NOT NULL))
            AND EXISTS (SELECT FROM shard WHERE id = $2 AND state IN ('waiting', 'queued'))
        """;

    private const string Take = """
        UPDATE shard
        SET state = 'running', lease = $3, lease_until = clock_timestamp() + $4, attempts = attempts + 1,
            started_at = clock_timestamp(), worker = $5, slot = $6, not_before = NULL
        FROM job
        WHERE shard.id = $2 AND shard.job_id = $1 AND shard.state IN ('waiting', 'queued')
            AND (shard.not_before IS NULL OR shard.not_before <= clock_timestamp())
            AND job.id = $1 AND job.state IN ('queued', 'running')
            AND (job.deadline IS NULL OR job.deadline > clock_timestamp())
            AND NOT EXISTS (SELECT FROM model_pause WHERE model_pause.model = shard.model)
        RETURNING shard.attempts, shard.model, shard.first_line, shard.lines, shard.input, job.parameters::text,
            job.trace_parent
        """;

    private const string Renew = """
        UPDATE shard SET lease_until = clock_timestamp() + $2
        WHERE state = 'running' AND lease = ANY ($1)
        RETURNING lease
        """;

    private const string HandBack = """
        WITH freed AS (
            UPDATE shard
            SET state = 'waiting', lease = NULL, lease_until = NULL, attempts = attempts - 1
            WHERE id = $1 AND lease = $2
            RETURNING job_id
        )
        SELECT pg_notify($3, job_id::text) FROM freed
        """;

    private const string Return = """
        WITH freed AS (
            UPDATE shard SET state = 'waiting', hangfire_job_id = NULL WHERE id = $1 AND state = 'queued' RETURNING job_id
        )
        SELECT pg_notify($2, job_id::text) FROM freed
        """;

    /// <summary>Takes the lease, unless the shard is done, cancelled, not due, or somebody else's.</summary>
    public async Task<LeasedShard?> TakeAsync(
        Guid jobId,
        long shardId,
        string slot,
        CancellationToken cancellationToken
    )
    {
        var token = Guid.NewGuid();
        await using var batch = dataSource.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Durability.NotAwaited));
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Start) { Parameters = { Value(jobId), Value(shardId) } });
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand(Take)
            {
                Parameters =
                {
                    Value(jobId),
                    Value(shardId),
                    Value(token),
                    Value(options.Value.Lease),
                    Value(worker.Id),
                    Value(slot),
                },
            }
        );
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? Read(jobId, shardId, token, reader) : null;
    }

    /// <summary>Renews leases.</summary>
    /// <returns>The tokens that are still valid; the others' shards were cancelled or taken away.</returns>
    public async Task<HashSet<Guid>> RenewAsync(Guid[] tokens, CancellationToken cancellationToken)
    {
        await using var connection = await renewing.OpenAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Durability.NotAwaited));
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand(Renew) { Parameters = { Value(tokens), Value(options.Value.Lease) } }
        );
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        HashSet<Guid> valid = [];
        while (await reader.ReadAsync(cancellationToken))
        {
            valid.Add(reader.GetGuid(0));
        }

        return valid;
    }

    /// <summary>Puts a queued shard back that was not taken.</summary>
    public async Task ReturnAsync(long shardId, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(Return);
        command.Parameters.Add(Value(shardId));
        command.Parameters.Add(Value(NotificationChannels.Waiting));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Gives a shard back unworked; the attempt does not count.</summary>
    public async Task HandBackAsync(LeasedShard shard, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(HandBack);
        command.Parameters.Add(Value(shard.ShardId));
        command.Parameters.Add(Value(shard.Token));
        command.Parameters.Add(Value(NotificationChannels.Waiting));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static LeasedShard Read(Guid jobId, long shardId, Guid token, NpgsqlDataReader row) =>
        new()
        {
            JobId = jobId,
            ShardId = shardId,
            Token = token,
            Attempt = row.GetInt32(0),
            Model = row.GetString(1),
            FirstLine = row.GetInt64(2),
            Lines = row.GetInt32(3),
            Input = row.GetFieldValue<byte[]>(4),
            Parameters = row.GetString(5),
            TraceParent = row.IsDBNull(6) ? null : row.GetString(6),
        };

    private static NpgsqlParameter<T> Value<T>(T value) => new() { TypedValue = value };
}
