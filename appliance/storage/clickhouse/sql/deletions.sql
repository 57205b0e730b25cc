-- What was deleted: hidden by `deletions`, then deleted from every table.

-- name: hide_matching
INSERT INTO deletions
    (project_id, kind, id, deleted_at)
SELECT {project_id:String}, 'trace', id, $moment
FROM ($all) AS trace $joins
$where
LIMIT {most:UInt64}

-- name: hide_old_scores
-- Scores of traces go with them.
INSERT INTO deletions
    (project_id, kind, id, deleted_at)
SELECT project_id, 'score', id, $moment
FROM scores FINAL
WHERE project_id = {project_id:String} AND trace_id = '' AND timestamp < $before
LIMIT {most:UInt64}

-- name: pending
SELECT kind, toUnixTimestamp64Micro(deleted_at) AS moment, count() AS objects
FROM deletions
GROUP BY kind, deleted_at

-- name: ids
SELECT project_id, id
FROM deletions
WHERE kind = {kind:String} AND deleted_at <= $upto AND (project_id, id) > ({after_project:String}, {after_id:String})
ORDER BY project_id, id
LIMIT 1 BY project_id, id
LIMIT {most:UInt64}

-- name: patched
-- Objects whose updates Redis may still hold.
SELECT project_id, 'observation' AS kind, id
FROM observations
WHERE $observations AND source = 'api' AND event_ts >= $since
UNION ALL
SELECT project_id, 'score' AS kind, id
FROM scores
WHERE $scores AND event_ts >= $since

-- name: deleted
(SELECT $columns FROM deletions WHERE kind = '$kind' AND deleted_at <= $upto)

-- name: delete_rows
-- Marks rows; what a mark costs later is given back by `reclaim`.
DELETE FROM $table WHERE $rows

-- name: forget
ALTER TABLE deletions DELETE WHERE kind = {kind:String} AND deleted_at <= $upto

-- name: reclaim
ALTER TABLE $table APPLY DELETED MASK

-- name: touch
-- What was written to a deleted trace since then is to be aggregated once more: its row went with the others.
INSERT INTO touched_traces
    (project_id, trace_id, touched_at, first_start, last_start)
SELECT project_id, id, now64(6, 'UTC'), min(timestamp), max(timestamp)
FROM trace_parts
WHERE $rows
GROUP BY project_id, id

-- name: unfinished
-- Deletions of a table that are still at work, and the parts that they have left.
SELECT sum(parts_to_do) AS parts, count() AS mutations, max(latest_fail_reason) AS failure
FROM system.mutations
WHERE database = currentDatabase() AND table = {table:String} AND NOT is_done
    AND (command LIKE '%_row_exists%' OR command LIKE '%DELETE%')
