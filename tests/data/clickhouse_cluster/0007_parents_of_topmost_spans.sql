ALTER TABLE trace_parts_local ON CLUSTER `main` ADD COLUMN IF NOT EXISTS parent_id String;

ALTER TABLE trace_parts ON CLUSTER `main` ADD COLUMN IF NOT EXISTS parent_id String;
