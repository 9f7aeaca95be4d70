-- What feeding, leasing and placing need to remember.
--
-- Fairness goes by fed_at: among jobs of one priority that have equally many shards at work, the one that was fed longest
-- ago comes next. queued_at tells a shard that was just queued from one whose Hangfire job is gone.

ALTER TABLE job ADD COLUMN fed_at timestamptz;
ALTER TABLE shard ADD COLUMN queued_at timestamptz;

CREATE INDEX job_queued ON job (model, priority, created_at) WHERE state = 'queued';
CREATE INDEX job_running ON job (model, priority, created_at) WHERE state = 'running';
CREATE INDEX shard_queued ON shard (queued_at) WHERE state = 'queued';
CREATE INDEX worker_heartbeat ON worker (heartbeat_at);

-- Shards that a slot runs at once: the feeder keeps as many more waiting for it.
ALTER TABLE slot ADD COLUMN shards_at_once integer NOT NULL DEFAULT 1;

-- What a few batches took on this slot, for placing by cost; null when it was not measured.
ALTER TABLE slot_model ADD COLUMN lines_per_second double precision;
-- Why the model is not here, and when loading it is tried again.
ALTER TABLE slot_model ADD COLUMN error_code text;
ALTER TABLE slot_model ADD COLUMN error_message text;
ALTER TABLE slot_model ADD COLUMN retry_at timestamptz;
