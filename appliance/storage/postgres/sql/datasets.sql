-- name: upsert
INSERT INTO datasets (id, project_id, name, description, metadata, input_schema, expected_output_schema)
VALUES (
    %(id)s, %(project_id)s, %(name)s, %(description)s, %(metadata)s, %(input_schema)s, %(expected_output_schema)s
)
ON CONFLICT (project_id, name) DO UPDATE SET
    description = coalesce(excluded.description, datasets.description),
    metadata = coalesce(excluded.metadata, datasets.metadata),
    input_schema = coalesce(excluded.input_schema, datasets.input_schema),
    expected_output_schema = coalesce(excluded.expected_output_schema, datasets.expected_output_schema),
    updated_at = clock_timestamp()
RETURNING *;

-- name: by_name
SELECT * FROM datasets WHERE project_id = %(project_id)s AND name = %(name)s;

-- name: by_id
SELECT id FROM datasets WHERE project_id = %(project_id)s AND id = %(id)s;

-- name: list
SELECT *, count(*) OVER () AS total FROM datasets WHERE project_id = %(project_id)s
ORDER BY created_at DESC, id LIMIT %(limit)s OFFSET %(offset)s;

-- name: run_names
SELECT name FROM dataset_runs WHERE project_id = %(project_id)s AND dataset_id = %(dataset_id)s
ORDER BY created_at DESC;
