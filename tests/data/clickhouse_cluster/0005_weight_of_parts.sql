ALTER TABLE trace_parts_local ON CLUSTER `main`
    ADD COLUMN IF NOT EXISTS weight Int64 DEFAULT 0,
    ADD COLUMN IF NOT EXISTS given Array(LowCardinality(String));

ALTER TABLE trace_parts ON CLUSTER `main` ADD COLUMN IF NOT EXISTS weight Int64 DEFAULT 0, ADD COLUMN IF NOT EXISTS given Array(LowCardinality(String));
