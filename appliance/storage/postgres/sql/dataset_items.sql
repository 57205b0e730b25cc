-- name: lock
-- One writer per dataset at a time: versions must begin in the order in which they are committed.
SELECT pg_advisory_xact_lock(hashtextextended(%(project_id)s || '/' || %(dataset_id)s, 2));

-- name: lock_item
-- An item id is unique in its project, but two writers may use it in different datasets.
SELECT pg_advisory_xact_lock(hashtextextended(%(project_id)s || '/' || %(id)s, 3));

-- name: current
SELECT i.*, d.name AS dataset_name FROM dataset_items i
JOIN datasets d ON d.id = i.dataset_id AND d.project_id = i.project_id
WHERE i.project_id = %(project_id)s AND i.id = %(id)s AND i.valid_to IS NULL;

-- name: active
SELECT i.*, d.name AS dataset_name FROM dataset_items i
JOIN datasets d ON d.id = i.dataset_id AND d.project_id = i.project_id
WHERE i.project_id = %(project_id)s AND i.id = %(id)s AND i.status = 'ACTIVE' AND NOT i.is_deleted
    AND CASE WHEN %(version)s::timestamptz IS NULL THEN i.valid_to IS NULL
        ELSE i.valid_from <= %(version)s AND (i.valid_to IS NULL OR i.valid_to > %(version)s) END;

-- name: next_valid_from
-- Whole milliseconds, as the API shows them; later than every version so far, though the clock may go back.
SELECT greatest(
    date_trunc('milliseconds', clock_timestamp()),
    (SELECT max(valid_from) + interval '1 millisecond' FROM dataset_items
        WHERE project_id = %(project_id)s AND dataset_id = %(dataset_id)s)
) AS valid_from;

-- name: close
UPDATE dataset_items SET valid_to = %(valid_from)s
WHERE project_id = %(project_id)s AND id = %(id)s AND valid_to IS NULL
RETURNING id;

-- name: insert
INSERT INTO dataset_items (
    id, project_id, dataset_id, valid_from, status, input, expected_output, metadata, source_trace_id,
    source_observation_id, created_at, updated_at
) VALUES (
    %(id)s, %(project_id)s, %(dataset_id)s, %(valid_from)s, %(status)s, %(input)s, %(expected_output)s, %(metadata)s,
    %(source_trace_id)s, %(source_observation_id)s, %(created_at)s, %(valid_from)s
)
RETURNING *;

-- name: list
SELECT i.*, d.name AS dataset_name, count(*) OVER () AS total FROM dataset_items i
JOIN datasets d ON d.id = i.dataset_id AND d.project_id = i.project_id
WHERE i.project_id = %(project_id)s AND i.status = 'ACTIVE' AND NOT i.is_deleted
    AND (%(dataset_id)s::text IS NULL OR i.dataset_id = %(dataset_id)s)
    AND (%(source_trace_id)s::text IS NULL OR i.source_trace_id = %(source_trace_id)s)
    AND (%(source_observation_id)s::text IS NULL OR i.source_observation_id = %(source_observation_id)s)
    AND CASE WHEN %(version)s::timestamptz IS NULL THEN i.valid_to IS NULL
        ELSE i.valid_from <= %(version)s AND (i.valid_to IS NULL OR i.valid_to > %(version)s) END
ORDER BY i.created_at DESC, i.id LIMIT %(limit)s OFFSET %(offset)s;
