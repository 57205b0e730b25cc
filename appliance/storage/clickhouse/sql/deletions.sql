-- Deletions: objects are hidden by the table `deletions`, then deleted from every table. A row of the kind `complete` marks the
-- list of its moment as complete.

-- name: hide_matching
INSERT INTO deletions
    (project_id, kind, id, deleted_at)
SELECT {project_id:String}, 'trace', id, $moment
FROM ($all) AS trace $joins
$where
ORDER BY trace.started
LIMIT {most:UInt64}

-- name: hide_old_scores
-- Scores of traces are deleted with their trace.
INSERT INTO deletions
    (project_id, kind, id, deleted_at)
SELECT project_id, 'score', id, $moment
FROM scores FINAL
WHERE project_id = {project_id:String} AND trace_id = '' AND timestamp < $before
LIMIT {most:UInt64}

-- name: pending
SELECT
    toUnixTimestamp64Micro(deleted_at) AS moment,
    maxIf(1, kind = 'complete') AS is_complete,
    mapFromArrays(groupArray(kind), groupArray(objects)) AS counts
FROM
(
    SELECT deleted_at, toString(kind) AS kind, count() AS objects
    FROM deletions
    GROUP BY deleted_at, kind
)
GROUP BY deleted_at
ORDER BY deleted_at

-- name: listed
SELECT count() AS rows
FROM deletions
WHERE kind = {kind:String} AND project_id = {project_id:String} AND id = {id:String}

-- name: ids
SELECT project_id, id
FROM deletions
WHERE kind = {kind:String} AND $at AND (project_id, id) > ({after_project:String}, {after_id:String})
ORDER BY project_id, id
LIMIT 1 BY project_id, id
LIMIT {most:UInt64}

-- name: updated_since
-- Whether the ingestion API has written rows lately.
SELECT
(
    SELECT count() FROM observations WHERE source = 'api' AND event_ts >= $since
) + (
    SELECT count() FROM scores WHERE event_ts >= $since
) AS rows

-- name: patched
-- Objects whose updates Redis may still hold.
SELECT 'observation' AS kind, id
FROM observations
WHERE project_id = {project_id:String} AND $observations AND source = 'api' AND event_ts >= $since
UNION ALL
SELECT 'score' AS kind, id
FROM scores
WHERE project_id = {project_id:String} AND $scores AND event_ts >= $since

-- name: deleted
(SELECT $columns FROM deletions WHERE kind = '$kind' AND $at)

-- name: delete_rows
-- A lightweight delete: it marks rows, and `reclaim` frees their disk space.
DELETE FROM $table WHERE $rows

-- name: forget
ALTER TABLE deletions DELETE WHERE $at

-- name: reclaim
ALTER TABLE $table APPLY DELETED MASK

-- name: mark_dirty
-- Marks deleted traces that were written again since: their aggregate was deleted with the other rows.
INSERT INTO touched_traces
    (project_id, trace_id, touched_at, first_start, last_start)
SELECT project_id, id, now64(6, 'UTC'), min(timestamp), max(timestamp)
FROM trace_parts
WHERE $rows
GROUP BY project_id, id

-- name: unfinished
-- Running deletions of a table and the parts that they have left, on all servers that store it.
SELECT sum(parts_to_do) AS parts, count() AS mutations, max(latest_fail_reason) AS failure
FROM $mutations
WHERE database = {database:String} AND table = {table:String} AND NOT is_done
    AND (command LIKE '%_row_exists%' OR command LIKE '%DELETE%')
