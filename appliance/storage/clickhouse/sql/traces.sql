-- A trace is the fold of its parts: these blocks say in SQL what model/traces.py says in Python.

-- name: fold
SELECT
    id,
    min(timestamp) AS started,
    max(timestamp) AS last_part,
    min(created_at) AS first_written,
    if(environment_said = '', 'default', environment_said) AS fold_environment,
    argMinIf(environment, (timestamp, order_ts), environment != 'default') AS environment_said,
    argMaxIf(ifNull(name, ''), (if(isNull(name), 2, name_rank), order_ts, event_ts, part_id), isNotNull(name) OR has(nulls, 'name')) AS fold_name,
    argMaxIf(ifNull(user_id, ''), (order_ts, event_ts, part_id), isNotNull(user_id) OR has(nulls, 'user_id')) AS fold_user,
    argMaxIf(ifNull(session_id, ''), (order_ts, event_ts, part_id), isNotNull(session_id) OR has(nulls, 'session_id')) AS fold_session,
    argMaxIf(ifNull(version, ''), (order_ts, event_ts, part_id), isNotNull(version) OR has(nulls, 'version')) AS fold_version,
    argMaxIf(ifNull(release, ''), (order_ts, event_ts, part_id), isNotNull(release) OR has(nulls, 'release')) AS fold_release,
    argMaxIf(ifNull(public, false), (order_ts, event_ts, part_id), isNotNull(public) OR has(nulls, 'public')) AS fold_public,
    argMaxIf(ifNull(bookmarked, false), (order_ts, event_ts, part_id), isNotNull(bookmarked)) AS fold_bookmarked,
    arraySort(groupUniqArrayArray(tags)) AS fold_tags,
    arrayReverseSort(x -> (x.1, x.2, x.3), groupArray((order_ts, event_ts, part_id, metadata))) AS said_metadata,
    mapFromArrays(
        arrayFlatten(arrayMap(x -> mapKeys(x.4), said_metadata)),
        arrayFlatten(arrayMap(x -> mapValues(x.4), said_metadata))
    ) AS fold_metadata
FROM trace_parts
WHERE project_id = {project_id:String} $bounds
GROUP BY id

-- name: observed
SELECT
    trace_id,
    count() AS observation_count,
    countIf(level = 'ERROR') AS error_count,
    countIf(level = 'WARNING') AS warning_count,
    countIf(level = 'DEFAULT') AS default_count,
    countIf(level = 'DEBUG') AS debug_count,
    multiIf(error_count > 0, 'ERROR', warning_count > 0, 'WARNING', default_count > 0, 'DEFAULT', 'DEBUG') AS top_level,
    toInt64(greatest(max(toUnixTimestamp64Micro(start_time)), max(toUnixTimestamp64Micro(ifNull(end_time, start_time))))
        - min(toUnixTimestamp64Micro(start_time))) AS span_micros,
    sum(ifNull(total_cost, 0)) AS total_cost,
    sum(arraySum(mapValues(mapFilter((k, v) -> positionCaseInsensitive(k, 'input') > 0, cost_details)))) AS input_cost,
    sum(arraySum(mapValues(mapFilter((k, v) -> positionCaseInsensitive(k, 'output') > 0, cost_details)))) AS output_cost,
    sum(arraySum(mapValues(mapFilter((k, v) -> positionCaseInsensitive(k, 'input') > 0, usage_details)))) AS input_tokens,
    sum(arraySum(mapValues(mapFilter((k, v) -> positionCaseInsensitive(k, 'output') > 0, usage_details)))) AS output_tokens,
    sum(usage_details['total']) AS total_tokens,
    groupUniqArrayIf(toString(model), model != '') AS models,
    groupUniqArray(toString(type)) AS types
FROM observations_list FINAL
WHERE project_id = {project_id:String} $bounds
GROUP BY trace_id

-- name: scored
SELECT
    trace_id,
    mapFromArrays(groupArrayIf(score_name, is_number), groupArrayIf(mean, is_number)) AS numbers,
    arrayFlatten(groupArrayIf(arrayMap(x -> (score_name, x), texts), score_type = 'CATEGORICAL')) AS categories,
    arrayFlatten(groupArrayIf(arrayMap(x -> (score_name, x), texts), score_type = 'BOOLEAN')) AS booleans,
    sum(times) AS score_count
FROM
(
    SELECT
        trace_id,
        name AS score_name,
        data_type AS score_type,
        score_type IN ('NUMERIC', 'BOOLEAN') AS is_number,
        avg(value) AS mean,
        count() AS times,
        groupUniqArray(string_value) AS texts
    FROM scores FINAL
    WHERE project_id = {project_id:String} AND trace_id != ''
    GROUP BY trace_id, name, data_type
)
GROUP BY trace_id

-- name: newest
WITH
    (
        SELECT min(timestamp)
        FROM
        (
            SELECT timestamp
            FROM trace_parts
            WHERE project_id = {project_id:String} $bounds
            ORDER BY project_id DESC, toStartOfMinute(timestamp) DESC, timestamp DESC
            LIMIT {window:UInt64}
        )
    ) AS cutoff
SELECT
    id,
    toUnixTimestamp64Micro(min(timestamp)) AS started,
    toUnixTimestamp64Micro(max(timestamp)) AS last_part,
    toUnixTimestamp64Micro(any(cutoff)) AS cutoff_micros
FROM trace_parts
WHERE project_id = {project_id:String} AND timestamp >= cutoff - INTERVAL 1 HOUR $bounds AND id NOT IN {displaced:Array(String)}
GROUP BY id
HAVING min(timestamp) >= cutoff
ORDER BY started DESC, id DESC
LIMIT {limit:UInt64} OFFSET {offset:UInt64}

-- name: count_ids
SELECT uniqExact(xxHash64(id)) AS total
FROM trace_parts
WHERE project_id = {project_id:String}

-- name: matching
SELECT
    id,
    toUnixTimestamp64Micro(started) AS started_micros,
    toUnixTimestamp64Micro(last_part) AS last_part_micros,
    count() OVER () AS total
FROM ($fold) AS trace $joins
$where
ORDER BY $order
LIMIT {limit:UInt64} OFFSET {offset:UInt64}

-- name: count_matching
SELECT count() AS total
FROM ($fold) AS trace $joins
$where

-- name: parts
SELECT
    project_id, id, part_id, name, name_rank, user_id, session_id, version, release, environment, tags, public,
    bookmarked, $texts, nulls, is_root,
    toUnixTimestamp64Micro(trace_parts.timestamp) AS timestamp,
    toUnixTimestamp64Micro(trace_parts.order_ts) AS order_ts,
    toUnixTimestamp64Micro(trace_parts.event_ts) AS event_ts,
    toUnixTimestamp64Micro(trace_parts.created_at) AS created_at
FROM trace_parts
WHERE project_id = {project_id:String} AND id IN {ids:Array(String)}

-- name: totals
SELECT
    trace_id AS id,
    arrayMap(x -> x.2, arraySort(groupArray((started, id)))) AS observation_ids,
    min(started) AS first_start,
    max(started) AS last_start,
    max(ended) AS last_end,
    toFloat64(sum(cost)) AS total_cost
FROM
(
    SELECT
        trace_id,
        observations_list.id AS id,
        toUnixTimestamp64Micro(start_time) AS started,
        toUnixTimestamp64Micro(end_time) AS ended,
        ifNull(total_cost, 0) AS cost
    FROM observations_list
    WHERE project_id = {project_id:String} AND trace_id IN {ids:Array(String)} $bounds
    ORDER BY event_ts DESC
    LIMIT 1 BY trace_id, id
)
GROUP BY trace_id

-- name: score_ids
SELECT trace_id AS id, arrayDistinct(groupArray(scores.id)) AS score_ids
FROM scores FINAL
WHERE project_id = {project_id:String} AND trace_id IN {ids:Array(String)} AND data_type != 'CORRECTION'
GROUP BY trace_id

-- name: said
SELECT id FROM trace_parts WHERE project_id = {project_id:String} AND $test

-- name: had
SELECT trace_id FROM observations_list WHERE project_id = {project_id:String} AND $test

-- name: search
SELECT trace_id
FROM observations
WHERE project_id = {project_id:String}
    AND ((hasAllTokens(lower(input), $lowered) AND position(lower(input), $lowered) > 0)
        OR (hasAllTokens(lower(output), $lowered) AND position(lower(output), $lowered) > 0))
UNION ALL
SELECT id
FROM trace_parts
WHERE project_id = {project_id:String}
    AND (id = $text OR user_id = $text OR session_id = $text OR position(lower(ifNull(name, '')), $lowered) > 0
        OR position(lower(ifNull(input, '')), $lowered) > 0 OR position(lower(ifNull(output, '')), $lowered) > 0)

-- name: beginnings
SELECT id, toUnixTimestamp64Micro(min(timestamp)) AS started
FROM trace_parts
WHERE project_id = {project_id:String} AND id IN {ids:Array(String)}
GROUP BY id
