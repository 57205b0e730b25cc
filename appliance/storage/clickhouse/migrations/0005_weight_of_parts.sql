-- What a part says counts for more the nearer its span is to the root of the trace. What is stored already weighs nothing, and
-- so is folded as before.

ALTER TABLE trace_parts
    ADD COLUMN IF NOT EXISTS weight Int64 DEFAULT 0,
    ADD COLUMN IF NOT EXISTS given Array(LowCardinality(String));
