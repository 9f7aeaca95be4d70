using Seq2Seq.Jobs.Storage;

namespace Seq2Seq.Jobs.Submission;

/// <summary>
/// The SQL of <see cref="JobUpload"/>. A batch runs in one transaction; each of its statements sees what the others did.
/// Shards go in as arrays and not by COPY, so that a small job is one round trip: see <c>docs/decisions</c>.
/// </summary>
internal static class UploadQueries
{
    // A sender sends at least every minute; after this time without a sign of life a submit is abandoned, for good: its rows
    // may be going already.
    private const string Patience = "interval '10 minutes'";

    /// <summary>
    /// Inserts the job; no row when its key is taken. $1 id, $2 state, $3 model, $4 retention, $5 priority, $6 parameters,
    /// $7 name, $8 idempotency key, $9 webhook's address, $10 its secret, $11 API key, $12 start, $13 deadline,
    /// $14 lines, $15 bytes, $16 shards, $17 digest,
    /// $18 trace context.
    /// </summary>
    public const string Insert = $"""
        INSERT INTO job (id, state, model, retention, priority, parameters, name, idempotency_key, lines, bytes, shards,
            request_digest, webhook_url, webhook_secret, api_key_id, start_at, deadline, trace_parent, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $14, $15, $16, $17, $9, $10, $11, $12, $13, $18,
            CASE WHEN $2 = 'receiving' THEN now() + {Patience} END)
        ON CONFLICT (idempotency_key, api_key_id) WHERE idempotency_key IS NOT NULL DO NOTHING
        RETURNING {JobRow.Columns}
        """;

    /// <summary>Locks the job and gives a sign of life; no row when it may no longer be written to. $1 job.</summary>
    public const string Touch = $"""
        UPDATE job SET expires_at = now() + {Patience}
        WHERE id = $1 AND state = 'receiving' AND expires_at > now()
        RETURNING {JobRow.Columns}
        """;

    /// <summary>Opens a job to workers; no row when it may no longer be written to. $1 job, $2 lines, $3 bytes, $4 shards, $5 digest.</summary>
    public const string Open = $"""
        UPDATE job
        SET state = 'queued', expires_at = NULL, lines = $2, bytes = $3, shards = $4, request_digest = $5
        WHERE id = $1 AND state = 'receiving' AND expires_at > now()
        RETURNING {JobRow.Columns}
        """;

    /// <summary>Adds shards to a job that takes them. $1 job, $2 first lines, $3 numbers of lines, $4 inputs.</summary>
    public const string AddShards = """
        INSERT INTO shard (job_id, first_line, lines, priority, model, input)
        SELECT job.id, part.first_line, part.lines, job.priority, job.model, part.input
        FROM job, unnest($2, $3, $4) AS part (first_line, lines, input)
        WHERE job.id = $1 AND job.state IN ('receiving', 'queued')
        """;

    /// <summary>$1 job, $2 channel.</summary>
    public const string Notify = "SELECT pg_notify($2, id::text) FROM job WHERE id = $1 AND state = 'queued'";

    /// <summary>Removes a job whose submit broke off. $1 job.</summary>
    public const string Discard = "DELETE FROM job WHERE id = $1 AND state = 'receiving'";

    /// <summary>Frees an idempotency key whose job has expired. $1 idempotency key, $2 API key.</summary>
    public const string ReleaseKey = $"""
        UPDATE job SET idempotency_key = NULL
        WHERE idempotency_key = $1 AND api_key_id IS NOT DISTINCT FROM $2 AND NOT {JobRow.NotExpired}
        """;

    /// <summary>The job of an idempotency key, and whether its lines are still arriving. $1 idempotency key, $2 API key.</summary>
    public const string FindKey = """
        SELECT id, state = 'receiving' FROM job WHERE idempotency_key = $1 AND api_key_id IS NOT DISTINCT FROM $2
        """;

    /// <summary>The earlier job, if its request was the same. $1 job, $2 digest.</summary>
    public const string FindEarlier = $"SELECT {JobRow.Columns} FROM job WHERE id = $1 AND request_digest = $2";
}
