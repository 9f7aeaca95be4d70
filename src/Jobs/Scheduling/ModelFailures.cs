using Microsoft.Extensions.Options;
using Npgsql;
using Seq2Seq.Jobs.Configuration;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>Tells waiting jobs that no live worker could load their model, with the load's own words; and takes it back.</summary>
internal sealed class ModelFailures(NpgsqlDataSource dataSource, IOptions<JobsOptions> options)
{
    /// <summary>A job's error code while its model can't be loaded.</summary>
    public const string Code = "model_load_failed";

    private const string Tell = """
        WITH failed AS (
            SELECT slot_model.model, min(slot_model.error_message) AS message
            FROM slot_model
            JOIN worker ON worker.id = slot_model.worker_id
            WHERE worker.heartbeat_at > clock_timestamp() - $1 AND slot_model.state <> 'elsewhere'
            GROUP BY slot_model.model
            HAVING bool_and(slot_model.state = 'failed')
        ),
        told AS (
            UPDATE job SET error_code = $2, error_message = failed.message
            FROM failed
            WHERE job.model = failed.model AND job.state IN ('queued', 'running')
                AND (job.error_code IS DISTINCT FROM $2 OR job.error_message IS DISTINCT FROM failed.message)
        )
        UPDATE job SET error_code = NULL, error_message = NULL
        WHERE state IN ('queued', 'running') AND error_code = $2 AND model NOT IN (SELECT model FROM failed)
        """;

    public async Task TellJobsAsync(CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(Tell);
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = options.Value.Lease });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Code });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
