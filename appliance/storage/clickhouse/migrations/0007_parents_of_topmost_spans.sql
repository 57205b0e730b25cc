-- A topmost span of one request may lie below that of another, and must not name the trace then, whatever the clocks say.

ALTER TABLE trace_parts ADD COLUMN IF NOT EXISTS parent_id String;
