-- Jobs, their shards and results, and what workers say of themselves.
--
-- The truth about work lives here; Hangfire's own tables only wake, retry and spread it. Columns stand widest first, so
-- that rows carry no padding. States are text with named checks, so that a psql session can be read without a key.

-- Lock order: whoever changes a job's row and its shards' in one transaction changes the job's first.

-- One submitted job. Ids are version 7: newer is greater. Counters are moved in the transaction that writes a shard's results,
-- so they never drift. expires_at: when a finished job is deleted (finished_at + retention); while lines arrive, when the
-- submit counts as abandoned. run: counts up when failed lines are run again.
CREATE TABLE job (
    id              uuid        NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    started_at      timestamptz,
    finished_at     timestamptz,
    expires_at      timestamptz,
    retention       interval    NOT NULL DEFAULT interval '7 days',
    lines           bigint      NOT NULL DEFAULT 0,
    lines_done      bigint      NOT NULL DEFAULT 0,
    lines_failed    bigint      NOT NULL DEFAULT 0,
    bytes           bigint      NOT NULL DEFAULT 0,
    shards          integer     NOT NULL DEFAULT 0,
    shards_done     integer     NOT NULL DEFAULT 0,
    run             integer     NOT NULL DEFAULT 1,
    priority        smallint    NOT NULL DEFAULT 5,
    state           text        NOT NULL,
    model           text        NOT NULL,
    name            text,
    parameters      jsonb       NOT NULL DEFAULT '{}',
    options         jsonb       NOT NULL DEFAULT '{}',
    idempotency_key text,
    request_digest  bytea,
    error_code      text,
    error_message   text,
    CONSTRAINT job_pk PRIMARY KEY (id),
    CONSTRAINT job_idempotency_key_unique UNIQUE (idempotency_key),
    CONSTRAINT job_state_known CHECK (state IN ('receiving', 'queued', 'running', 'paused', 'completed', 'failed', 'cancelled')),
    CONSTRAINT job_priority_range CHECK (priority BETWEEN 0 AND 9),
    CONSTRAINT job_lines_add_up CHECK (lines_done <= lines AND lines_failed <= lines_done),
    CONSTRAINT job_shards_add_up CHECK (shards_done <= shards),
    CONSTRAINT job_finished_has_time CHECK ((state IN ('completed', 'failed', 'cancelled')) = (finished_at IS NOT NULL))
);

CREATE INDEX job_expires ON job (expires_at) WHERE expires_at IS NOT NULL;

-- Consecutive lines of a job, leased to one worker at a time. The shards of a job always partition its lines: splitting one
-- shortens it and inserts the rest. input: the source lines (src/Jobs/Sharding/ShardInput.cs); null once a shard is done and
-- none of its lines failed. answered: lines whose result an earlier run gave; they stand in the input with it, and are
-- counted in the job already.
CREATE TABLE shard (
    id              bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    job_id          uuid        NOT NULL,
    lease           uuid,
    lease_until     timestamptz,
    not_before      timestamptz,
    started_at      timestamptz,
    finished_at     timestamptz,
    first_line      bigint      NOT NULL,
    lines           integer     NOT NULL,
    attempts        integer     NOT NULL DEFAULT 0,
    answered        integer     NOT NULL DEFAULT 0,
    priority        smallint    NOT NULL,
    state           text        NOT NULL DEFAULT 'waiting',
    model           text        NOT NULL,
    worker          text,
    slot            text,
    hangfire_job_id text,
    error_code      text,
    error_message   text,
    input           bytea,
    CONSTRAINT shard_pk PRIMARY KEY (id),
    CONSTRAINT shard_job_fk FOREIGN KEY (job_id) REFERENCES job (id) ON DELETE CASCADE,
    CONSTRAINT shard_first_line_unique UNIQUE (job_id, first_line),
    CONSTRAINT shard_state_known CHECK (state IN ('waiting', 'queued', 'running', 'done', 'cancelled')),
    CONSTRAINT shard_running_has_lease CHECK ((state = 'running') = (lease IS NOT NULL AND lease_until IS NOT NULL)),
    CONSTRAINT shard_lines_positive CHECK (lines > 0),
    CONSTRAINT shard_answered_range CHECK (answered BETWEEN 0 AND lines)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05, fillfactor = 80);

ALTER TABLE shard ALTER COLUMN input SET COMPRESSION lz4;

CREATE INDEX shard_waiting ON shard (priority, job_id, first_line) WHERE state = 'waiting';
CREATE INDEX shard_active ON shard (job_id) WHERE state IN ('queued', 'running');
CREATE INDEX shard_lease ON shard (lease_until) WHERE state = 'running';

-- What a worker process says of itself; a row whose heartbeat is old is a dead worker.
CREATE TABLE worker (
    id           text        NOT NULL,
    started_at   timestamptz NOT NULL DEFAULT now(),
    heartbeat_at timestamptz NOT NULL DEFAULT now(),
    process_id   integer     NOT NULL,
    host         text        NOT NULL,
    version      text        NOT NULL,
    CONSTRAINT worker_pk PRIMARY KEY (id)
);

-- A device slot of a worker.
CREATE TABLE slot (
    worker_id    text        NOT NULL,
    name         text        NOT NULL,
    device       text        NOT NULL,
    threads      integer     NOT NULL,
    state        text        NOT NULL,
    message      text,
    lines_done   bigint      NOT NULL DEFAULT 0,
    busy_seconds double precision NOT NULL DEFAULT 0,
    CONSTRAINT slot_pk PRIMARY KEY (worker_id, name),
    CONSTRAINT slot_worker_fk FOREIGN KEY (worker_id) REFERENCES worker (id) ON DELETE CASCADE,
    CONSTRAINT slot_state_known CHECK (state IN ('loading', 'ready', 'draining', 'failed'))
);

-- Every load of a model, with its report. Kept after the worker is gone: results name the load that served them.
CREATE TABLE model_load (
    id         bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    created_at timestamptz NOT NULL DEFAULT now(),
    model      text        NOT NULL,
    served_by  text        NOT NULL,
    worker_id  text        NOT NULL,
    slot       text        NOT NULL,
    outcome    text        NOT NULL,
    report     jsonb       NOT NULL,
    CONSTRAINT model_load_pk PRIMARY KEY (id),
    CONSTRAINT model_load_outcome_known CHECK (outcome IN ('loaded', 'refused'))
);

CREATE INDEX model_load_model ON model_load (model, id DESC);

-- Which model stands on which slot, and how it got there.
CREATE TABLE slot_model (
    worker_id  text        NOT NULL,
    slot       text        NOT NULL,
    model      text        NOT NULL,
    state      text        NOT NULL,
    load_id    bigint,
    CONSTRAINT slot_model_pk PRIMARY KEY (worker_id, slot, model),
    CONSTRAINT slot_model_slot_fk FOREIGN KEY (worker_id, slot) REFERENCES slot (worker_id, name) ON DELETE CASCADE,
    CONSTRAINT slot_model_load_fk FOREIGN KEY (load_id) REFERENCES model_load (id),
    CONSTRAINT slot_model_state_known CHECK (state IN ('loading', 'ready', 'failed', 'elsewhere'))
);

-- The results of one shard, written once, with the shard's lease as fence. output: src/Jobs/Results/ShardOutput.cs.
CREATE TABLE shard_result (
    job_id     uuid        NOT NULL,
    first_line bigint      NOT NULL,
    load_id    bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    lines      integer     NOT NULL,
    failed     integer     NOT NULL,
    attempts   integer     NOT NULL,
    output     bytea       NOT NULL,
    CONSTRAINT shard_result_pk PRIMARY KEY (job_id, first_line),
    CONSTRAINT shard_result_job_fk FOREIGN KEY (job_id) REFERENCES job (id) ON DELETE CASCADE,
    CONSTRAINT shard_result_load_fk FOREIGN KEY (load_id) REFERENCES model_load (id)
);

ALTER TABLE shard_result ALTER COLUMN output SET COMPRESSION lz4;
