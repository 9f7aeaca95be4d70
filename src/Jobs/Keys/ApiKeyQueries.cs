namespace Seq2Seq.Jobs.Keys;

/// <summary>The SQL of <see cref="ApiKeyDirectory"/> and <see cref="KeyUsage"/>.</summary>
internal static class ApiKeyQueries
{
    private const string Columns = """
        id, name, prefix, scopes, created_at, expires_at, revoked_at, last_used_at, max_unfinished_jobs,
        max_submits_per_minute, max_lines_per_day, max_bytes_per_day
        """;

    private const string Works = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())";

    /// <summary>
    /// No row when a key in use has the name. $1 id, $2 name, $3 prefix, $4 hash, $5 scopes, $6 expiry, $7 unfinished jobs,
    /// $8 submits a minute, $9 lines a day, $10 bytes a day.
    /// </summary>
    public const string Add = $"""
        INSERT INTO api_key (id, name, prefix, hash, scopes, expires_at, max_unfinished_jobs, max_submits_per_minute,
            max_lines_per_day, max_bytes_per_day)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (lower(name)) WHERE revoked_at IS NULL DO NOTHING
        RETURNING {Columns}
        """;

    public const string List = $"SELECT {Columns} FROM api_key ORDER BY id DESC";

    public const string Any = "SELECT EXISTS (SELECT FROM api_key)";

    /// <summary>$1 key.</summary>
    public const string FindById = $"SELECT {Columns} FROM api_key WHERE id = $1 AND {Works}";

    /// <summary>$1 key.</summary>
    public const string Revoke =
        $"UPDATE api_key SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1 RETURNING {Columns}";

    /// <summary>Notes the use once a minute. $1 hash.</summary>
    public const string Find = $"""
        WITH used AS (
            UPDATE api_key SET last_used_at = now()
            WHERE hash = $1 AND {Works} AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
        )
        SELECT {Columns} FROM api_key WHERE hash = $1 AND {Works}
        """;

    /// <summary>Lets one submit of a key be stored after the other. $1 key.</summary>
    public const string Lock = "SELECT FROM api_key WHERE id = $1 FOR NO KEY UPDATE";

    /// <summary>What a key has in use and its limits. $1 key, $2 a job that does not count.</summary>
    public const string Usage = $"""
        SELECT max_unfinished_jobs, max_submits_per_minute, max_lines_per_day, max_bytes_per_day,
            (SELECT count(*) FROM job WHERE api_key_id = $1 AND finished_at IS NULL AND id <> $2),
            day.lines, day.bytes, day.first_hour + interval '25 hours' - now()
        FROM api_key
        CROSS JOIN (
            SELECT coalesce(sum(lines), 0)::bigint AS lines, coalesce(sum(bytes), 0)::bigint AS bytes, min(hour) AS first_hour
            FROM api_key_usage
            WHERE api_key_id = $1 AND hour > now() - interval '25 hours'
        ) AS day
        WHERE id = $1
        """;

    /// <summary>
    /// Counts a submit against the rate; no row when it comes too early. GCRA with a burst of a minute's worth. $1 key, $2 time
    /// from one submit to the next at the permitted rate.
    /// </summary>
    public const string CountSubmit = """
        UPDATE api_key SET submit_at = greatest(submit_at, now()) + $2
        WHERE id = $1 AND (submit_at IS NULL OR submit_at <= now() + interval '1 minute' - $2)
        RETURNING 1
        """;

    /// <summary>How long until the next submit may come. $1 key, $2 as above.</summary>
    public const string UntilNextSubmit =
        "SELECT submit_at - (now() + interval '1 minute' - $2) FROM api_key WHERE id = $1";

    /// <summary>Adds what a job brings, in the job's own transaction. $1 job.</summary>
    public const string AddUsage = """
        INSERT INTO api_key_usage (api_key_id, hour, lines, bytes)
        SELECT api_key_id, date_trunc('hour', now()), lines, bytes
        FROM job
        WHERE id = $1 AND api_key_id IS NOT NULL AND state = 'queued'
        ON CONFLICT (api_key_id, hour) DO UPDATE
        SET lines = api_key_usage.lines + excluded.lines, bytes = api_key_usage.bytes + excluded.bytes
        """;

    /// <summary>Drops hours that no limit looks at any more.</summary>
    public const string DropOldUsage = "DELETE FROM api_key_usage WHERE hour < now() - interval '2 days'";
}
