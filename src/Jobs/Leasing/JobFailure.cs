using Npgsql;
using Seq2Seq.Jobs.Scheduling;

namespace Seq2Seq.Jobs.Leasing;

/// <summary>Fails a job as a whole, because its caller must change it. Results that are there are kept.</summary>
internal sealed class JobFailure(NpgsqlDataSource dataSource)
{
    /// <summary>Code of a job whose generation parameters its model refuses.</summary>
    public const string ParametersCode = "parameter_invalid";

    private const string Fail = """
        WITH ended AS (
            UPDATE job
            SET state = 'failed', error_code = $2, error_message = $3, finished_at = clock_timestamp(),
                expires_at = clock_timestamp() + retention
            WHERE id = $1 AND state IN ('queued', 'running', 'paused')
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
