-- name: changes
SELECT noun, number FROM changes;

-- name: prompt_ids
SELECT project_id, name, version, id FROM prompts
WHERE (project_id, name, version) IN (
    SELECT * FROM unnest(%(projects)s::text[], %(names)s::text[], %(versions)s::int[])
);

-- name: score_configs
SELECT * FROM score_configs
WHERE (project_id, id) IN (SELECT * FROM unnest(%(projects)s::text[], %(ids)s::text[]));
