using Hangfire.Common;
using Hangfire.States;
using Hangfire.Storage;
using Npgsql;
using NpgsqlTypes;
using Seq2Seq.Jobs.Storage;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>
/// Queues many shards' Hangfire jobs in one statement of the caller's transaction. Hangfire's own client takes two
/// transactions and some ten statements a job, on a connection of its own: then a crash could part a shard from its job.
/// The rows are those that the client would write, which a test compares.
/// </summary>
internal static class ShardEnqueuer
{
    // The rows of one job refer to each other, so their keys are drawn first. Each shard wakes a worker (QueueWakeups), and
    // PostgreSQL makes one of a transaction's notifications that are equal: so those of one queue are numbered.
    private const string Enqueue = $"""
        WITH fed AS (
            SELECT part.*, nextval('{Migrator.HangfireSchema}.job_id_seq') AS hangfire_id,
                nextval('{Migrator.HangfireSchema}.state_id_seq') AS state_id
            FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY AS part (shard_id, queue, invocation, arguments, data, place)
            ORDER BY place
        ),
        jobs AS (
            INSERT INTO {Migrator.HangfireSchema}.job (id, stateid, statename, invocationdata, arguments, createdat)
            SELECT hangfire_id, state_id, $6, invocation, arguments, clock_timestamp() FROM fed
        ),
        states AS (
            INSERT INTO {Migrator.HangfireSchema}.state (id, jobid, name, createdat, data)
            SELECT state_id, hangfire_id, $6, clock_timestamp(), data FROM fed
        ),
        queued AS (
            INSERT INTO {Migrator.HangfireSchema}.jobqueue (jobid, queue)
            SELECT hangfire_id, queue FROM fed ORDER BY place
        ),
        marked AS (
            UPDATE shard SET hangfire_job_id = fed.hangfire_id::text FROM fed WHERE shard.id = fed.shard_id
        )
        SELECT pg_notify('{NotificationChannels.Queue}', queue || CASE number WHEN 1 THEN '' ELSE ' ' || number END)
        FROM (SELECT queue, row_number() OVER (PARTITION BY queue ORDER BY place) AS number FROM fed) AS numbered
        """;

    /// <param name="shards">The shards, in the order in which they are to run.</param>
    public static NpgsqlBatchCommand Command(IReadOnlyList<FedShard> shards)
    {
        var invocations = shards
            .Select(shard => InvocationData.SerializeJob(ShardJob.For(shard.JobId, shard.Id, shard.Queue)))
            .ToList();
        return new NpgsqlBatchCommand(Enqueue)
        {
            Parameters =
            {
                new NpgsqlParameter<long[]> { TypedValue = [.. shards.Select(shard => shard.Id)] },
                new NpgsqlParameter<string[]> { TypedValue = [.. shards.Select(shard => shard.Queue)] },
                Json(invocations.Select(invocation => SerializationHelper.Serialize(invocation))),
                Json(invocations.Select(invocation => invocation.Arguments)),
                Json(
                    shards.Select(shard =>
                        SerializationHelper.Serialize(new EnqueuedState(shard.Queue).SerializeData())
                    )
                ),
                new NpgsqlParameter<string> { TypedValue = EnqueuedState.StateName },
            },
        };
    }

    private static NpgsqlParameter<string[]> Json(IEnumerable<string> values) =>
        new() { TypedValue = [.. values], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb };
}

/// <summary>A shard that is to be queued.</summary>
/// <param name="Id">The shard.</param>
/// <param name="JobId">Its job.</param>
/// <param name="Queue">The queue of its priority and model.</param>
internal sealed record FedShard(long Id, Guid JobId, string Queue);
