-- Aggregates dirty traces, one row each in `folded_traces`. `touched_traces` is sorted by time, so that each statement reads
-- the rows of its round only.

-- name: state
-- Up to when traces are aggregated, and whether this is a single server, where acknowledged rows are visible.
SELECT
    max(sequence) AS sequence,
    toUnixTimestamp64Micro(argMaxIf(until, folded_until.sequence, name = 'traces')) AS until_micros,
    toUnixTimestamp64Micro(argMaxIf(until, folded_until.sequence, name = 'certain')) AS certain_micros,
    toUnixTimestamp64Micro(now64(6, 'UTC')) AS now_micros,
    (SELECT any(engine) FROM system.tables WHERE database = currentDatabase() AND name = 'touched_traces') = 'MergeTree' AS is_alone
FROM folded_until

-- name: pending
-- Quick at rest: the rows after the mark are the last ones of the table.
SELECT count() AS dirty_count
FROM touched_traces
WHERE touched_at > (SELECT argMax(until, sequence) FROM folded_until WHERE name = 'traces')

-- name: next
SELECT count() AS dirty_count, toUnixTimestamp64Micro(max(touched_at)) AS upto_micros
FROM
(
    SELECT touched_at
    FROM touched_traces
    WHERE touched_at > $since AND touched_at <= $horizon
    ORDER BY touched_at
    LIMIT {most:UInt64}
)

-- name: dirty
SELECT project_id, trace_id FROM touched_traces WHERE touched_at > $since AND touched_at <= $upto

-- name: bounds
-- The time bounds of the dirty traces, by which the other statements open few parts of the tables.
SELECT toUnixTimestamp64Micro(min(first_start)) AS first_micros, toUnixTimestamp64Micro(max(last_start)) AS last_micros
FROM
(
    SELECT first_start, last_start FROM touched_traces WHERE touched_at > $since AND touched_at <= $upto
    UNION ALL
    SELECT first_start, last_start FROM folded_traces WHERE (project_id, id) IN ($dirty)
)

-- name: aggregate
-- Within the server: no row travels to the worker and back.
INSERT INTO folded_traces
    (project_id, $columns, sequence)
SELECT project_id, $columns, {sequence:UInt64}
FROM ($aggregated)

-- name: remove
-- Marks aggregates whose trace is gone, or whose start has changed, which is part of their key.
INSERT INTO folded_traces
    (project_id, id, started, first_start, last_start, sequence, is_deleted)
SELECT project_id, id, started, first_start, last_start, {sequence:UInt64}, 1
FROM folded_traces FINAL
WHERE started >= $first AND started <= $last AND (project_id, id) IN ($dirty) AND sequence < {sequence:UInt64}

-- name: remember_places
-- A trace without parts has no aggregate, but its parts may still come: a deleted row keeps its time bounds.
INSERT INTO folded_traces
    (project_id, id, started, first_start, last_start, sequence, is_deleted)
SELECT project_id, trace_id, min(rows.first_start), min(rows.first_start), max(rows.last_start), {sequence:UInt64}, 1
FROM
(
    SELECT project_id, trace_id, first_start, last_start
    FROM touched_traces
    WHERE touched_at > $since AND touched_at <= $upto AND trace_id != ''
    UNION ALL
    SELECT project_id, id AS trace_id, first_start, last_start
    FROM folded_traces
    WHERE started >= $first AND started <= $last AND (project_id, id) IN ($dirty)
) AS rows
WHERE (project_id, trace_id) NOT IN
(
    SELECT project_id, id
    FROM folded_traces
    WHERE started >= $first AND started <= $last AND (project_id, id) IN ($dirty)
        AND sequence = {sequence:UInt64} AND is_deleted = 0
)
GROUP BY project_id, trace_id

-- name: mark
-- Readers aggregate traces after the mark `traces`; up to `certain` none was aggregated early.
INSERT INTO folded_until
    (name, sequence, until)
SELECT mark.1, {sequence:UInt64}, mark.2
FROM (SELECT arrayJoin([('traces', $until), ('certain', $certain)]) AS mark)

-- name: finished_days
SELECT DISTINCT toString(toDate(touched_at)) AS day
FROM touched_traces
WHERE touched_at < toStartOfDay(least($certain, now64(6, 'UTC')))

-- name: forget_day
ALTER TABLE touched_traces DROP PARTITION {day:String}
