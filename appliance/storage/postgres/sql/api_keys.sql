-- name: by_fast_hash
SELECT public_key, project_id FROM api_keys
WHERE fast_hashed_secret_key = %(fast_hash)s AND (expires_at IS NULL OR expires_at > clock_timestamp());

-- name: by_public_key
SELECT id, public_key, project_id, scope, hashed_secret_key FROM api_keys
WHERE public_key = %(public_key)s AND (expires_at IS NULL OR expires_at > clock_timestamp());

-- name: set_fast_hash
UPDATE api_keys SET fast_hashed_secret_key = %(fast_hash)s WHERE id = %(id)s;

-- name: insert
INSERT INTO api_keys (
    id, public_key, hashed_secret_key, fast_hashed_secret_key, display_secret_key, note, scope, project_id
) VALUES (
    %(id)s, %(public_key)s, %(hashed)s, %(fast_hash)s, %(display)s, %(note)s, 'PROJECT', %(project_id)s
);

-- name: delete
DELETE FROM api_keys WHERE public_key = %(public_key)s OR fast_hashed_secret_key = %(fast_hash)s;
