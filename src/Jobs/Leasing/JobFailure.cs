using Npgsql;
using Seq2Seq.Jobs.Scheduling;

namespace Seq2Seq.Jobs.Leasing;

/// <summary>Fails a job as a whole: its caller must change it, or its deadline has passed. Results that are there are kept.</summary>
internal sealed class JobFailure(NpgsqlDataSource dataSource)
{
    /// <summary>Code of a job whose generation parameters its model refuses.</summary>
    public const string ParametersCode = "parameter_invalid";

    /// <summary>Code of a job that had not finished by its deadline.</summary>
    public const string DeadlineCode = "deadline_exceeded";

    private const string Fail = """
        WITH ended AS (
            UPDATE job
            SET state = 'failed', error_code = $2, error_message = $3, finished_at = clock_timestamp(),
                expires_at = clock_timestamp() + retention
            WHERE id = $1 AND state IN ('receiving', 'queued', 'running', 'paused')
            RETURNING id
        ),
        dropped AS (
            UPDATE shard
            SET state = 'cancelled', lease = NULL, lease_until = NULL, finished_at = clock_timestamp()
            FROM ended
            WHERE shard.job_id = ended.id AND shard.state IN ('waiting', 'queued', 'running')
        )
        SELECT pg_notify($4, id::text) FROM ended
        """;

    // One at a time, by the lock order.
    private const string Late = """
        SELECT id, deadline FROM job
        WHERE deadline <= clock_timestamp() AND state IN ('receiving', 'queued', 'running', 'paused')
        ORDER BY deadline
        LIMIT 100
        """;

    /// <summary>Fails the jobs whose deadline has passed.</summary>
    /// <returns>How many.</returns>
    public async Task<int> FailLateAsync(CancellationToken cancellationToken)
    {
        List<(Guid Id, DateTimeOffset Deadline)> late = [];
        await using (var command = dataSource.CreateCommand(Late))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                late.Add((reader.GetGuid(0), ReadTime(reader)));
            }
        }

        foreach (var (id, deadline) in late)
        {
            string message =
                $"The job had not finished by its deadline, {deadline:O}; the results that are there are kept.";
            await FailAsync(id, DeadlineCode, message, cancellationToken);
        }

        return late.Count;
    }

    private static DateTimeOffset ReadTime(NpgsqlDataReader row) => row.GetFieldValue<DateTimeOffset>(1);

    public async Task FailAsync(Guid jobId, string code, string message, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(Fail);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = jobId });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = code });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = message });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = NotificationChannels.Ended });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
