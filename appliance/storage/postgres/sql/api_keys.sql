-- name: by_either
-- Both columns have a unique index, so Postgres reads a few rows by either of them.
SELECT id, public_key, project_id, hashed_secret_key, fast_hashed_secret_key FROM api_keys
WHERE (fast_hashed_secret_key = ANY(%(fast_hashes)s) OR public_key = %(public_key)s)
    AND (expires_at IS NULL OR expires_at > clock_timestamp());

-- name: by_public_key
SELECT id, public_key, project_id, scope, hashed_secret_key, fast_hashed_secret_key FROM api_keys
WHERE public_key = %(public_key)s AND (expires_at IS NULL OR expires_at > clock_timestamp());

-- name: set_hashes
UPDATE api_keys SET fast_hashed_secret_key = %(fast)s, hashed_secret_key = %(slow)s WHERE id = %(id)s;

-- name: insert
INSERT INTO api_keys (
    id, public_key, hashed_secret_key, fast_hashed_secret_key, display_secret_key, note, scope, project_id
) VALUES (
    %(id)s, %(public_key)s, %(hashed)s, %(fast_hash)s, %(display)s, %(note)s, 'PROJECT', %(project_id)s
);

-- name: delete
-- Also a key of another name with the same secret: a secret finds its key, so it must be unique.
DELETE FROM api_keys WHERE public_key = %(public_key)s OR fast_hashed_secret_key = ANY(%(fast_hashes)s);
