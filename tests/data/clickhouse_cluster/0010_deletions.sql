CREATE TABLE IF NOT EXISTS deletions_local ON CLUSTER `main`
(
    project_id LowCardinality(String),
    kind LowCardinality(String),
    id String,
    deleted_at DateTime64(6, 'UTC')
)
ENGINE = ReplicatedReplacingMergeTree(deleted_at)
ORDER BY (kind, project_id, id);

CREATE TABLE IF NOT EXISTS deletions ON CLUSTER `main` AS deletions_local
ENGINE = Distributed(`main`, `langfuse`, deletions_local, xxHash64(id));
