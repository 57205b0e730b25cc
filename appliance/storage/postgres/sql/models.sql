-- name: insert
INSERT INTO models
    (id, project_id, model_name, match_pattern, start_date, unit, tokenizer_id, tokenizer_config, pricing_tiers)
VALUES (
    %(id)s, %(project_id)s, %(model_name)s, %(match_pattern)s, %(start_date)s, %(unit)s, %(tokenizer_id)s,
    %(tokenizer_config)s, %(pricing_tiers)s
)
ON CONFLICT DO NOTHING
RETURNING *;

-- name: by_id
SELECT * FROM models WHERE project_id = %(project_id)s AND id = %(id)s;

-- name: by_project
SELECT * FROM models WHERE project_id = %(project_id)s;

-- name: all
SELECT * FROM models;

-- name: delete
DELETE FROM models WHERE project_id = %(project_id)s AND id = %(id)s;
