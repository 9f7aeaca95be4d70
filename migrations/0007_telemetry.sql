-- What is traced and measured.

-- The W3C trace context of the request that submitted the job: the runs of its shards, in whatever process, belong to that trace.
ALTER TABLE job ADD COLUMN trace_parent text;

-- For counting what is unfinished, and what has ended lately, without reading the jobs.
CREATE INDEX job_unfinished ON job (model, state, created_at) WHERE finished_at IS NULL;
CREATE INDEX job_ended_at ON job (finished_at, model, state) WHERE finished_at IS NOT NULL;
