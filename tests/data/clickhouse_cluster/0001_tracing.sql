CREATE TABLE IF NOT EXISTS observations_local ON CLUSTER `main`
(
    project_id LowCardinality(String),
    trace_id String,
    id String,
    parent_id String,
    type LowCardinality(String) DEFAULT 'SPAN',
    name String,
    start_time DateTime64(6, 'UTC'),
    end_time Nullable(DateTime64(6, 'UTC')),
    completion_start_time Nullable(DateTime64(6, 'UTC')),
    environment LowCardinality(String) DEFAULT 'default',
    level LowCardinality(String) DEFAULT 'DEFAULT',
    status_message String,
    version String,
    release String,
    is_root Bool,
    is_app_root Bool,
    trace_name String,
    user_id String,
    session_id String,
    tags Array(LowCardinality(String)),
    public Bool,
    input String CODEC(ZSTD(3)),
    output String CODEC(ZSTD(3)),
    metadata Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    model String,
    model_id String,
    model_parameters String,
    provided_usage_details Map(LowCardinality(String), UInt64),
    usage_details Map(LowCardinality(String), UInt64),
    provided_cost_details Map(LowCardinality(String), Decimal(18, 12)),
    cost_details Map(LowCardinality(String), Decimal(18, 12)),
    total_cost Nullable(Decimal(18, 12)),
    pricing_tier_id LowCardinality(String),
    pricing_tier_name LowCardinality(String),
    prompt_id String,
    prompt_name String,
    prompt_version UInt16,
    tool_definitions Map(String, String) CODEC(ZSTD(3)),
    tool_calls Array(String) CODEC(ZSTD(3)),
    tool_call_names Array(LowCardinality(String)),
    experiment Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    service_name LowCardinality(String),
    scope_name LowCardinality(String),
    scope_version LowCardinality(String),
    sdk_name LowCardinality(String),
    sdk_version LowCardinality(String),
    source LowCardinality(String) DEFAULT 'otel',
    created_at DateTime64(6, 'UTC'),
    updated_at DateTime64(6, 'UTC'),
    event_ts DateTime64(6, 'UTC'),
    is_deleted UInt8 DEFAULT 0,
    INDEX by_id id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_input lower(input) TYPE text(tokenizer = 'splitByNonAlpha') GRANULARITY 100000000,
    INDEX by_output lower(output) TYPE text(tokenizer = 'splitByNonAlpha') GRANULARITY 100000000
)
ENGINE = ReplicatedReplacingMergeTree(event_ts, is_deleted)
PARTITION BY toYYYYMM(start_time)
PRIMARY KEY (project_id, toStartOfMinute(start_time), xxHash32(trace_id))
ORDER BY (project_id, toStartOfMinute(start_time), xxHash32(trace_id), id)
SETTINGS index_granularity_bytes = 1048576;

CREATE TABLE IF NOT EXISTS observations ON CLUSTER `main` AS observations_local
ENGINE = Distributed(`main`, `langfuse`, observations_local, xxHash64(trace_id));

CREATE TABLE IF NOT EXISTS observations_list_local ON CLUSTER `main`
(
    project_id LowCardinality(String),
    trace_id String,
    id String,
    parent_id String,
    type LowCardinality(String) DEFAULT 'SPAN',
    name LowCardinality(String),
    start_time DateTime64(6, 'UTC'),
    end_time Nullable(DateTime64(6, 'UTC')),
    completion_start_time Nullable(DateTime64(6, 'UTC')),
    environment LowCardinality(String) DEFAULT 'default',
    level LowCardinality(String) DEFAULT 'DEFAULT',
    status_message String,
    version LowCardinality(String),
    release LowCardinality(String),
    is_root Bool,
    is_app_root Bool,
    trace_name LowCardinality(String),
    user_id String,
    session_id String,
    tags Array(LowCardinality(String)),
    public Bool,
    input String CODEC(ZSTD(1)),
    output String CODEC(ZSTD(1)),
    metadata Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    model LowCardinality(String),
    model_id LowCardinality(String),
    usage_details Map(LowCardinality(String), UInt64),
    cost_details Map(LowCardinality(String), Decimal(18, 12)),
    total_cost Nullable(Decimal(18, 12)),
    prompt_name LowCardinality(String),
    prompt_version UInt16,
    tool_names Array(LowCardinality(String)),
    tool_call_names Array(LowCardinality(String)),
    experiment Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    event_ts DateTime64(6, 'UTC'),
    is_deleted UInt8 DEFAULT 0,
    INDEX by_id id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_user user_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_session session_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplicatedReplacingMergeTree(event_ts, is_deleted)
PARTITION BY toYYYYMM(start_time)
PRIMARY KEY (project_id, toStartOfMinute(start_time), xxHash32(trace_id))
ORDER BY (project_id, toStartOfMinute(start_time), xxHash32(trace_id), id);

CREATE TABLE IF NOT EXISTS observations_list ON CLUSTER `main` AS observations_list_local
ENGINE = Distributed(`main`, `langfuse`, observations_list_local, xxHash64(trace_id));

CREATE MATERIALIZED VIEW IF NOT EXISTS observations_list_view ON CLUSTER `main` TO observations_list_local AS
SELECT
    project_id, trace_id, id, parent_id, type, name, start_time, end_time, completion_start_time, environment, level,
    status_message, version, release, is_root, is_app_root, trace_name, user_id, session_id, tags, public,
    substringUTF8(input, 1, 200) AS input, substringUTF8(output, 1, 200) AS output,
    mapApply((k, v) -> (k, substringUTF8(v, 1, 200)), metadata) AS metadata,
    model, model_id, usage_details, cost_details, total_cost, prompt_name, prompt_version,
    mapKeys(tool_definitions) AS tool_names, tool_call_names,
    mapApply((k, v) -> (k, substringUTF8(v, 1, 200)), experiment) AS experiment, event_ts, is_deleted
FROM observations_local;

CREATE TABLE IF NOT EXISTS trace_parts_local ON CLUSTER `main`
(
    project_id LowCardinality(String),
    id String,
    part_id String,
    timestamp DateTime64(6, 'UTC'),
    order_ts DateTime64(6, 'UTC'),
    name Nullable(String),
    name_rank UInt8,
    user_id Nullable(String),
    session_id Nullable(String),
    version Nullable(String),
    release Nullable(String),
    environment LowCardinality(String) DEFAULT 'default',
    tags Array(LowCardinality(String)),
    public Nullable(Bool),
    bookmarked Nullable(Bool),
    metadata Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    input Nullable(String) CODEC(ZSTD(3)),
    output Nullable(String) CODEC(ZSTD(3)),
    nulls Array(LowCardinality(String)),
    is_root Bool,
    created_at DateTime64(6, 'UTC'),
    event_ts DateTime64(6, 'UTC'),
    is_deleted UInt8 DEFAULT 0,
    INDEX by_id id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_user user_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_session session_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplicatedReplacingMergeTree(event_ts, is_deleted)
PARTITION BY toYYYYMM(timestamp)
PRIMARY KEY (project_id, toStartOfMinute(timestamp))
ORDER BY (project_id, toStartOfMinute(timestamp), id, part_id)
SETTINGS index_granularity_bytes = 1048576;

CREATE TABLE IF NOT EXISTS trace_parts ON CLUSTER `main` AS trace_parts_local
ENGINE = Distributed(`main`, `langfuse`, trace_parts_local, xxHash64(id));

CREATE TABLE IF NOT EXISTS scores_local ON CLUSTER `main`
(
    project_id LowCardinality(String),
    id String,
    timestamp DateTime64(6, 'UTC'),
    environment LowCardinality(String) DEFAULT 'default',
    trace_id String,
    observation_id String,
    session_id String,
    dataset_run_id String,
    execution_trace_id String,
    name String,
    source LowCardinality(String),
    data_type LowCardinality(String),
    value Float64,
    string_value String,
    long_string_value String CODEC(ZSTD(3)),
    comment String CODEC(ZSTD(3)),
    metadata Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    author_user_id String,
    config_id String,
    queue_id String,
    sdk_name LowCardinality(String),
    sdk_version LowCardinality(String),
    created_at DateTime64(6, 'UTC'),
    updated_at DateTime64(6, 'UTC'),
    event_ts DateTime64(6, 'UTC'),
    is_deleted UInt8 DEFAULT 0,
    INDEX by_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_session session_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_timestamp timestamp TYPE minmax GRANULARITY 1
)
ENGINE = ReplicatedReplacingMergeTree(event_ts, is_deleted)
ORDER BY (project_id, id);

CREATE TABLE IF NOT EXISTS scores ON CLUSTER `main` AS scores_local
ENGINE = Distributed(`main`, `langfuse`, scores_local, xxHash64(id));
