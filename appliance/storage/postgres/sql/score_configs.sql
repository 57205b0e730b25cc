-- name: insert
INSERT INTO score_configs (id, project_id, name, data_type, min_value, max_value, categories, description)
VALUES (
    %(id)s, %(project_id)s, %(name)s, %(data_type)s, %(min_value)s, %(max_value)s, %(categories)s, %(description)s
)
RETURNING *;

-- name: by_id
SELECT * FROM score_configs WHERE project_id = %(project_id)s AND id = %(id)s;

-- name: list
SELECT *, count(*) OVER () AS total FROM score_configs WHERE project_id = %(project_id)s
ORDER BY created_at DESC, id LIMIT %(limit)s OFFSET %(offset)s;

-- name: update
UPDATE score_configs SET
    name = %(name)s, is_archived = %(is_archived)s, min_value = %(min_value)s, max_value = %(max_value)s,
    categories = %(categories)s, description = %(description)s, updated_at = clock_timestamp()
WHERE project_id = %(project_id)s AND id = %(id)s
RETURNING *;
