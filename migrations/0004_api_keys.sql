-- API keys: who submits, what they may do, and how much.
--
-- Of a key only its SHA-256 is kept: it is 256 random bits, so nobody finds it from that. Keys are revoked, never deleted:
-- jobs go on naming them.

-- max_…: null is no limit. submit_at: the time at which the key's submits so far would be due if they came evenly at the
-- permitted rate (GCRA); a burst of a minute's submits may run ahead of it.
CREATE TABLE api_key (
    id                     uuid        NOT NULL,
    created_at             timestamptz NOT NULL DEFAULT now(),
    expires_at             timestamptz,
    revoked_at             timestamptz,
    last_used_at           timestamptz,
    submit_at              timestamptz,
    max_lines_per_day      bigint,
    max_bytes_per_day      bigint,
    max_unfinished_jobs    integer,
    max_submits_per_minute integer,
    name                   text        NOT NULL,
    prefix                 text        NOT NULL,
    scopes                 text[]      NOT NULL,
    hash                   bytea       NOT NULL,
    CONSTRAINT api_key_pk PRIMARY KEY (id),
    CONSTRAINT api_key_hash_unique UNIQUE (hash),
    CONSTRAINT api_key_scopes_known CHECK (scopes <@ ARRAY['read', 'write', 'admin']),
    CONSTRAINT api_key_limits_positive CHECK (
        max_lines_per_day > 0 AND max_bytes_per_day > 0 AND max_unfinished_jobs > 0 AND max_submits_per_minute > 0
    )
);

-- Two keys in use never have the same name; a revoked one's is free.
CREATE UNIQUE INDEX api_key_name_unique ON api_key (lower(name)) WHERE revoked_at IS NULL;

-- What each key has submitted, by hour. Apart from jobs, because those may be gone before the day is over.
CREATE TABLE api_key_usage (
    api_key_id uuid        NOT NULL,
    hour       timestamptz NOT NULL,
    lines      bigint      NOT NULL DEFAULT 0,
    bytes      bigint      NOT NULL DEFAULT 0,
    CONSTRAINT api_key_usage_pk PRIMARY KEY (api_key_id, hour),
    CONSTRAINT api_key_usage_key_fk FOREIGN KEY (api_key_id) REFERENCES api_key (id)
);

-- Null: submitted without a key, or with one of the configuration.
ALTER TABLE job ADD COLUMN api_key_id uuid;
ALTER TABLE job ADD CONSTRAINT job_api_key_fk FOREIGN KEY (api_key_id) REFERENCES api_key (id);

CREATE INDEX job_api_key_unfinished ON job (api_key_id) WHERE api_key_id IS NOT NULL AND finished_at IS NULL;

-- An idempotency key means something only among the requests of one caller.
ALTER TABLE job DROP CONSTRAINT job_idempotency_key_unique;
CREATE UNIQUE INDEX job_idempotency_key_unique ON job (idempotency_key, api_key_id) NULLS NOT DISTINCT
    WHERE idempotency_key IS NOT NULL;
