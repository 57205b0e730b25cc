-- Traces folded once they have been quiet for a while (docs/decisions), so that filters and orders need not fold them all.

-- Which traces were written to, and when; the bounds are those of the observations and parts that one insert brought.
CREATE TABLE IF NOT EXISTS touched_traces
(
    project_id LowCardinality(String),
    trace_id String,
    touched_at DateTime64(6, 'UTC'),
    first_start DateTime64(6, 'UTC'),
    last_start DateTime64(6, 'UTC')
)
ENGINE = MergeTree
PARTITION BY toDate(touched_at)
ORDER BY (touched_at, project_id, trace_id);

-- Up to which moment everything touched is folded; the row with the highest sequence holds.
CREATE TABLE IF NOT EXISTS folded_until
(
    name String,
    sequence UInt64,
    until DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(sequence)
ORDER BY name;

CREATE TABLE IF NOT EXISTS folded_traces
(
    project_id LowCardinality(String),
    id String,
    started DateTime64(6, 'UTC'),
    last_part DateTime64(6, 'UTC'),
    environment LowCardinality(String),
    name LowCardinality(String),
    user_id String,
    session_id String,
    version LowCardinality(String),
    release LowCardinality(String),
    public Bool,
    bookmarked Bool,
    tags Array(String),
    metadata Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    observation_count UInt32,
    error_count UInt32,
    warning_count UInt32,
    default_count UInt32,
    debug_count UInt32,
    top_level LowCardinality(String),
    span_micros Int64,
    first_start DateTime64(6, 'UTC'),
    last_start DateTime64(6, 'UTC'),
    total_cost Decimal(18, 12),
    input_cost Decimal(18, 12),
    output_cost Decimal(18, 12),
    input_tokens UInt64,
    output_tokens UInt64,
    total_tokens UInt64,
    models Array(String),
    types Array(String),
    sequence UInt64,
    is_deleted UInt8 DEFAULT 0,
    INDEX by_id id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(sequence, is_deleted)
PARTITION BY toYYYYMM(started)
ORDER BY (project_id, started, id);

CREATE MATERIALIZED VIEW IF NOT EXISTS touched_by_observations TO touched_traces AS
SELECT project_id, trace_id, now64(6, 'UTC') AS touched_at, min(start_time) AS first_start, max(start_time) AS last_start
FROM observations
GROUP BY project_id, trace_id;

CREATE MATERIALIZED VIEW IF NOT EXISTS touched_by_parts TO touched_traces AS
SELECT project_id, id AS trace_id, now64(6, 'UTC') AS touched_at, min(timestamp) AS first_start, max(timestamp) AS last_start
FROM trace_parts
GROUP BY project_id, id;

-- What is stored already was touched in the year 1970, in its own order: a second of the trace is a microsecond of that year.
INSERT INTO touched_traces
SELECT
    project_id,
    trace_id,
    fromUnixTimestamp64Micro(greatest(toInt64(toUnixTimestamp(min(start))), 1), 'UTC'),
    min(start),
    max(start)
FROM
(
    SELECT project_id, id AS trace_id, timestamp AS start FROM trace_parts
    UNION ALL
    SELECT project_id, trace_id, start_time AS start FROM observations_list
)
GROUP BY project_id, trace_id
SETTINGS max_bytes_before_external_group_by = 500000000;
