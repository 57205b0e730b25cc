-- The newest row of each id, unless it marks the entity as deleted. A bound on the start and the index by id keep most granules
-- closed; LIMIT BY merges versions of the wanted ids only, where FINAL would merge all rows.

-- name: observations
SELECT $row
FROM
(
    SELECT *
    FROM observations
    WHERE project_id = {project_id:String} AND id IN {ids:Array(String)}
        AND start_time >= fromUnixTimestamp64Micro({since:Int64})
    ORDER BY event_ts DESC
    LIMIT 1 BY trace_id, toStartOfMinute(start_time), id
) AS observations
WHERE is_deleted = 0
ORDER BY observations.event_ts DESC
LIMIT 1 BY id

-- name: scores
SELECT
    project_id, id, name, source, data_type, value, string_value, long_string_value, environment, trace_id,
    observation_id, session_id, dataset_run_id, execution_trace_id, comment, metadata, author_user_id, config_id,
    queue_id, sdk_name, sdk_version,
    toUnixTimestamp64Micro(scores.timestamp) AS timestamp,
    toUnixTimestamp64Micro(scores.event_ts) AS event_ts,
    toUnixTimestamp64Micro(scores.created_at) AS created_at,
    toUnixTimestamp64Micro(scores.updated_at) AS updated_at
FROM
(
    SELECT *
    FROM scores
    WHERE project_id = {project_id:String} AND id IN {ids:Array(String)}
    ORDER BY event_ts DESC
    LIMIT 1 BY id
) AS scores
WHERE is_deleted = 0

-- name: steps
-- argMax chooses the newest version: FINAL would merge all rows within the bounds.
SELECT trace_id, id, latest.1 AS parent_id, latest.2 AS has_usage, latest.3 AS has_cost
FROM
(
    SELECT
        trace_id, id,
        argMax((parent_id, arraySum(mapValues(usage_details)) > 0, ifNull(total_cost, 0) > 0, is_deleted), event_ts)
            AS latest
    FROM observations_list
    WHERE project_id = {project_id:String} AND trace_id IN {trace_ids:Array(String)}
        AND start_time >= fromUnixTimestamp64Micro({since:Int64})
        AND start_time <= fromUnixTimestamp64Micro({until:Int64})
    GROUP BY trace_id, id
)
WHERE latest.4 = 0
