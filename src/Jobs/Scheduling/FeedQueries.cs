using Seq2Seq.Jobs.Storage;

namespace Seq2Seq.Jobs.Scheduling;

/// <summary>The SQL of <see cref="Feeder"/>.</summary>
internal static class FeedQueries
{
    // Any number that nobody else locks in this database: "feed" in ASCII, and a tail that tells it from the migrator's.
    private const string LockKey = "x'66656564'::bigint";

    /// <summary>
    /// Feeders take turns: each sees what the one before has queued, and so does whoever takes queued shards back. Held by the
    /// transaction, for milliseconds. In the lock order after jobs' rows, before shards'.
    /// </summary>
    public const string Lock = $"SELECT pg_advisory_xact_lock({LockKey})";

    /// <summary>Whether there is anything to claim, be it not due.</summary>
    public const string IsAnyWaiting = "SELECT EXISTS (SELECT FROM shard WHERE state = 'waiting')";

    /// <summary>
    /// Queues waiting shards of models that are ready somewhere and not paused. Per model, half as many stand in the queue as
    /// its slots run at once: enough that no slot waits, and the rest stays in our table, where priority, pause and cancel
    /// act at once and a small job passes a large one. One that a worker has fetched stands there no more: workers that died
    /// before they took the lease would fill the queue for all. The first shard of a new job does not wait for the end of others'
    /// further ones: those are queued only while fewer of them are at work than the slots run at once, and each slot has
    /// more places (<see cref="LocalSlots.ReservedPlaces"/>). What slots still hold that are lost or drain takes no place of
    /// the others. Among waiting shards: the lowest priority number first; then API keys share alike, however many jobs each
    /// has; then the job with the fewest shards at work; then the one fed longest ago. $1 shards of one job that may stand in
    /// the queue, $2 age of a heartbeat that counts as dead.
    /// </summary>
    public const string Claim = $"""
        WITH live AS (
            SELECT slot.worker_id, slot.name, slot.shards_at_once
            FROM slot
            JOIN worker ON worker.id = slot.worker_id
            WHERE slot.state = 'ready' AND worker.heartbeat_at > clock_timestamp() - $2
        ),
        busy AS (
            SELECT shard.job_id, shard.model, job.api_key_id, count(*) AS active,
                count(*) FILTER (WHERE jobqueue.fetchedat IS NULL AND jobqueue.id IS NOT NULL) AS queued,
                count(*) FILTER (WHERE shard.state = 'queued') AS fed,
                CASE
                    WHEN job.shards_done = 0 AND count(*) = 1 THEN 0
                    ELSE count(*) FILTER (WHERE shard.state = 'queued' OR live.worker_id IS NOT NULL)
                END AS further
            FROM shard
            JOIN job ON job.id = shard.job_id
            LEFT JOIN live ON live.worker_id = shard.worker AND live.name = shard.slot
            LEFT JOIN {Migrator.HangfireSchema}.jobqueue
                ON shard.state = 'queued' AND jobqueue.jobid = shard.hangfire_job_id::bigint
            WHERE shard.state IN ('queued', 'running')
            GROUP BY shard.job_id, shard.model, job.api_key_id, job.shards_done
        ),
        standing AS (
            SELECT model, sum(queued) AS queued, sum(fed) AS fed, sum(further) AS further FROM busy GROUP BY model
        ),
        sharing AS (
            SELECT model, api_key_id, sum(active) AS active FROM busy GROUP BY model, api_key_id
        ),
        room AS (
            SELECT slot_model.model, coalesce(max(standing.fed), 0) AS fed,
                greatest(2, (sum(live.shards_at_once) + 1) / 2) - coalesce(max(standing.queued), 0) AS free,
                sum(live.shards_at_once) - coalesce(max(standing.further), 0) AS free_for_further
            FROM slot_model
            JOIN live ON live.worker_id = slot_model.worker_id AND live.name = slot_model.slot
            LEFT JOIN standing ON standing.model = slot_model.model
            WHERE slot_model.state = 'ready'
                AND NOT EXISTS (SELECT FROM model_pause WHERE model_pause.model = slot_model.model)
            GROUP BY slot_model.model
        ),
        open AS (
            SELECT job.id, job.priority, job.api_key_id, coalesce(job.fed_at, job.created_at) AS fed_at, room.model,
                room.free, room.free_for_further, coalesce(busy.active, 0) AS active, coalesce(busy.queued, 0) AS queued,
                coalesce(sharing.active, 0) AS active_of_key, job.shards_done = 0 AND busy.job_id IS NULL AS is_new
            FROM room
            CROSS JOIN LATERAL (
                -- Jobs that were fed but not started yet are among these; they leave room for as many again.
                (
                    SELECT id, priority, api_key_id, fed_at, created_at, shards_done FROM job
                    WHERE state = 'queued' AND model = room.model AND (start_at IS NULL OR start_at <= clock_timestamp())
                    ORDER BY priority, created_at
                    LIMIT 2 * (room.free + room.fed)
                )
                UNION ALL
                (
                    SELECT id, priority, api_key_id, fed_at, created_at, shards_done FROM job
                    WHERE state = 'running' AND model = room.model
                )
            ) AS job
            LEFT JOIN busy ON busy.job_id = job.id
            LEFT JOIN sharing ON sharing.model = room.model AND sharing.api_key_id IS NOT DISTINCT FROM job.api_key_id
            WHERE room.free > 0
        ),
        waiting AS (
            SELECT next.id, open.model, open.free, open.free_for_further, open.priority, open.fed_at, open.id AS job_id,
                open.is_new AND next.place = 1 AS is_first, open.active + next.place AS turn_of_job,
                open.active_of_key + row_number() OVER (
                    PARTITION BY open.model, open.priority, open.api_key_id
                    ORDER BY open.active + next.place, open.fed_at, open.id
                ) AS turn_of_key
            FROM open
            CROSS JOIN LATERAL (
                SELECT shard.id, row_number() OVER (ORDER BY shard.first_line) AS place
                FROM shard
                WHERE shard.state = 'waiting' AND shard.priority = open.priority AND shard.job_id = open.id
                    AND (shard.not_before IS NULL OR shard.not_before <= clock_timestamp())
                ORDER BY shard.first_line
                LIMIT greatest(0, least(open.free, $1 - open.queued))
            ) AS next
            WHERE open.free_for_further > 0 OR (open.is_new AND next.place = 1)
        ),
        ranked AS (
            SELECT id, free, free_for_further, is_first, row_number() OVER (
                    PARTITION BY model ORDER BY priority, turn_of_key, turn_of_job, fed_at, job_id
                ) AS rank
            FROM waiting
        )
        UPDATE shard
        SET state = 'queued', queued_at = clock_timestamp(), hangfire_job_id = NULL
        FROM ranked
        WHERE shard.id = ranked.id AND ranked.rank <= ranked.free AND shard.state = 'waiting'
            AND (ranked.is_first OR ranked.rank <= ranked.free_for_further)
        RETURNING shard.id, shard.job_id, shard.priority, shard.model, ranked.rank
        """;

    /// <summary>Notes when jobs were fed. $1 jobs.</summary>
    public const string Fed = "UPDATE job SET fed_at = clock_timestamp() WHERE id = ANY ($1)";

    /// <summary>
    /// Puts shards back whose Hangfire job is gone: its worker died before it took the lease, the job ran while PostgreSQL
    /// was away, or an operator deleted it. $1 age from which a queued shard, and a job that a worker has fetched, is looked
    /// at; to be early is harmless, since of two Hangfire jobs one gets the lease.
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
