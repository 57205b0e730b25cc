-- name: announce
INSERT INTO media (project_id, id, sha256_hash, content_type, content_length, path)
VALUES (%(project_id)s, %(id)s, %(sha256_hash)s, %(content_type)s, %(content_length)s, %(path)s)
ON CONFLICT (project_id, id) DO UPDATE SET
    content_type = EXCLUDED.content_type,
    content_length = CASE WHEN media.uploaded_at IS NULL THEN EXCLUDED.content_length ELSE media.content_length END,
    updated_at = clock_timestamp()
RETURNING *;

-- name: announce_many
-- Nothing is added to a project that has been deleted. Sorted, so that workers which announce the same media do not deadlock.
INSERT INTO media (project_id, id, sha256_hash, content_type, content_length, path)
SELECT p.id, m.id, m.sha256_hash, m.content_type, m.content_length, m.path
FROM projects p, unnest(
    %(ids)s::text[], %(hashes)s::text[], %(types)s::text[], %(lengths)s::bigint[], %(paths)s::text[]
) AS m (id, sha256_hash, content_type, content_length, path)
WHERE p.id = %(project_id)s
ORDER BY m.id
-- A new time, so that neither forget_abandoned nor delete_unused takes it.
ON CONFLICT (project_id, id) DO UPDATE SET updated_at = clock_timestamp();

-- name: forget_abandoned
-- Upload addresses expire long before a day has passed. Links to these media are deleted by their foreign keys.
DELETE FROM media
WHERE uploaded_at IS NULL AND (project_id, id) IN (
    SELECT project_id, id FROM media
    WHERE uploaded_at IS NULL AND updated_at < clock_timestamp() - interval '1 day'
    ORDER BY updated_at
    LIMIT %(most)s
    FOR UPDATE SKIP LOCKED
);

-- name: get
SELECT * FROM media WHERE project_id = %(project_id)s AND id = %(id)s;

-- name: get_many
SELECT * FROM media WHERE project_id = %(project_id)s AND id = ANY(%(ids)s);

-- name: mark_uploaded
UPDATE media SET uploaded_at = clock_timestamp(), content_length = %(content_length)s, updated_at = clock_timestamp()
WHERE project_id = %(project_id)s AND id = %(id)s;

-- name: mark_many_uploaded
UPDATE media SET uploaded_at = clock_timestamp(), content_length = u.content_length, updated_at = clock_timestamp()
FROM unnest(%(ids)s::text[], %(lengths)s::bigint[]) AS u (id, content_length)
WHERE media.project_id = %(project_id)s AND media.id = u.id AND media.uploaded_at IS NULL;

-- name: confirm
UPDATE media SET
    uploaded_at = CASE WHEN uploaded_at IS NULL THEN NULL ELSE %(uploaded_at)s END,
    upload_http_status = %(http_status)s,
    upload_http_error = %(http_error)s,
    upload_time_ms = %(time_ms)s,
    updated_at = clock_timestamp()
WHERE project_id = %(project_id)s AND id = %(id)s;

-- name: link_trace
INSERT INTO trace_media (project_id, trace_id, observation_id, field, media_id)
VALUES (%(project_id)s, %(trace_id)s, %(observation_id)s, %(field)s, %(media_id)s)
ON CONFLICT DO NOTHING;

-- name: link_traces
INSERT INTO trace_media (project_id, trace_id, observation_id, field, media_id)
SELECT m.project_id, u.trace_id, u.observation_id, u.field, u.media_id
FROM unnest(
    %(trace_ids)s::text[], %(observation_ids)s::text[], %(fields)s::text[], %(media_ids)s::text[]
) AS u (trace_id, observation_id, field, media_id)
JOIN media m ON m.project_id = %(project_id)s AND m.id = u.media_id
ORDER BY u.trace_id, u.observation_id, u.field, u.media_id
ON CONFLICT DO NOTHING;

-- name: link_dataset_item
INSERT INTO dataset_item_media (project_id, dataset_id, dataset_item_id, field, media_id)
VALUES (%(project_id)s, %(dataset_id)s, %(dataset_item_id)s, %(field)s, %(media_id)s)
ON CONFLICT DO NOTHING;

-- name: media_of_traces
SELECT DISTINCT m.project_id, m.media_id
FROM trace_media m
JOIN unnest(%(project_ids)s::text[], %(trace_ids)s::text[]) AS t (project_id, trace_id)
    ON m.project_id = t.project_id AND m.trace_id = t.trace_id
ORDER BY m.project_id, m.media_id;

-- name: unlink_traces
DELETE FROM trace_media
USING unnest(%(project_ids)s::text[], %(trace_ids)s::text[]) AS t (project_id, trace_id)
WHERE trace_media.project_id = t.project_id AND trace_media.trace_id = t.trace_id;

-- name: withdraw_unused
-- A worker that announces one of these from now on uploads its content again.
UPDATE media SET uploaded_at = NULL
FROM unnest(%(project_ids)s::text[], %(media_ids)s::text[]) AS u (project_id, id)
WHERE media.project_id = u.project_id AND media.id = u.id
    AND media.updated_at < clock_timestamp() - %(quiet_s)s * interval '1 second'
    AND NOT EXISTS (SELECT FROM trace_media t WHERE t.project_id = media.project_id AND t.media_id = media.id)
    AND NOT EXISTS (SELECT FROM dataset_item_media d WHERE d.project_id = media.project_id AND d.media_id = media.id);

-- name: delete_unused
-- A worker announces media, then stores where they are used: what was announced a moment ago stays.
DELETE FROM media
USING unnest(%(project_ids)s::text[], %(media_ids)s::text[]) AS u (project_id, id)
WHERE media.project_id = u.project_id AND media.id = u.id AND media.uploaded_at IS NULL
    AND media.updated_at < clock_timestamp() - %(quiet_s)s * interval '1 second'
    AND NOT EXISTS (SELECT FROM trace_media t WHERE t.project_id = media.project_id AND t.media_id = media.id)
    AND NOT EXISTS (SELECT FROM dataset_item_media d WHERE d.project_id = media.project_id AND d.media_id = media.id)
RETURNING media.path;

-- name: delete_of_project
DELETE FROM media
WHERE project_id = %(project_id)s AND id IN (SELECT id FROM media WHERE project_id = %(project_id)s LIMIT %(most)s)
RETURNING path;

-- name: stored_bytes
SELECT coalesce(sum(content_length), 0)::bigint AS bytes FROM media WHERE uploaded_at IS NOT NULL;
