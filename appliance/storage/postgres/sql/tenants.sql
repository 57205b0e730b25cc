-- name: insert_organization
INSERT INTO organizations (id, name) VALUES (%(id)s, %(name)s) ON CONFLICT DO NOTHING;

-- name: delete_withdrawn
DELETE FROM projects WHERE id = %(id)s AND deleted_at IS NOT NULL;

-- name: insert_project
INSERT INTO projects (id, org_id, name) VALUES (%(id)s, %(org_id)s, %(name)s)
ON CONFLICT DO NOTHING;

-- name: project_ids
SELECT id FROM projects WHERE deleted_at IS NULL ORDER BY created_at, id;

-- name: insert_user
INSERT INTO users (id, name, email, password) VALUES (%(id)s, %(name)s, %(email)s, %(password)s)
ON CONFLICT (email) DO NOTHING;

-- name: user_by_email
SELECT id FROM users WHERE email = %(email)s;

-- name: insert_owner
INSERT INTO organization_memberships (id, org_id, user_id, role)
SELECT %(id)s, %(org_id)s, id, 'OWNER' FROM users WHERE email = %(email)s
ON CONFLICT DO NOTHING;

-- name: project
SELECT p.id, p.name, p.retention_days, p.metadata, o.id AS org_id, o.name AS org_name
FROM projects p JOIN organizations o ON o.id = p.org_id
WHERE p.id = %(id)s AND p.deleted_at IS NULL;

-- name: projects_with_retention
SELECT id, retention_days FROM projects WHERE deleted_at IS NULL AND retention_days > 0 ORDER BY id;

-- name: delete_project_keys
DELETE FROM api_keys WHERE project_id = %(id)s;

-- name: mark_project_deleted
UPDATE projects SET deleted_at = clock_timestamp() WHERE id = %(id)s AND deleted_at IS NULL;

-- name: set_retention
UPDATE projects SET retention_days = %(days)s::integer, updated_at = clock_timestamp()
WHERE id = %(id)s AND retention_days IS DISTINCT FROM %(days)s::integer;

-- name: withdrawn_projects
SELECT id FROM projects WHERE deleted_at IS NOT NULL;

-- name: project_began
SELECT created_at FROM projects WHERE id = %(id)s AND deleted_at IS NULL;
