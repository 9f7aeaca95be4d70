-- Webhooks: a message to the caller's address when a job has ended.
--
-- The message is written by the transaction that ends the job, whoever ends it, so it is sent if and only if the job has
-- ended: that is why a trigger does it. Sending happens apart, from this table.

ALTER TABLE job ADD COLUMN webhook_url text;
-- As its caller gave it: signing needs it in plain. Null: the configured secret.
ALTER TABLE job ADD COLUMN webhook_secret text;

-- due_at: when the next attempt may begin; null once the message is delivered or given up. body never changes, so that every
-- attempt says the same.
CREATE TABLE webhook_delivery (
    id           uuid        NOT NULL DEFAULT gen_random_uuid(),
    job_id       uuid        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    due_at       timestamptz DEFAULT now(),
    delivered_at timestamptz,
    attempts     integer     NOT NULL DEFAULT 0,
    status       integer,
    type         text        NOT NULL,
    body         text        NOT NULL,
    error        text,
    CONSTRAINT webhook_delivery_pk PRIMARY KEY (id),
    CONSTRAINT webhook_delivery_job_fk FOREIGN KEY (job_id) REFERENCES job (id) ON DELETE CASCADE,
    CONSTRAINT webhook_delivery_over_when_delivered CHECK (delivered_at IS NULL OR due_at IS NULL)
);

CREATE INDEX webhook_delivery_job ON webhook_delivery (job_id);
CREATE INDEX webhook_delivery_due ON webhook_delivery (due_at) WHERE due_at IS NOT NULL;

CREATE FUNCTION add_webhook_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO webhook_delivery (job_id, type, body)
    VALUES (
        NEW.id,
        'job.' || NEW.state,
        json_build_object(
            'type', 'job.' || NEW.state,
            'timestamp', NEW.finished_at,
            'data', json_build_object(
                'id', NEW.id,
                'name', NEW.name,
                'model', NEW.model,
                'state', NEW.state,
                'run', NEW.run,
                'lines', NEW.lines,
                'lines_done', NEW.lines_done,
                'lines_failed', NEW.lines_failed,
                'created_at', NEW.created_at,
                'started_at', NEW.started_at,
                'finished_at', NEW.finished_at,
                'error_code', NEW.error_code,
                'error_message', NEW.error_message
            )
        )::text
    );
    PERFORM pg_notify('seq2seq_webhook', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER job_ended AFTER UPDATE ON job
FOR EACH ROW
WHEN (OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL AND NEW.webhook_url IS NOT NULL)
EXECUTE FUNCTION add_webhook_delivery();
