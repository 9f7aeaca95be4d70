using System.Buffers;
using Npgsql;
using Seq2Seq.Jobs.Keys;
using Seq2Seq.Jobs.Results;
using Seq2Seq.Jobs.Scheduling;
using Seq2Seq.Jobs.Storage;
using Seq2Seq.Jobs.Submission;

namespace Seq2Seq.Jobs.Sharding;

/// <summary>
/// Makes the failed lines of an ended job its next run. A shard with failed lines waits again as a whole, so that shards still
/// partition the job; but its good lines carry their answers with them and are not computed again. Everything happens in one
/// transaction: the job is ended as before, or waits with every line to run.
/// </summary>
internal sealed class FailedLines(NpgsqlDataSource dataSource)
{
    private const string LockEnded =
        $"SELECT api_key_id FROM job WHERE id = $1 AND finished_at IS NOT NULL AND {JobRow.NotExpired} FOR UPDATE";

    private const string NextFailed = """
        SELECT shard.id, shard.first_line, shard.input, shard_result.output
        FROM shard
        JOIN shard_result ON shard_result.job_id = shard.job_id AND shard_result.first_line = shard.first_line
        WHERE shard.job_id = $1 AND shard.first_line > $2 AND shard.state = 'done' AND shard_result.failed > 0
        ORDER BY shard.first_line
        LIMIT 1
        """;

    private const string Renew = """
        UPDATE shard
        SET state = 'waiting', input = $2, answered = $3, attempts = 0, not_before = NULL, finished_at = NULL,
            hangfire_job_id = NULL, error_code = NULL, error_message = NULL, unread_since = NULL
        WHERE id = $1
        """;

    private const string RenewCancelled = """
        UPDATE shard
        SET state = 'waiting', attempts = 0, not_before = NULL, finished_at = NULL, hangfire_job_id = NULL,
            error_code = NULL, error_message = NULL, unread_since = NULL
        WHERE job_id = $1 AND state = 'cancelled'
        """;

    private const string Reopen = $"""
        WITH reopened AS (
            UPDATE job
            SET state = 'queued', run = run + 1, finished_at = NULL, expires_at = NULL, error_code = NULL,
                error_message = NULL, shards_done = shards_done - $2, lines_done = lines_done - $3,
                lines_failed = lines_failed - $3
            WHERE id = $1
            RETURNING id
        )
        SELECT pg_notify('{NotificationChannels.Waiting}', id::text) FROM reopened
        """;

    /// <returns>Whether there was anything to run.</returns>
    /// <exception cref="LimitExceededException">The job's API key has as many unfinished ones as it may.</exception>
    public async Task<bool> RetryAsync(Guid jobId, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (await LockEndedAsync(connection, jobId, cancellationToken) is not { } ended)
        {
            return false;
        }

        if (ended.ApiKeyId is { } key)
        {
            // Its lines and bytes were counted when they came.
            await KeyUsage.CheckStoredAsync(connection, key, jobId, lines: 0, bytes: 0, cancellationToken);
        }

        int shards = 0;
        long lines = 0;
        long after = -1;
        while (await FindNextAsync(connection, jobId, after, cancellationToken) is { } failed)
        {
            after = failed.FirstLine;
            var renewed = Merge(failed);
            if (renewed.Retried > 0)
            {
                await RenewAsync(connection, failed.ShardId, renewed, cancellationToken);
                shards++;
                lines += renewed.Failed;
            }
        }

        int cancelled = await ExecuteAsync(connection, RenewCancelled, cancellationToken, Value(jobId));
        if (shards + cancelled == 0)
        {
            return false;
        }

        await ExecuteAsync(connection, Reopen, cancellationToken, Value(jobId), Value(shards), Value(lines));
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    private static RenewedShard Merge(FailedShard shard)
    {
        var sources = ShardInput.Read(shard.Input);
        var input = new ArrayBufferWriter<byte>();
        int failed = 0;
        int retried = 0;
        foreach (var (source, result) in sources.Zip(ShardOutput.Read(shard.Output, shard.FirstLine)))
        {
            if (result.Result.Error is null)
            {
                ShardInput.Append(input, new SourceLine { CustomId = result.CustomId, Answer = result.Result });
                continue;
            }

            // A line that can't be read stays an error, whoever runs it.
            failed++;
            retried += source.Error is null ? 1 : 0;
            ShardInput.Append(input, source);
        }

        return new RenewedShard(input.WrittenSpan.ToArray(), sources.Count - failed, failed, retried);
    }

    private static async Task<EndedJob?> LockEndedAsync(
        NpgsqlConnection connection,
        Guid jobId,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(LockEnded, connection) { Parameters = { Value(jobId) } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new EndedJob(reader.IsDBNull(0) ? null : reader.GetGuid(0))
            : null;
    }

    private static async Task<FailedShard?> FindNextAsync(
        NpgsqlConnection connection,
        Guid jobId,
        long afterFirstLine,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(NextFailed, connection)
        {
            Parameters = { Value(jobId), Value(afterFirstLine) },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new FailedShard(
                reader.GetInt64(0),
                reader.GetInt64(1),
                await reader.GetFieldValueAsync<byte[]>(2, cancellationToken),
                await reader.GetFieldValueAsync<byte[]>(3, cancellationToken)
            )
            : null;
    }

    private static Task<int> RenewAsync(
        NpgsqlConnection connection,
        long shardId,
        RenewedShard shard,
        CancellationToken cancellationToken
    ) => ExecuteAsync(connection, Renew, cancellationToken, Value(shardId), Value(shard.Input), Value(shard.Answered));

    private static async Task<int> ExecuteAsync(
        NpgsqlConnection connection,
        string sql,
        CancellationToken cancellationToken,
        params NpgsqlParameter[] parameters
    )
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddRange(parameters);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static NpgsqlParameter<T> Value<T>(T value) => new() { TypedValue = value };

    private sealed record EndedJob(Guid? ApiKeyId);

    private sealed record FailedShard(long ShardId, long FirstLine, byte[] Input, byte[] Output);

    /// <param name="Input">The lines as they are to be run.</param>
    /// <param name="Answered">Lines that carry their answer.</param>
    /// <param name="Failed">Lines without one.</param>
    /// <param name="Retried">Those of them that another run may answer.</param>
    private sealed record RenewedShard(byte[] Input, int Answered, int Failed, int Retried);
}
