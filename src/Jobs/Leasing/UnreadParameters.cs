using Microsoft.Extensions.Options;
using Npgsql;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Jobs.Configuration;

namespace Seq2Seq.Jobs.Leasing;

/// <summary>
/// What becomes of a shard whose job has parameters that this worker can't read: a newer version took the job in, and a rolling
/// deploy is under way. The shard is handed back, the attempt does not count, and a newer worker takes it. Only when none has
/// been there for <see cref="JobsOptions.NewerWorkerWait"/> does the job fail, with the parameter's name.
/// </summary>
internal sealed class UnreadParameters(
    NpgsqlDataSource dataSource,
    JobFailure jobFailure,
    IOptions<JobsOptions> options
)
{
    // Due only after a while, so that workers that can't read it don't pass it round. A worker that says the same of itself as this
    // one can't do more, even if it knows every name: then it is a value that is new.
    private const string HandBack = """
        UPDATE shard
        SET state = 'waiting', lease = NULL, lease_until = NULL, attempts = attempts - 1,
            not_before = clock_timestamp() + $3, unread_since = coalesce(unread_since, clock_timestamp()),
            error_code = $4, error_message = $5
        WHERE id = $1 AND lease = $2
        RETURNING unread_since <= clock_timestamp() - $6 AND NOT EXISTS (
            SELECT FROM slot_model
            JOIN slot ON slot.worker_id = slot_model.worker_id AND slot.name = slot_model.slot
            JOIN worker ON worker.id = slot.worker_id
            WHERE slot_model.model = shard.model AND slot_model.state = 'ready' AND slot.state = 'ready'
                AND worker.heartbeat_at > clock_timestamp() - $7 AND worker.parameters <> $8
                AND worker.parameters @> ARRAY (
                    SELECT jsonb_object_keys(job.parameters) FROM job WHERE job.id = shard.job_id
                )
        )
        """;

    /// <summary>The names that this version reads, as workers tell them of themselves.</summary>
    public static string[] KnownNames { get; } = [.. GenerationParametersJson.Names.Order(StringComparer.Ordinal)];

    /// <returns>Whether the job failed, because nobody has been there to read it.</returns>
    public async Task<bool> HandBackAsync(
        LeasedShard shard,
        GenerationParametersException unread,
        CancellationToken cancellationToken
    )
    {
        string message =
            $"Parameter '{unread.Parameter}' can't be read by this version of the worker: {unread.Message}";
        if (!await HandBackAsync(shard, message, cancellationToken))
        {
            return false;
        }

        await jobFailure.FailAsync(
            shard.JobId,
            JobFailure.ParametersCode,
            $"{message} No other worker that serves the model has been able to for {options.Value.NewerWorkerWait}.",
            cancellationToken
        );
        return true;
    }

    private async Task<bool> HandBackAsync(LeasedShard shard, string message, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(HandBack);
        command.Parameters.Add(Value(shard.ShardId));
        command.Parameters.Add(Value(shard.Token));
        command.Parameters.Add(Value(options.Value.RetryDelay));
        command.Parameters.Add(Value(JobFailure.ParametersCode));
        command.Parameters.Add(Value(message));
        command.Parameters.Add(Value(options.Value.NewerWorkerWait));
        command.Parameters.Add(Value(options.Value.Lease));
        command.Parameters.Add(Value(KnownNames));
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    private static NpgsqlParameter<T> Value<T>(T value) => new() { TypedValue = value };
}
