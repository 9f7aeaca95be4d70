using System.Runtime.CompilerServices;
using Npgsql;
using Seq2Seq.Jobs.Storage;

namespace Seq2Seq.Jobs.Results;

/// <summary>
/// Streams a job's results in input order, also while it runs: up to the first line that has none yet. When the job has ended
/// before its last line (cancelled, failed), lines without a result are left out. Reads shard by shard, each in a short query, so
/// that a slow reader holds neither a connection nor a snapshot, and memory is bounded by a shard.
/// </summary>
public sealed class ResultReader
{
    // The shard that has the line, or else the next one that has results. An expired job has none.
    private const string Next = $"""
        SELECT shard_result.first_line, shard_result.lines, shard_result.output
        FROM shard_result
        JOIN job ON job.id = shard_result.job_id
        WHERE shard_result.job_id = $1
            AND shard_result.first_line >= coalesce(
                (
                    SELECT first_line
                    FROM (
                        SELECT first_line, lines FROM shard_result
                        WHERE job_id = $1 AND first_line <= $2
                        ORDER BY first_line DESC
                        LIMIT 1
                    ) AS before
                    WHERE first_line + lines > $2
                ),
                $2
            )
            AND {JobRow.NotExpired}
        ORDER BY shard_result.first_line
        LIMIT 1
        """;

    private const string Ended = "SELECT finished_at IS NOT NULL FROM job WHERE id = $1";

    // Shards partition the lines, so what comes before the first one that is not done has results without a gap.
    private const string Ready = $"""
        SELECT CASE
            WHEN finished_at IS NOT NULL THEN lines
            ELSE coalesce((SELECT min(first_line) FROM shard WHERE job_id = $1 AND shard.state <> 'done'), lines)
        END
        FROM job
        WHERE id = $1 AND {JobRow.NotExpired}
        """;

    private readonly NpgsqlDataSource _dataSource;

    internal ResultReader(NpgsqlDataSource dataSource) => _dataSource = dataSource;

    /// <param name="jobId">The job.</param>
    /// <param name="fromLine">The first line wanted, from 0.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async IAsyncEnumerable<LineResult> ReadAsync(
        Guid jobId,
        long fromLine,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        long line = fromLine;
        bool gapsAllowed = false;
        while (await ReadShardAsync(jobId, line, cancellationToken) is { } shard)
        {
            if (shard.FirstLine > line && !gapsAllowed)
            {
                // Lines are missing in between. Once the job has ended nothing comes any more; but look again, because what was
                // missing may have come before it ended.
                if (!await HasEndedAsync(jobId, cancellationToken))
                {
                    yield break;
                }

                gapsAllowed = true;
                continue;
            }

            foreach (var result in ShardOutput.Read(shard.Output, shard.FirstLine))
            {
                if (result.Line >= line)
                {
                    yield return result;
                }
            }

            line = shard.FirstLine + shard.Lines;
        }
    }

    /// <summary>
    /// The line at which reading stops now: the first that has no result yet, or the number of lines when the job has ended.
    /// Null when there is no such job.
    /// </summary>
    public async Task<long?> CountReadyAsync(Guid jobId, CancellationToken cancellationToken) =>
        (long?)await ScalarAsync(Ready, jobId, cancellationToken);

    private async Task<StoredResults?> ReadShardAsync(Guid jobId, long line, CancellationToken cancellationToken)
    {
        await using var command = _dataSource.CreateCommand(Next);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = jobId });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = line });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new StoredResults(
                reader.GetInt64(0),
                reader.GetInt32(1),
                await reader.GetFieldValueAsync<byte[]>(2, cancellationToken)
            )
            : null;
    }

    private async Task<bool> HasEndedAsync(Guid jobId, CancellationToken cancellationToken) =>
        await ScalarAsync(Ended, jobId, cancellationToken) is true;

    private async Task<object?> ScalarAsync(string sql, Guid jobId, CancellationToken cancellationToken)
    {
        await using var command = _dataSource.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = jobId });
        return await command.ExecuteScalarAsync(cancellationToken);
    }

    private sealed record StoredResults(long FirstLine, int Lines, byte[] Output);
}
