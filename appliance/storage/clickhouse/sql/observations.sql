-- Lists find keys in the narrow table (or in the wide one, for tests of texts) and then read whole rows by key: the long texts
-- are read for the rows of a page only.

-- name: row
    $columns,
    toUnixTimestamp64Micro(observations.start_time) AS start_time,
    toUnixTimestamp64Micro(observations.end_time) AS end_time,
    toUnixTimestamp64Micro(observations.completion_start_time) AS completion_start_time,
    toUnixTimestamp64Micro(observations.created_at) AS created_at,
    toUnixTimestamp64Micro(observations.updated_at) AS updated_at,
    toUnixTimestamp64Micro(observations.event_ts) AS event_ts

-- name: reach
-- How many of the newest rows fulfil the conditions, up to a limit, and when the earliest of them began. Read in the table's
-- order and without FINAL, it ends early. All versions are counted: a page begins no earlier, unless most of them are old.
SELECT count() AS found, toUnixTimestamp64Micro(min(start)) AS since_micros
FROM
(
    SELECT row.start_time AS start
    FROM observations_list AS row
    WHERE project_id = {project_id:String} $where
    ORDER BY project_id DESC, toStartOfMinute(row.start_time) DESC
    LIMIT {most:UInt64}
)

-- name: keys
-- Bounded by the start that `reach` found, FINAL merges few rows.
SELECT
    trace_id,
    id,
    toUnixTimestamp64Micro(row.start_time) AS start_micros,
    xxHash32(trace_id) AS trace_hash
FROM observations_list AS row FINAL
WHERE project_id = {project_id:String} $where
ORDER BY project_id DESC, toStartOfMinute(row.start_time) DESC, row.start_time DESC, xxHash32(trace_id) DESC, id DESC
LIMIT {limit:UInt64} OFFSET {offset:UInt64}

-- name: count
SELECT count() AS total
FROM observations_list AS row FINAL
WHERE project_id = {project_id:String} $where

-- name: known
-- All versions of rows with known time bounds, which open few granules; the newest is chosen in Python. PREWHERE is written
-- out, as finding it would open a file of every column.
SELECT $row
FROM observations
PREWHERE project_id = {project_id:String} AND $which $bounds

-- name: steps
-- The rows of a tree without texts, from the narrow table, within the time bounds of the trace.
SELECT
    id, parent_id AS parentObservationId, type, name, level, status_message AS statusMessage, environment, version,
    model AS providedModelName, usage_details AS usageDetails, total_cost AS totalCost, prompt_name AS promptName,
    prompt_version AS promptVersion, start_time AS startTime, end_time AS endTime,
    completion_start_time AS completionStartTime
FROM observations_list FINAL
WHERE project_id = {project_id:String} AND trace_id = {trace_id:String} $bounds
ORDER BY start_time, id
LIMIT {limit:UInt64} OFFSET {offset:UInt64}

-- name: through_trace
trace_id IN (SELECT trace.id FROM ($all) AS trace $joins $where)

-- name: in_wide
(trace_id, id) IN (SELECT trace_id, id FROM observations FINAL WHERE project_id = {project_id:String} $where)
