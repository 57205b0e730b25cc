-- Traces that were written to some time ago are aggregated into rows of their own.

-- name: state
-- How far everything is aggregated, and whether this server alone has the tables: what was acknowledged is visible then.
SELECT
    max(sequence) AS sequence,
    toUnixTimestamp64Micro(argMaxIf(until, folded_until.sequence, name = 'traces')) AS until_micros,
    toUnixTimestamp64Micro(argMaxIf(until, folded_until.sequence, name = 'certain')) AS certain_micros,
    toUnixTimestamp64Micro(now64(6, 'UTC')) AS now_micros,
    (SELECT any(engine) FROM system.tables WHERE database = currentDatabase() AND name = 'touched_traces') = 'MergeTree' AS is_alone
FROM folded_until

-- name: pending
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
SELECT toUnixTimestamp64Micro(min(first_start)) AS first_micros, toUnixTimestamp64Micro(max(last_start)) AS last_micros
FROM
(
    SELECT first_start, last_start FROM touched_traces WHERE touched_at > $since AND touched_at <= $upto
    UNION ALL
    SELECT first_start, last_start FROM folded_traces WHERE (project_id, id) IN ($dirty)
)

-- name: aggregate
INSERT INTO folded_traces
    (project_id, $columns, sequence)
SELECT project_id, $columns, {sequence:UInt64}
FROM ($aggregated)

-- name: remove
-- A row whose trace is gone, or begins at another moment than it was thought to.
INSERT INTO folded_traces
    (project_id, id, started, first_start, last_start, sequence, is_deleted)
SELECT project_id, id, started, first_start, last_start, {sequence:UInt64}, 1
FROM folded_traces FINAL
WHERE started >= $first AND started <= $last AND (project_id, id) IN ($dirty) AND sequence < {sequence:UInt64}

-- name: remember_places
-- Of a trace without parts no row is left that says where its observations lie: its parts may still come, elsewhere.
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
-- `traces` is the mark of readers; up to `certain` nothing was aggregated in a hurry.
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
