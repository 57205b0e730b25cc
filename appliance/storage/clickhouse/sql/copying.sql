-- Reads of the catalog for copying one database into another.

-- name: tables
SELECT name
FROM system.tables
WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name != 'schema_migrations'
ORDER BY name

-- name: columns
SELECT table, name, type
FROM system.columns
WHERE database = currentDatabase() AND default_kind NOT IN ('ALIAS', 'MATERIALIZED')
ORDER BY table, position

-- name: partitions
SELECT partition_id, sum(rows) AS rows
FROM system.parts
WHERE database = currentDatabase() AND table = {table:String} AND active
GROUP BY partition_id
ORDER BY partition_id

-- name: most_parts
SELECT max(parts)
FROM (
    SELECT count() AS parts
    FROM system.parts
    WHERE database = currentDatabase() AND active AND table != 'schema_migrations'
    GROUP BY table, partition_id
)

-- name: stored_bytes
SELECT sum(bytes_on_disk)
FROM system.parts
WHERE database = currentDatabase() AND active

-- name: stored_rows
SELECT sum(rows)
FROM system.parts
WHERE database = currentDatabase() AND active AND table != 'schema_migrations'
