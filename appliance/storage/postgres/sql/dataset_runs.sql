-- name: insert_run
-- A run that exists stays as its first item made it. Of runs that are inserted at once, either unique index may find the
-- second one first, so no index is named.
INSERT INTO dataset_runs (id, project_id, dataset_id, name, description, metadata, created_at, updated_at)
VALUES (
    %(id)s, %(project_id)s, %(dataset_id)s, %(name)s, %(description)s, %(metadata)s,
    coalesce(%(created_at)s, clock_timestamp()), coalesce(%(created_at)s, clock_timestamp())
)
ON CONFLICT DO NOTHING;

-- name: lock_run
-- Nobody may delete the run before its item is there.
SELECT id FROM dataset_runs WHERE project_id = %(project_id)s AND dataset_id = %(dataset_id)s AND name = %(name)s
FOR KEY SHARE;

-- name: insert_item
INSERT INTO dataset_run_items (
    id, project_id, dataset_run_id, dataset_item_id, trace_id, observation_id, created_at, updated_at
) VALUES (
    %(id)s, %(project_id)s, %(dataset_run_id)s, %(dataset_item_id)s, %(trace_id)s, %(observation_id)s,
    coalesce(%(created_at)s, clock_timestamp()), coalesce(%(created_at)s, clock_timestamp())
)
RETURNING *;

-- name: by_name
SELECT r.*, d.name AS dataset_name FROM dataset_runs r
JOIN datasets d ON d.id = r.dataset_id AND d.project_id = r.project_id
WHERE r.project_id = %(project_id)s AND d.name = %(dataset_name)s AND r.name = %(name)s;

-- name: by_dataset
SELECT r.*, d.name AS dataset_name FROM dataset_runs r
JOIN datasets d ON d.id = r.dataset_id AND d.project_id = r.project_id
WHERE r.project_id = %(project_id)s AND r.dataset_id = %(dataset_id)s AND r.name = %(name)s;

-- name: list
SELECT r.*, d.name AS dataset_name, count(*) OVER () AS total FROM dataset_runs r
JOIN datasets d ON d.id = r.dataset_id AND d.project_id = r.project_id
WHERE r.project_id = %(project_id)s AND r.dataset_id = %(dataset_id)s
ORDER BY r.created_at DESC, r.id LIMIT %(limit)s OFFSET %(offset)s;

-- name: items
SELECT *, count(*) OVER () AS total FROM dataset_run_items
WHERE project_id = %(project_id)s AND dataset_run_id = %(dataset_run_id)s
ORDER BY created_at DESC, id LIMIT %(limit)s OFFSET %(offset)s;

-- name: delete
DELETE FROM dataset_runs WHERE project_id = %(project_id)s AND id = %(id)s;
