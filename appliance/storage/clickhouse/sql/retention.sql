-- How old and how large the stored traces are.

-- name: count_before
SELECT count() AS traces
FROM
(
    SELECT id FROM folded_traces FINAL WHERE project_id = {project_id:String} AND started < $before
    UNION DISTINCT
    SELECT id FROM trace_parts WHERE project_id = {project_id:String} AND timestamp < $before
        AND id IN (SELECT trace_id FROM touched_traces WHERE project_id = {project_id:String})
)

-- name: stored_bytes
-- From the metadata of parts.
SELECT sum(bytes_on_disk) AS bytes
FROM $parts
WHERE database = {database:String} AND active

-- name: start_of_share
-- The start before which this share of all observations lies, by traces weighted with their observations.
SELECT toUnixTimestamp64Micro(quantileExactWeighted({share:Float64})(started, observation_count + 1)) AS moment
FROM folded_traces
WHERE is_deleted = 0
