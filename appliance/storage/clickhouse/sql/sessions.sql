-- A session exists as soon as one part of a trace names it. All versions of parts are read, as FINAL would have to merge them.

-- name: seen
SELECT
    session_id AS session,
    min(created_at) AS first_written,
    argMin(environment, (created_at, timestamp)) AS first_environment
FROM trace_parts
WHERE project_id = {project_id:String} AND session_id != '' $bounds
GROUP BY session_id

-- name: page
SELECT session AS id, toUnixTimestamp64Micro(first_written) AS created_at, first_environment AS environment
FROM ($seen)
$where
ORDER BY first_written DESC, session DESC
LIMIT {limit:UInt64} OFFSET {offset:UInt64}

-- name: count
SELECT count() AS total FROM ($seen) $where
