-- Keys see only the jobs that they submitted, unless they have the scope 'all'.

ALTER TABLE api_key DROP CONSTRAINT api_key_scopes_known;
ALTER TABLE api_key ADD CONSTRAINT api_key_scopes_known CHECK (scopes <@ ARRAY['read', 'write', 'all', 'admin']);

-- A key's jobs, newest first.
CREATE INDEX job_api_key ON job (api_key_id, id) WHERE api_key_id IS NOT NULL;
