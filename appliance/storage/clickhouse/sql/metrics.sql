-- The blocks below give one row per entity; `aggregate` groups them.

-- name: aggregate
SELECT $columns
FROM $rows
$joins
$where
$group
ORDER BY $order
LIMIT {row_limit:UInt64}

-- name: span
-- Without conditions ClickHouse answers from the metadata of parts, without reading a row.
SELECT
    count() AS total,
    toUnixTimestamp64Micro(min(start_time)) AS first_micros,
    toUnixTimestamp64Micro(max(start_time)) AS last_micros
FROM observations_list

-- name: observation_rows
-- In slices of time (`time_slices.py`), so that FINAL merges few parts at a time.
SELECT * FROM observations_list AS row FINAL WHERE project_id = {project_id:String} $where

-- name: score_rows
(SELECT * FROM scores FINAL WHERE project_id = {project_id:String} $where) AS item

-- name: join_trace
LEFT JOIN ($all) AS trace ON trace.id = item.trace_id

-- name: join_observation
LEFT JOIN
(
    SELECT trace_id, id, name, model, prompt_name, prompt_version
    FROM observations_list FINAL
    WHERE project_id = {project_id:String} AND start_time >= $since - INTERVAL 7 DAY
) AS observation ON observation.trace_id = item.trace_id AND observation.id = item.observation_id

-- name: join_observation_scores
LEFT JOIN
(
    SELECT trace_id, observation_id, count() AS score_count
    FROM scores FINAL
    WHERE project_id = {project_id:String} AND observation_id != ''
    GROUP BY trace_id, observation_id
) AS observation_scores ON observation_scores.trace_id = item.trace_id AND observation_scores.observation_id = item.id

-- name: daily_models
SELECT
    toString(toDate32(start_time)) AS day,
    nullIf(toString(model), '') AS model_name,
    sum(arraySum(mapValues(mapFilter((k, v) -> positionCaseInsensitive(k, 'input') > 0, usage_details)))) AS input_usage,
    sum(arraySum(mapValues(mapFilter((k, v) -> positionCaseInsensitive(k, 'output') > 0, usage_details)))) AS output_usage,
    sum(usage_details['total']) AS total_usage,
    toFloat64(sum(ifNull(total_cost, 0))) AS cost,
    count() AS observation_count,
    uniqExact(trace_id) AS trace_count
FROM observations_list AS row FINAL
WHERE project_id = {project_id:String} $where
GROUP BY day, model_name
ORDER BY day DESC, cost DESC, model_name

-- name: daily_traces
SELECT toString(toDate32(trace.started)) AS day, count() AS trace_count
FROM ($all) AS trace $joins
$where
GROUP BY day
