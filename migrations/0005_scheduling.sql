-- When jobs may run: not before a time, not after one, not while their model's queue is paused.

-- start_at: no shard starts earlier. deadline: a job that has not finished by then fails and keeps the results it has.
ALTER TABLE job ADD COLUMN start_at timestamptz;
ALTER TABLE job ADD COLUMN deadline timestamptz;

CREATE INDEX job_deadline ON job (deadline)
WHERE deadline IS NOT NULL AND state IN ('receiving', 'queued', 'running', 'paused');

-- Models whose queues are paused: no shard of theirs starts; what runs goes on.
CREATE TABLE model_pause (
    model     text        NOT NULL,
    paused_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT model_pause_pk PRIMARY KEY (model)
);
