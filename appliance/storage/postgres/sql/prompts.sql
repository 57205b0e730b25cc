-- name: lock
-- Versions are numbered one after the other and labels move between them, so one writer per name at a time.
SELECT pg_advisory_xact_lock(hashtextextended(%(project_id)s || '/' || %(name)s, 1));

-- name: newest
SELECT * FROM prompts WHERE project_id = %(project_id)s AND name = %(name)s ORDER BY version DESC LIMIT 1;

-- name: insert
INSERT INTO prompts (id, project_id, name, version, type, prompt, config, labels, tags, commit_message)
VALUES (
    %(id)s, %(project_id)s, %(name)s, %(version)s, %(type)s, %(prompt)s, %(config)s, %(labels)s, %(tags)s,
    %(commit_message)s
)
RETURNING *;

-- name: take_labels
UPDATE prompts
SET labels = ARRAY(SELECT l FROM unnest(labels) WITH ORDINALITY AS u (l, o) WHERE l <> ALL (%(labels)s) ORDER BY o),
    updated_at = clock_timestamp()
WHERE project_id = %(project_id)s AND name = %(name)s AND version <> %(version)s AND labels && %(labels)s;

-- name: set_tags
UPDATE prompts SET tags = %(tags)s, updated_at = clock_timestamp()
WHERE project_id = %(project_id)s AND name = %(name)s AND tags <> %(tags)s;

-- name: set_labels
UPDATE prompts SET labels = %(labels)s, updated_at = clock_timestamp()
WHERE project_id = %(project_id)s AND name = %(name)s AND version = %(version)s
RETURNING *;

-- name: by_version
SELECT * FROM prompts WHERE project_id = %(project_id)s AND name = %(name)s AND version = %(version)s;

-- name: by_label
SELECT * FROM prompts WHERE project_id = %(project_id)s AND name = %(name)s AND %(label)s = ANY (labels)
ORDER BY version DESC LIMIT 1;

-- name: delete
DELETE FROM prompts
WHERE project_id = %(project_id)s AND name = %(name)s
    AND (%(version)s::int IS NULL OR version = %(version)s)
    AND (%(label)s::text IS NULL OR %(label)s = ANY (labels))
RETURNING version;

-- name: list
SELECT
    name,
    (array_agg(type ORDER BY version DESC))[1] AS type,
    array_agg(version ORDER BY version) AS versions,
    (SELECT coalesce(array_agg(DISTINCT l), '{}') FROM prompts q, unnest(q.labels) l
        WHERE q.project_id = %(project_id)s AND q.name = p.name AND q.version = ANY (array_agg(p.version))) AS labels,
    (array_agg(to_json(tags) ORDER BY version DESC))[1] AS tags,
    max(updated_at) AS last_updated_at,
    (array_agg(config ORDER BY version DESC))[1] AS last_config,
    count(*) OVER () AS total
FROM prompts p
WHERE project_id = %(project_id)s
    AND (%(name)s::text IS NULL OR name = %(name)s)
    AND (%(label)s::text IS NULL OR %(label)s = ANY (labels))
    AND (%(tag)s::text IS NULL OR %(tag)s = ANY (tags))
    AND (%(version)s::int IS NULL OR version = %(version)s)
    AND (%(from_updated_at)s::timestamptz IS NULL OR updated_at >= %(from_updated_at)s)
    AND (%(to_updated_at)s::timestamptz IS NULL OR updated_at < %(to_updated_at)s)
GROUP BY name
ORDER BY name
LIMIT %(limit)s OFFSET %(offset)s;
