-- Makes traces of eight observations out of nothing but numbers: every value is a hash of seed, trace and purpose.

-- name: words
-- 32,768 places of a vocabulary of 6,000 words, taken as often as words are in prose.
CREATE OR REPLACE TABLE seed_words
ENGINE = Memory
AS SELECT groupArray(word) AS words
FROM
(
    SELECT
        arrayStringConcat(arrayMap(
            j -> ['ba', 'con', 'der', 'el', 'fi', 'gra', 'hu', 'in', 'jo', 'ka', 'lo', 'men', 'ne', 'or', 'pre', 'qui', 'ra', 'ser',
                'ti', 'un', 'ver', 'wa', 'ex', 'yo', 'ze', 'tion', 'al', 'st'][1 + cityHash64(rank, j, 'syllable') % 28],
            range(1 + cityHash64(rank, 'length') % 4)
        )) || if(rank % 3 = 0, lower(substring(base64Encode(toString(cityHash64(rank, 'rare'))), 3, 3)), '') AS word
    FROM
    (
        SELECT toUInt64(3 * (exp((number / 32768) * log(2001)) - 1)) AS rank FROM numbers(32768) ORDER BY number
    )
)

-- name: drop_words
DROP TABLE IF EXISTS seed_words

-- name: traces
    SELECT
        toUInt64(number) AS i,
        lower(hex(MD5(concat({seed:String}, ':', toString(i))))) AS seeded_trace,
        {project_id:String} AS seeded_project,
        fromUnixTimestamp64Micro(
            {first_micros:Int64} + toInt64({spread_micros:Int64} * ((i + cityHash64({seed:String}, i, 'jitter') % 1000 / 1000) / {total:UInt64})),
            'UTC'
        ) AS began,
        ['support-chat', 'rag-answer', 'summarise-ticket', 'sql-agent', 'email-draft'][1 + cityHash64({seed:String}, i, 'name') % 5] AS seeded_name,
        'user-' || leftPad(toString(cityHash64({seed:String}, i, 'user') % 5000), 4, '0') AS seeded_user,
        'session-' || {seed:String} || '-' || leftPad(toString(intDiv(i, 5)), 7, '0') AS seeded_session,
        ['prod', 'staging', 'canary', 'rag', 'support', 'sales', 'eu', 'us', 'beta', 'batch'] AS all_tags,
        arraySort(arrayDistinct([
            all_tags[1 + cityHash64({seed:String}, i, 'tag1') % 10], all_tags[1 + cityHash64({seed:String}, i, 'tag2') % 10]
        ])) AS seeded_tags,
        if(i % 4 = 0, 'staging', 'production') AS seeded_environment,
        arrayCumSum(arrayMap(k -> toInt64(1000 * multiIf(
            k = 1, 5, k = 2, 20 + cityHash64({seed:String}, i, k, 'ms') % 180, k = 3, 1 + cityHash64({seed:String}, i, k, 'ms') % 14,
            k = 5, 50 + cityHash64({seed:String}, i, k, 'ms') % 850, k = 8, 5, 300 + cityHash64({seed:String}, i, k, 'ms') % 3700)
        ), range(1, 9))) AS offsets
    FROM numbers({from:UInt64}, {count:UInt64})

-- name: list_view
-- What `appliance.model.observations.listed` makes of an observation; a test compares them.
CREATE MATERIALIZED VIEW IF NOT EXISTS seed_list_view TO observations_list AS
SELECT
    project_id, trace_id, id, parent_id, type, name, start_time, end_time, completion_start_time, environment, level,
    status_message, version, release, is_root, is_app_root, trace_name, user_id, session_id, tags, public,
    substringUTF8(input, 1, 200) AS input, substringUTF8(output, 1, 200) AS output,
    mapApply((k, v) -> (k, substringUTF8(v, 1, 200)), metadata) AS metadata,
    model, model_id, usage_details, cost_details, total_cost, prompt_name, prompt_version,
    mapKeys(tool_definitions) AS tool_names, tool_call_names,
    mapApply((k, v) -> (k, substringUTF8(v, 1, 200)), experiment) AS experiment, event_ts, is_deleted
FROM observations

-- name: drop_list_view
DROP VIEW IF EXISTS seed_list_view

-- name: observations
INSERT INTO observations
    (project_id, trace_id, id, parent_id, type, name, start_time, end_time, completion_start_time, environment, level,
    status_message, release, is_root, trace_name, user_id, session_id, tags, input, output, metadata, model, model_id,
    model_parameters, provided_usage_details, usage_details, provided_cost_details, cost_details, total_cost,
    pricing_tier_id, pricing_tier_name, service_name, scope_name, created_at, updated_at, event_ts)
WITH
    (SELECT words FROM seed_words) AS words,
    (salt, letters) -> arrayStringConcat(arrayMap(
        j -> words[1 + (intHash64(salt + j) % 32768)], range(toUInt64(intDiv(letters, 6)))
    ), ' ') AS prose,
    x -> cityHash64({seed:String}, i, k, x) AS chance
SELECT
    seeded_project,
    seeded_trace,
    substring(lower(hex(MD5(concat({seed:String}, ':', toString(i), ':', toString(k))))), 1, 16) AS span_id,
    if(k = 1, '', substring(lower(hex(MD5(concat({seed:String}, ':', toString(i), ':1')))), 1, 16)),
    ['SPAN', 'RETRIEVER', 'SPAN', 'GENERATION', 'TOOL', 'GENERATION', 'GENERATION', 'SPAN'][k] AS kind,
    if(k = 1, seeded_name,
        ['', 'vector-search', 'build-prompt', 'plan-llm', 'lookup-tool', 'answer-llm', 'check-llm', 'postprocess'][k]),
    began + toIntervalMicrosecond(if(k = 1, 0, offsets[k - 1])) AS start,
    began + toIntervalMicrosecond(if(k = 1, offsets[8], offsets[k] - 1000)) AS ended,
    if(is_llm, start + toIntervalMillisecond(80), NULL),
    seeded_environment,
    multiIf(k = 5 AND chance('error') % 50 = 0, 'ERROR', is_llm AND chance('error') % 100 = 0, 'ERROR',
        k = 2 AND chance('error') % 40 = 0, 'WARNING', 'DEFAULT') AS said_level,
    if(said_level = 'ERROR', 'upstream timeout after 3 tries', ''),
    '2026.11',
    k = 1,
    seeded_name,
    seeded_user,
    seeded_session,
    seeded_tags,
    multiIf(
        is_llm, '[{"role": "system", "content": "You are a helpful assistant. ' || prose(toUInt64(chance('system') % 8), 380)
            || '"}, {"role": "user", "content": "' || if(k = 6 AND i % 1000 = 0, 'zqneedle' || {seed:String} || ' ', '')
            || prose(chance('in'), 900 + chance('in') % 300) || '"}]',
        k = 5, '{"query": "' || prose(chance('in'), 60) || '", "limit": ' || toString(chance('limit') % 50) || '}',
        k IN (1, 2), prose(cityHash64({seed:String}, i, 'question'), 220),
        ''),
    multiIf(
        is_llm, '{"role": "assistant", "content": "' || prose(chance('out'), 650 + chance('out') % 300) || '"}',
        k = 5, '{"rows": ' || toString(chance('rows') % 50) || ', "result": "' || prose(chance('out'), 300) || '"}',
        k = 2, '[' || arrayStringConcat(arrayMap(
            d -> '{"id": "doc-' || toString(cityHash64({seed:String}, i, d) % 1000000) || '", "text": "'
                || prose(cityHash64({seed:String}, i, d, 'doc'), 280) || '"}', [1, 2, 3]), ', ') || ']',
        k = 1, prose(cityHash64({seed:String}, i, 'answer'), 600),
        ''),
    map('resourceAttributes', '{"service.name":"seed","telemetry.sdk.language":"python"}',
        'scope', '{"name":"seed","version":"","attributes":{}}'),
    if(is_llm, ['gpt-4o', 'gpt-4o-mini', 'claude-sonnet-4-5', 'gemini-2.5-pro', 'llama-3.1-70b'][pick], ''),
    if(is_llm, 'model-' || toString(pick), ''),
    if(is_llm, '{"temperature":' || ['0.0', '0.2', '0.7'][1 + chance('temperature') % 3] || ',"max_tokens":1024}', ''),
    if(is_llm, map('input', tokens_in, 'output', tokens_out, 'total', tokens_in + tokens_out), map()) AS usage,
    usage,
    if(is_llm, map('input', cost_in, 'output', cost_out, 'total', cost_in + cost_out), map()) AS costs,
    costs,
    if(is_llm, cost_in + cost_out, NULL),
    if(is_llm, 'tier-' || toString(pick), ''),
    if(is_llm, 'Standard', ''),
    'seed',
    'seed',
    now64(6),
    now64(6),
    now64(6)
FROM
(
    SELECT
        *,
        toUInt64(place) AS k,
        k IN (4, 6, 7) AS is_llm,
        1 + toUInt64(indexOf(arrayMap(x -> cityHash64({seed:String}, i, k, 'model') % 100 < x, [30, 65, 85, 95, 100]), 1) - 1) AS pick,
        toUInt64(250 + cityHash64({seed:String}, i, k, 'tokens') % 650) AS tokens_in,
        toUInt64(60 + cityHash64({seed:String}, i, k, 'more') % 440) AS tokens_out,
        toDecimal64(tokens_in * [2.5, 0.15, 3, 1.25, 0][pick] / 1000000, 12) AS cost_in,
        toDecimal64(tokens_out * [10, 0.6, 15, 10, 0][pick] / 1000000, 12) AS cost_out
    FROM ($traces)
    ARRAY JOIN range(1, 9) AS place
)

-- name: trace_parts
INSERT INTO trace_parts
    (project_id, id, part_id, timestamp, order_ts, name, name_rank, user_id, session_id, release, environment, tags,
    metadata, input, output, is_root, created_at, event_ts)
WITH
    (SELECT words FROM seed_words) AS words,
    (salt, letters) -> arrayStringConcat(arrayMap(
        j -> words[1 + (intHash64(salt + j) % 32768)], range(toUInt64(intDiv(letters, 6)))
    ), ' ') AS prose
SELECT
    seeded_project,
    seeded_trace,
    'r:' || substring(lower(hex(MD5(concat({seed:String}, ':', toString(i), ':1')))), 1, 16),
    began,
    began,
    seeded_name,
    2,
    seeded_user,
    seeded_session,
    '2026.11',
    seeded_environment,
    seeded_tags,
    map('resourceAttributes', '{"service.name":"seed","telemetry.sdk.language":"python"}',
        'scope', '{"name":"seed","version":"","attributes":{}}', 'tenant', 't' || toString(i % 40)),
    prose(cityHash64({seed:String}, i, 'question'), 220),
    prose(cityHash64({seed:String}, i, 'answer'), 600),
    true,
    now64(6),
    now64(6)
FROM ($traces)

-- name: scores
INSERT INTO scores
    (project_id, id, timestamp, environment, trace_id, name, source, data_type, value, created_at, updated_at, event_ts)
SELECT
    seeded_project,
    'score-' || {seed:String} || '-' || toString(i),
    began,
    seeded_environment,
    seeded_trace,
    'quality',
    'API',
    'NUMERIC',
    (cityHash64({seed:String}, i, 'score') % 100) / 100,
    now64(6),
    now64(6),
    now64(6)
FROM ($traces)
WHERE i % 10 = 0

-- name: touches
INSERT INTO touched_traces
    (project_id, trace_id, first_start, last_start)
SELECT seeded_project, seeded_trace, began, began + toIntervalMicrosecond(offsets[7])
FROM ($traces)

-- name: large_observations
INSERT INTO observations
    (project_id, trace_id, id, parent_id, type, name, start_time, end_time, input, output, total_cost, created_at, updated_at, event_ts)
SELECT
    {project_id:String},
    {trace_id:String},
    'large-' || leftPad(toString(number), 6, '0') AS span_id,
    if(number = 0, '', 'large-' || leftPad(toString(intDiv(number - 1, 10)), 6, '0')),
    'SPAN',
    'step ' || toString(number % 40),
    fromUnixTimestamp64Micro({first_micros:Int64} + toInt64(number) * 20000, 'UTC') AS start,
    start + toIntervalMillisecond(15),
    repeat(concat('step ', toString(number), ' of a long run '), 20),
    repeat(concat('and what came of ', toString(number), ' '), 20),
    0.0001,
    now64(6),
    now64(6),
    now64(6)
FROM numbers({count:UInt64})

-- name: large_part
INSERT INTO trace_parts
    (project_id, id, part_id, timestamp, order_ts, name, name_rank, is_root, created_at, event_ts)
SELECT
    {project_id:String}, {trace_id:String}, 'r:large-000000', fromUnixTimestamp64Micro({first_micros:Int64}, 'UTC') AS start, start,
    'long run', 2, true, now64(6), now64(6)

-- name: large_touch
INSERT INTO touched_traces
    (project_id, trace_id, first_start, last_start)
SELECT
    {project_id:String}, {trace_id:String}, fromUnixTimestamp64Micro({first_micros:Int64}, 'UTC') AS first,
    first + toIntervalMicrosecond(20000 * ({count:UInt64} - 1))
