-- A trace is the aggregate of its parts: these blocks say in SQL what model/traces.py says in Python.

-- name: merged_parts
-- One pass over the parts, which the sorting key and a condition on `timestamp` confine to few granules.
SELECT
    project_id,
    id,
    if(countIf(NOT startsWith(part_id, 'o:')) > 0, minIf(timestamp, NOT startsWith(part_id, 'o:')), min(timestamp)) AS started,
    min(timestamp) AS first_part,
    max(timestamp) AS last_part,
    if(environment_said = '', 'default', environment_said) AS merged_environment,
    argMinIf(environment, (-greatest(weight, 0), timestamp, order_ts, event_ts, part_id), environment != 'default') AS environment_said,
    maxIf((order_ts, event_ts, part_id), has(nulls, 'name')) AS name_erased,
    groupArrayIf((name_rank, if(name_rank > 1, 0, weight), (order_ts, event_ts, part_id), assumeNotNull(name), parent_id), isNotNull(name)) AS names,
    groupArrayIf(substring(part_id, 3), parent_id != '') AS topmost,
    arrayMax(arrayMap(x -> (x.1, x.1 > 1 OR NOT has(topmost, x.5), x.2, x.3, x.4), arrayFilter(x -> x.3 > name_erased, names))).5 AS merged_name,
    argMaxIf(ifNull(user_id, ''), (greatest(weight, 0), order_ts, event_ts, part_id), isNotNull(user_id) OR has(nulls, 'user_id')) AS merged_user,
    argMaxIf(ifNull(session_id, ''), (greatest(weight, 0), order_ts, event_ts, part_id), isNotNull(session_id) OR has(nulls, 'session_id')) AS merged_session,
    argMaxIf(ifNull(version, ''), (greatest(weight, 0), order_ts, event_ts, part_id), isNotNull(version) OR has(nulls, 'version')) AS merged_version,
    argMaxIf(ifNull(release, ''), (greatest(weight, 0), order_ts, event_ts, part_id), isNotNull(release) OR has(nulls, 'release')) AS merged_release,
    argMaxIf(ifNull(public, false), (greatest(weight, 0), order_ts, event_ts, part_id), isNotNull(public) OR has(nulls, 'public')) AS merged_public,
    argMaxIf(ifNull(bookmarked, false), (greatest(weight, 0), order_ts, event_ts, part_id), isNotNull(bookmarked)) AS merged_bookmarked,
    arraySort(groupUniqArrayArray(tags))::Array(String) AS merged_tags,
    maxIf((order_ts, event_ts, part_id), has(nulls, 'metadata')) AS metadata_erased,
    arrayFilter(
        x -> x.3 > metadata_erased,
        arrayReverseSort(x -> (x.1, x.3), groupArrayIf((greatest(weight, 0), metadata, (order_ts, event_ts, part_id)), notEmpty(metadata)))
    ) AS said_metadata,
    arrayFlatten(arrayMap(x -> mapKeys(x.2), said_metadata)) AS metadata_keys,
    arrayEnumerateUniq(metadata_keys) AS metadata_places,
    mapFromArrays(
        arrayFilter((key, place) -> place = 1, metadata_keys, metadata_places),
        arrayFilter(
            (value, place) -> place = 1,
            arrayFlatten(arrayMap(x -> mapValues(x.2), said_metadata)),
            metadata_places
        )
    ) AS merged_metadata
FROM trace_parts FINAL
WHERE $rows
GROUP BY project_id, id

-- name: observed
-- Reads the narrow table: the wide one would open the long texts.
SELECT
    project_id,
    trace_id,
    count() AS observation_count,
    countIf(level = 'ERROR') AS error_count,
    countIf(level = 'WARNING') AS warning_count,
    countIf(level = 'DEFAULT') AS default_count,
    countIf(level = 'DEBUG') AS debug_count,
    multiIf(error_count > 0, 'ERROR', warning_count > 0, 'WARNING', default_count > 0, 'DEFAULT', 'DEBUG') AS top_level,
    min(start_time) AS first_start,
    max(start_time) AS last_start,
    dateDiff('microsecond', first_start, greatest(last_start, max(ifNull(end_time, start_time)))) AS span_micros,
    sum(ifNull(total_cost, 0)) AS total_cost,
    sum(arraySum(mapValues(mapFilter((k, v) -> positionCaseInsensitive(k, 'input') > 0, cost_details)))) AS input_cost,
    sum(arraySum(mapValues(mapFilter((k, v) -> positionCaseInsensitive(k, 'output') > 0, cost_details)))) AS output_cost,
    sum(arraySum(mapValues(mapFilter((k, v) -> positionCaseInsensitive(k, 'input') > 0, usage_details)))) AS input_tokens,
    sum(arraySum(mapValues(mapFilter((k, v) -> positionCaseInsensitive(k, 'output') > 0, usage_details)))) AS output_tokens,
    sum(usage_details['total']) AS total_tokens,
    arraySort(groupUniqArrayIf(toString(model), model != '')) AS models,
    arraySort(groupUniqArray(toString(type))) AS types
FROM observations_list FINAL
WHERE $rows
GROUP BY project_id, trace_id

-- name: aggregated
-- Complete rows of traces, from their parts and observations.
SELECT
    trace.project_id AS project_id,
    trace.id AS id,
    trace.started AS started,
    trace.last_part AS last_part,
    toLowCardinality(trace.merged_environment) AS environment,
    toLowCardinality(trace.merged_name) AS name,
    trace.merged_user AS user_id,
    trace.merged_session AS session_id,
    toLowCardinality(trace.merged_version) AS version,
    toLowCardinality(trace.merged_release) AS release,
    trace.merged_public AS public,
    trace.merged_bookmarked AS bookmarked,
    trace.merged_tags AS tags,
    trace.merged_metadata::Map(LowCardinality(String), String) AS metadata,
    observed.observation_count AS observation_count,
    observed.error_count AS error_count,
    observed.warning_count AS warning_count,
    observed.default_count AS default_count,
    observed.debug_count AS debug_count,
    toLowCardinality(observed.top_level) AS top_level,
    observed.span_micros AS span_micros,
    if(observed.observation_count = 0, trace.first_part, least(trace.first_part, observed.first_start)) AS first_start,
    greatest(trace.last_part, observed.last_start) AS last_start,
    toDecimal64(observed.total_cost, 12) AS total_cost,
    toDecimal64(observed.input_cost, 12) AS input_cost,
    toDecimal64(observed.output_cost, 12) AS output_cost,
    observed.input_tokens AS input_tokens,
    observed.output_tokens AS output_tokens,
    observed.total_tokens AS total_tokens,
    observed.models AS models,
    observed.types AS types
FROM ($merged_parts) AS trace
LEFT JOIN ($observed) AS observed ON observed.project_id = trace.project_id AND observed.trace_id = trace.id

-- name: columns
    id, started, last_part, environment, name, user_id, session_id, version, release, public, bookmarked, tags, metadata,
    observation_count, error_count, warning_count, default_count, debug_count, top_level, span_micros, total_cost,
    input_cost, output_cost, input_tokens, output_tokens, total_tokens, models, types, first_start, last_start

-- name: until
-- The mark, and the dirty traces after it: their number, their earliest row, and the start of the newest 500. Quick at rest,
-- as the rows after the mark are the last ones of the table.
WITH (SELECT argMax(until, sequence) FROM folded_until WHERE name = 'traces') AS aggregated_until
SELECT
    toUnixTimestamp64Micro(aggregated_until) AS until_micros,
    count() AS dirty_count,
    toUnixTimestamp64Micro(min(first_start)) AS first_micros,
    -groupArraySorted(500)(-toUnixTimestamp64Micro(first_start))[500] AS recent_micros
FROM touched_traces
WHERE project_id = {project_id:String} AND touched_at > aggregated_until

-- name: pending
SELECT trace_id FROM touched_traces WHERE project_id = {project_id:String} AND touched_at > $until

-- name: pending_hashes
-- Hashes make a smaller set than ids, and `folded_traces` stores them.
SELECT sipHash128(trace_id) FROM touched_traces WHERE project_id = {project_id:String} AND touched_at > $until

-- name: candidates
SELECT id FROM trace_parts WHERE $rows

-- name: earlier
SELECT toUnixTimestamp64Micro(min(first_start)) AS first_micros
FROM folded_traces
WHERE project_id = {project_id:String} AND first_start < $first AND id_hash IN ($hashes)

-- name: rare
-- For a test that few aggregates pass: FINAL then merges versions only where one of them does.
AND (started, id) IN (SELECT started, id FROM folded_traces WHERE project_id = {project_id:String} AND $part_test)

-- name: stored
SELECT $columns
FROM folded_traces FINAL
WHERE project_id = {project_id:String} $rare

-- name: stored_and_pending
-- Every trace once: its stored aggregate, or a new one when it is pending.
SELECT $columns
FROM folded_traces FINAL
WHERE project_id = {project_id:String} $rare AND id_hash NOT IN ($hashes)
UNION ALL
SELECT $columns
FROM ($aggregated)

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

-- name: newest_stored
-- A page by time while no trace is pending: the newest rows in the table's order, without FINAL, which would merge all rows.
-- `looked_at` is their number, all versions counted; rows of the earliest moment may be cut off, so they are left out.
SELECT
    id,
    toUnixTimestamp64Micro(start) AS started_micros,
    toUnixTimestamp64Micro(first_start) AS first_micros,
    toUnixTimestamp64Micro(last_start) AS last_micros,
    looked_at
FROM
(
    SELECT *, count() OVER () AS looked_at, min(start) OVER () AS earliest
    FROM
    (
        SELECT id, trace.started AS start, first_start, last_start, sequence, is_deleted
        FROM folded_traces AS trace
        WHERE project_id = {project_id:String} $starts
        ORDER BY project_id DESC, trace.started DESC
        LIMIT {most:UInt64}
    )
    ORDER BY sequence DESC
    LIMIT 1 BY start, id
)
WHERE is_deleted = 0 AND (looked_at < {most:UInt64} OR start > earliest)
ORDER BY start DESC, id DESC
LIMIT {limit:UInt64} OFFSET {offset:UInt64}

-- name: places
-- The time bounds of the rows of some traces: those of their aggregates, and of rows written since.
SELECT
    id,
    toUnixTimestamp64Micro(min(first_start)) AS first_micros,
    toUnixTimestamp64Micro(max(last_start)) AS last_micros
FROM
(
    SELECT id, first_start, last_start
    FROM folded_traces
    WHERE project_id = {project_id:String} AND id IN {ids:Array(String)}
    UNION ALL
    SELECT trace_id AS id, first_start, last_start
    FROM touched_traces
    WHERE project_id = {project_id:String} AND trace_id IN {ids:Array(String)} AND touched_at > $until
)
GROUP BY id

-- name: newest
-- The traces of the newest parts, read in the table's order, so that older parts stay closed. A trace with earlier parts may
-- have begun earlier than it seems here.
SELECT
    id,
    toUnixTimestamp64Micro(if(countIf(is_said) > 0, minIf(timestamp, is_said), min(timestamp))) AS started,
    toUnixTimestamp64Micro(min(min(timestamp)) OVER ()) AS cutoff_micros,
    sum(count()) OVER () AS parts
FROM
(
    SELECT id, timestamp, NOT startsWith(part_id, 'o:') AS is_said
    FROM trace_parts
    WHERE project_id = {project_id:String} $bounds AND id NOT IN {displaced:Array(String)}
    ORDER BY project_id DESC, toStartOfMinute(timestamp) DESC, timestamp DESC
    LIMIT {window:UInt64}
)
GROUP BY id
ORDER BY started DESC, id DESC
LIMIT {limit:UInt64} OFFSET {offset:UInt64}

-- name: count_started
-- How many traces there are, by their starts alone. The newest version of parts is chosen by LIMIT BY: FINAL would merge all
-- parts since the first pending one.
SELECT
    (
        SELECT count()
        FROM folded_traces AS trace FINAL
        WHERE project_id = {project_id:String} AND id_hash NOT IN ($hashes) $starts
    ) + (
        SELECT count()
        FROM
        (
            SELECT if(countIf(NOT startsWith(part_id, 'o:')) > 0, minIf(timestamp, NOT startsWith(part_id, 'o:')), min(timestamp)) AS started
            FROM
            (
                SELECT id, part_id, timestamp, is_deleted
                FROM trace_parts
                WHERE $parts
                ORDER BY event_ts DESC
                LIMIT 1 BY id, part_id, toStartOfMinute(timestamp)
            )
            WHERE is_deleted = 0
            GROUP BY id
        ) AS trace
        WHERE true $starts
    ) AS total

-- name: matching
SELECT
    id,
    toUnixTimestamp64Micro(started) AS started_micros,
    toUnixTimestamp64Micro(first_start) AS first_micros,
    toUnixTimestamp64Micro(last_start) AS last_micros
FROM ($all) AS trace $joins
$where
ORDER BY $order
LIMIT {limit:UInt64} OFFSET {offset:UInt64}

-- name: count_stored
SELECT count() AS total
FROM folded_traces AS trace FINAL
WHERE project_id = {project_id:String} $starts

-- name: parts
-- All versions of the parts of some traces.
SELECT
    project_id, id, part_id, name, name_rank, user_id, session_id, version, release, environment, tags, public,
    bookmarked, $texts, nulls, is_root, weight, given, parent_id, is_deleted,
    toUnixTimestamp64Micro(trace_parts.timestamp) AS timestamp,
    toUnixTimestamp64Micro(trace_parts.order_ts) AS order_ts,
    toUnixTimestamp64Micro(trace_parts.event_ts) AS event_ts,
    toUnixTimestamp64Micro(trace_parts.created_at) AS created_at
FROM trace_parts
PREWHERE project_id = {project_id:String} AND id IN {ids:Array(String)} $bounds

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
        ifNull(total_cost, 0) AS cost,
        is_deleted
    FROM observations_list
    PREWHERE project_id = {project_id:String} AND trace_id IN {ids:Array(String)} $bounds
    ORDER BY event_ts DESC
    LIMIT 1 BY trace_id, id
)
WHERE is_deleted = 0
GROUP BY trace_id

-- name: score_ids
SELECT trace_id AS id, arrayDistinct(groupArray(scores.id)) AS score_ids
FROM scores FINAL
WHERE project_id = {project_id:String} AND trace_id IN {ids:Array(String)} AND data_type != 'CORRECTION'
GROUP BY trace_id

-- name: beginnings
SELECT
    id,
    toUnixTimestamp64Micro(
        if(countIf(NOT startsWith(part_id, 'o:')) > 0, minIf(timestamp, NOT startsWith(part_id, 'o:')), min(timestamp))
    ) AS started,
    toUnixTimestamp64Micro(min(timestamp)) AS first_part,
    toUnixTimestamp64Micro(max(timestamp)) AS last_part
FROM trace_parts
WHERE project_id = {project_id:String} AND id IN {ids:Array(String)}
GROUP BY id

-- name: mark
(SELECT argMax(until, sequence) FROM folded_until WHERE name = 'traces')

-- name: time_bounds
-- The time bounds of a trace: those of its aggregate, and of rows written since. The mark is read before both. PREWHERE is
-- written out, as finding it would open a file of every column.
SELECT
    toUnixTimestamp64Micro(first_start) AS first_micros,
    toUnixTimestamp64Micro(last_start) AS last_micros,
    toUnixTimestamp64Micro($mark) AS mark_micros
FROM folded_traces
PREWHERE project_id = {project_id:String} AND id = {trace_id:String}
UNION ALL
SELECT
    toUnixTimestamp64Micro(first_start) AS first_micros,
    toUnixTimestamp64Micro(last_start) AS last_micros,
    toUnixTimestamp64Micro($mark) AS mark_micros
FROM touched_traces
PREWHERE project_id = {project_id:String} AND trace_id = {trace_id:String} AND touched_at > $mark
