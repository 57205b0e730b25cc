-- Free text: the words of observations and of parts of traces; the expressions are those of the index by_text.

-- name: observation_text
lower(concat(name, '\n', input, '\n', output, '\n', arrayStringConcat(mapValues(metadata), '\n')))

-- name: part_text
lower(concat(ifNull(name, ''), '\n', ifNull(input, ''), '\n', ifNull(output, ''), '\n', arrayStringConcat(mapValues(metadata), '\n')))

-- name: traces
-- Ids of the traces that say the text in any of their rows, or are called so.
SELECT trace_id
FROM observations
WHERE project_id = {project_id:String} AND $observation_says $started
UNION DISTINCT
SELECT id
FROM trace_parts
WHERE project_id = {project_id:String} AND $part_says $told
UNION DISTINCT
SELECT id
FROM trace_parts
WHERE project_id = {project_id:String} AND (id = $text OR user_id = $text OR session_id = $text) $told

-- name: hits
-- How many observations have the words, of whatever project: the index alone can tell.
SELECT count() AS found
FROM observations
WHERE $observation_has

-- name: few
SELECT trace_id
FROM ($traces)
LIMIT {most:UInt64}

-- name: reach
-- How many of the newest observations have the words, up to a bound, and when the earliest of them began.
SELECT count() AS found, toUnixTimestamp64Micro(min(start)) AS since_micros
FROM
(
    SELECT start_time AS start
    FROM observations
    WHERE project_id = {project_id:String} AND $observation_has
    ORDER BY project_id DESC, toStartOfMinute(start_time) DESC
    LIMIT {most:UInt64}
)

-- name: building
SELECT sum(parts_to_do) AS parts
FROM system.mutations
WHERE database = currentDatabase() AND NOT is_done AND command LIKE '%MATERIALIZE INDEX by_text%'
