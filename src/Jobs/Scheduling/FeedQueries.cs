using Seq2Seq.Jobs.Storage;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>The SQL of <see cref="Feeder"/>.</summary>
internal static class FeedQueries
{
    // Any number that nobody else locks in this database: "feed" in ASCII, and a tail that tells it from the migrator's.
    private const string LockKey = "x'66656564'::bigint";

    /// <summary>Feeders take turns: each sees what the one before has queued. Held by the transaction, for milliseconds.</summary>
    public const string Lock = $"SELECT pg_advisory_xact_lock({LockKey})";

    /// <summary>
    /// Queues waiting shards of models that are ready somewhere. Per model, half as many stand in the queue as its slots run at
    /// once: enough that no slot waits, and the rest stays in our table, where priority, pause and cancel act at once and a
    /// small job passes a large one. Among waiting shards: the lowest priority number first, then the job with the fewest shards at work, then the one fed
    /// longest ago. $1 shards of one job that may stand in the queue, $2 age of a heartbeat that counts as dead.
    /// </summary>
    public const string Claim = """
        WITH busy AS (
            SELECT job_id, count(*) AS active, count(*) FILTER (WHERE state = 'queued') AS queued
            FROM shard
            WHERE state IN ('queued', 'running')
            GROUP BY job_id
        ),
        standing AS (
            SELECT model, count(*) AS queued FROM shard WHERE state = 'queued' GROUP BY model
        ),
        room AS (
            SELECT slot_model.model,
                greatest(2, (sum(slot.shards_at_once) + 1) / 2) - coalesce(max(standing.queued), 0) AS free
            FROM slot_model
            JOIN slot ON slot.worker_id = slot_model.worker_id AND slot.name = slot_model.slot
            JOIN worker ON worker.id = slot.worker_id
            LEFT JOIN standing ON standing.model = slot_model.model
            WHERE slot_model.state = 'ready' AND slot.state = 'ready' AND worker.heartbeat_at > clock_timestamp() - $2
            GROUP BY slot_model.model
        ),
        open AS (
            SELECT job.id, job.priority, coalesce(job.fed_at, job.created_at) AS fed_at, room.model, room.free,
                coalesce(busy.active, 0) AS active, coalesce(busy.queued, 0) AS queued
            FROM room
            CROSS JOIN LATERAL (
                -- Jobs that were fed but not started yet are among these; they leave room for as many again.
                (
                    SELECT id, priority, fed_at, created_at FROM job
                    WHERE state = 'queued' AND model = room.model
                    ORDER BY priority, created_at
                    LIMIT 2 * (room.free + coalesce((SELECT queued FROM standing WHERE standing.model = room.model), 0))
                )
                UNION ALL
                (SELECT id, priority, fed_at, created_at FROM job WHERE state = 'running' AND model = room.model)
            ) AS job
            LEFT JOIN busy ON busy.job_id = job.id
            WHERE room.free > 0
        ),
        ranked AS (
            SELECT next.id, open.free, row_number() OVER (
                    PARTITION BY open.model
                    ORDER BY open.priority, open.active + next.place, open.fed_at, open.id
                ) AS rank
            FROM open
            CROSS JOIN LATERAL (
                SELECT shard.id, row_number() OVER (ORDER BY shard.first_line) AS place
                FROM shard
                WHERE shard.state = 'waiting' AND shard.priority = open.priority AND shard.job_id = open.id
                    AND (shard.not_before IS NULL OR shard.not_before <= clock_timestamp())
                ORDER BY shard.first_line
                LIMIT greatest(0, least(open.free, $1 - open.queued))
            ) AS next
        )
        UPDATE shard
        SET state = 'queued', queued_at = clock_timestamp(), hangfire_job_id = NULL
        FROM ranked
        WHERE shard.id = ranked.id AND ranked.rank <= ranked.free AND shard.state = 'waiting'
        RETURNING shard.id, shard.job_id, shard.priority, shard.model, ranked.rank
        """;

    /// <summary>Notes which Hangfire job stands for which shard. $1 shards, $2 Hangfire jobs.</summary>
    public const string Mark = """
        UPDATE shard SET hangfire_job_id = fed.hangfire_job_id
        FROM unnest($1, $2) AS fed(id, hangfire_job_id)
        WHERE shard.id = fed.id
        """;

    /// <summary>Notes when jobs were fed. $1 jobs.</summary>
    public const string Fed = "UPDATE job SET fed_at = clock_timestamp() WHERE id = ANY ($1)";

    /// <summary>Puts shards back that could not be queued. $1 shards.</summary>
    public const string Unclaim =
        "UPDATE shard SET state = 'waiting' WHERE id = ANY ($1) AND state = 'queued' AND hangfire_job_id IS NULL";

    /// <summary>
    /// Puts shards back whose Hangfire job is gone: its feeder died before it queued the job, its worker died before it took
    /// the lease, the job ran while PostgreSQL was away, or an operator deleted it. $1 age from which a queued shard, and a
    /// job that a worker has fetched, is looked at.
    /// </summary>
    public const string Recover = $"""
        UPDATE shard
        SET state = 'waiting', hangfire_job_id = NULL
        WHERE state = 'queued' AND queued_at < clock_timestamp() - $1
            AND NOT EXISTS (
                SELECT FROM {Migrator.HangfireSchema}.jobqueue
                WHERE jobqueue.jobid = shard.hangfire_job_id::bigint
                    AND (jobqueue.fetchedat IS NULL OR jobqueue.fetchedat > clock_timestamp() - $1)
            )
        """;
}
