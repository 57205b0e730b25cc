-- What was deleted and may still be stored: reads leave it out, and a job deletes the rows (decisions/0011).

CREATE TABLE IF NOT EXISTS deletions
(
    project_id LowCardinality(String),
    kind LowCardinality(String),
    id String,
    deleted_at DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(deleted_at)
ORDER BY (kind, project_id, id);
