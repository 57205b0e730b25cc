CREATE TABLE IF NOT EXISTS schema_migrations_local ON CLUSTER `main`
(
    version UInt32,
    name String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplicatedMergeTree
ORDER BY version;

CREATE TABLE IF NOT EXISTS schema_migrations ON CLUSTER `main` AS schema_migrations_local
ENGINE = Distributed(`main`, `langfuse`, schema_migrations_local, xxHash64(version));
