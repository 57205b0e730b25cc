-- Reads of the catalog for copying one database into another.

-- name: tables
SELECT c.relname AS name,
       array_remove(array_agg(DISTINCT other.relname), NULL) AS refers_to
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = current_schema()
LEFT JOIN pg_constraint AS k ON k.conrelid = c.oid AND k.contype = 'f'
LEFT JOIN pg_class AS other ON other.oid = k.confrelid
WHERE c.relkind = 'r'
GROUP BY c.relname
ORDER BY c.relname

-- name: columns
SELECT table_name, ordinal_position, column_name, data_type
FROM information_schema.columns
WHERE table_schema = current_schema()
ORDER BY table_name, ordinal_position

-- name: has_rows
-- Tables that only users fill; a first start creates projects and keys itself.
SELECT EXISTS (SELECT FROM prompts)
    OR EXISTS (SELECT FROM datasets)
    OR EXISTS (SELECT FROM score_configs)
    OR EXISTS (SELECT FROM models)
    OR EXISTS (SELECT FROM media) AS has_rows
