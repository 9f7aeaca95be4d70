using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Seq2Seq.Jobs.Keys;

namespace Seq2Seq.Jobs.Storage;

/// <summary>
/// Deletes jobs whose time is over: finished ones after their retention, and submits that were given up. In batches of short
/// transactions, so that nobody waits for it. Any number of processes may run it at once.
/// </summary>
internal sealed partial class Retention(NpgsqlDataSource dataSource, TimeProvider time, ILogger<Retention> logger)
    : BackgroundService
{
    private const int BatchRows = 200;

    private static readonly TimeSpan _interval = TimeSpan.FromMinutes(1);

    // Nobody else works on the job that this transaction has picked. A job is deleted when it has no more rows.
    private const string DeleteBatch = """
        WITH expired AS MATERIALIZED (
            SELECT id FROM job
            WHERE expires_at < now()
            ORDER BY expires_at
            LIMIT 1
            FOR UPDATE SKIP LOCKED
        ),
        shards AS (
            DELETE FROM shard
            WHERE id IN (SELECT shard.id FROM shard JOIN expired ON shard.job_id = expired.id LIMIT $1)
            RETURNING 1
        ),
        results AS (
            DELETE FROM shard_result
            WHERE (job_id, first_line) IN (
                SELECT job_id, first_line FROM shard_result JOIN expired ON shard_result.job_id = expired.id LIMIT $1
            )
            RETURNING 1
        )
        SELECT id, (SELECT count(*) FROM shards) + (SELECT count(*) FROM results) FROM expired
        """;

    private const string DeleteJob = "DELETE FROM job WHERE id = $1 AND expires_at < now()";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_interval, time);
        do
        {
            try
            {
                await DeleteExpiredAsync(stoppingToken);
            }
            catch (NpgsqlException exception)
            {
                LogFailed(logger, exception);
            }
        } while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>Deletes all that has expired.</summary>
    /// <returns>How many jobs were deleted.</returns>
    internal async Task<int> DeleteExpiredAsync(CancellationToken cancellationToken)
    {
        int jobs = 0;
        while (await DeleteBatchAsync(cancellationToken) is { } batch)
        {
            if (batch.Rows > 0)
            {
                continue;
            }

            await using var command = dataSource.CreateCommand(DeleteJob);
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = batch.JobId });
            jobs += await command.ExecuteNonQueryAsync(cancellationToken);
        }

        await using var usage = dataSource.CreateCommand(ApiKeyQueries.DropOldUsage);
        await usage.ExecuteNonQueryAsync(cancellationToken);
        if (jobs > 0)
        {
            LogDeleted(logger, jobs);
        }

        return jobs;
    }

    private async Task<DeletedBatch?> DeleteBatchAsync(CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(DeleteBatch);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = BatchRows });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new DeletedBatch(reader.GetGuid(0), reader.GetInt64(1))
            : null;
    }

    private sealed record DeletedBatch(Guid JobId, long Rows);

    [LoggerMessage(2100, LogLevel.Information, "{Jobs} jobs were deleted because their retention has passed")]
    private static partial void LogDeleted(ILogger logger, int jobs);

    [LoggerMessage(2101, LogLevel.Warning, "Expired jobs could not be deleted; trying again later")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
