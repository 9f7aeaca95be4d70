using Seq2Seq.Jobs.Scheduling;
using Seq2Seq.Jobs.Storage;

namespace Seq2Seq.Jobs;

/// <summary>The SQL of <see cref="JobDirectory"/>.</summary>
internal static class DirectoryQueries
{
    /// <summary>$1 job.</summary>
    public const string Find = $"SELECT {JobRow.Columns} FROM job WHERE id = $1 AND {JobRow.NotExpired}";

    /// <summary>
    /// Ids are in order of time, so the page before needs not be there any more. $1 state, $2 model, $3 search (escaped),
    /// $4 last id seen, $5 API key, $6 limit.
    /// </summary>
    public const string List = $"""
        SELECT {JobRow.Columns}
        FROM job
        WHERE ($1 IS NULL OR state = $1)
            AND ($2 IS NULL OR model = $2)
            AND ($3 IS NULL OR name ILIKE '%' || $3 || '%' OR id::text ILIKE $3 || '%')
            AND ($4 IS NULL OR id < $4)
            AND ($5 IS NULL OR api_key_id = $5)
            AND {JobRow.NotExpired}
        ORDER BY id DESC
        LIMIT $6
        """;

    /// <summary>$1 job, $2 first line of the last shard seen, $3 limit.</summary>
    public const string ListShards = """
        SELECT id, first_line, lines, state, attempts, worker, slot, started_at, finished_at, lease_until, error_code,
            error_message
        FROM shard
        WHERE job_id = $1 AND first_line > $2
        ORDER BY first_line
        LIMIT $3
        """;

    /// <summary>
    /// Lines a second while shards were at work: of an ended job over all of it, else over the last twenty shards and a minute at
    /// least, and only while the job goes on. Times at which none ran (a pause, another job's turn) do not count. $1 jobs.
    /// </summary>
    public const string ListRates = """
        SELECT job.id, work.lines / busy.seconds
        FROM job
        CROSS JOIN LATERAL (
            SELECT max(finished_at) AS until FROM shard WHERE job_id = job.id AND state = 'done'
        ) AS progress
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN job.finished_at IS NOT NULL THEN '-infinity'
                ELSE least(progress.until - interval '1 minute', coalesce((
                    SELECT finished_at FROM shard WHERE job_id = job.id AND state = 'done' AND finished_at IS NOT NULL
                    ORDER BY finished_at DESC
                    OFFSET 20 LIMIT 1
                ), '-infinity'))
            END AS since
        ) AS recent
        CROSS JOIN LATERAL (
            SELECT sum(lines - answered) FILTER (WHERE state = 'done')::float8 AS lines,
                range_agg(tstzrange(greatest(started_at, recent.since), least(finished_at, progress.until))) AS times
            FROM shard
            WHERE job_id = job.id AND (state = 'running' OR (state = 'done' AND finished_at IS NOT NULL))
                AND greatest(started_at, recent.since) < least(finished_at, progress.until)
        ) AS work
        CROSS JOIN LATERAL (
            SELECT sum(extract(epoch FROM upper(time) - lower(time)))::float8 AS seconds FROM unnest(work.times) AS time
        ) AS busy
        WHERE job.id = ANY ($1) AND work.lines > 0 AND busy.seconds > 0
            AND (
                job.finished_at IS NOT NULL
                OR (
                    job.state = 'running' AND job.error_code IS NULL
                    AND EXISTS (SELECT FROM shard WHERE job_id = job.id AND state IN ('queued', 'running'))
                    AND NOT EXISTS (SELECT FROM model_pause WHERE model_pause.model = job.model)
                )
            )
        """;

    /// <summary>$1 job.</summary>
    public const string ListLoads = """
        SELECT model_load.id, model_load.served_by, model_load.worker_id, model_load.slot, model_load.report::text,
            served.lines
        FROM (SELECT load_id, sum(lines)::bigint AS lines FROM shard_result WHERE job_id = $1 GROUP BY load_id) AS served
        JOIN model_load ON model_load.id = served.load_id
        ORDER BY model_load.id
        """;

    /// <summary>$1 job.</summary>
    public const string ListWebhooks = """
        SELECT id, type, created_at, attempts, due_at, delivered_at, status, error
        FROM webhook_delivery
        WHERE job_id = $1
        ORDER BY created_at, id
        """;

    /// <summary>Before <see cref="PauseShards"/>, by the lock order. $1 job.</summary>
    public const string Pause =
        "UPDATE job SET state = 'paused' WHERE id = $1 AND state IN ('queued', 'running') RETURNING id";

    /// <summary>
    /// Takes shards back that were not begun; their Hangfire jobs will find nothing to do. Under <see cref="FeedQueries.Lock"/>:
    /// a feeder may be queueing some, which would stand there unseen. $1 job.
    /// </summary>
    public const string PauseShards = """
        UPDATE shard
        SET state = 'waiting', hangfire_job_id = NULL
        FROM job
        WHERE job.id = $1 AND job.state = 'paused' AND shard.job_id = $1 AND shard.state = 'queued'
        """;

    /// <summary>$1 job.</summary>
    public const string Resume = $"""
        WITH resumed AS (
            UPDATE job SET state = CASE WHEN started_at IS NULL THEN 'queued' ELSE 'running' END
            WHERE id = $1 AND state = 'paused'
            RETURNING id
        )
        SELECT pg_notify('{NotificationChannels.Waiting}', id::text) FROM resumed
        """;

    /// <summary>Before <see cref="SetShardPriority"/>, by the lock order. $1 job, $2 priority.</summary>
    public const string SetPriority = $"""
        WITH changed AS (
            UPDATE job SET priority = $2 WHERE id = $1 AND finished_at IS NULL AND priority <> $2 RETURNING id
        )
        SELECT pg_notify('{NotificationChannels.Waiting}', id::text) FROM changed
        """;

    /// <summary>
    /// Shards that stand in the queue of the old priority are taken back, to be queued anew; under
    /// <see cref="FeedQueries.Lock"/>. $1 job.
    /// </summary>
    public const string SetShardPriority = """
        UPDATE shard
        SET priority = job.priority,
            state = CASE WHEN shard.state = 'queued' THEN 'waiting' ELSE shard.state END,
            hangfire_job_id = CASE WHEN shard.state = 'queued' THEN NULL ELSE shard.hangfire_job_id END
        FROM job
        WHERE job.id = $1 AND shard.job_id = $1 AND shard.state IN ('waiting', 'queued', 'running')
            AND shard.priority <> job.priority
        """;
}
