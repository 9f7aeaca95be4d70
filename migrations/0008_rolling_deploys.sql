-- What processes of two versions need to know of each other while both run.

-- The generation parameters that the worker reads; null: its version does not say.
ALTER TABLE worker ADD COLUMN parameters text[];

-- Since when workers have handed the shard back because they can't read its job's parameters: a newer version took the job in.
ALTER TABLE shard ADD COLUMN unread_since timestamptz;
