-- name: page
-- Scores are few and sorted by id; the index by timestamp skips granules when the filter bounds the time.
SELECT
    project_id, id, name, source, data_type, value, string_value, long_string_value, environment, trace_id,
    observation_id, session_id, dataset_run_id, execution_trace_id, comment, metadata, author_user_id, config_id,
    queue_id, sdk_name, sdk_version,
    toUnixTimestamp64Micro(scores.timestamp) AS timestamp,
    toUnixTimestamp64Micro(scores.event_ts) AS event_ts,
    toUnixTimestamp64Micro(scores.created_at) AS created_at,
    toUnixTimestamp64Micro(scores.updated_at) AS updated_at
FROM scores FINAL
WHERE project_id = {project_id:String} $where
ORDER BY scores.timestamp DESC, id DESC
LIMIT {limit:UInt64} OFFSET {offset:UInt64}

-- name: count
SELECT count() AS total
FROM scores FINAL
WHERE project_id = {project_id:String} $where

-- name: of_trace
-- Whether a trace may have scores. Without FINAL the index by trace decides, mostly without reading a row.
SELECT 1 AS some
FROM scores
PREWHERE project_id = {project_id:String} AND trace_id = {trace_id:String}
LIMIT 1
