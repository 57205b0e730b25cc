ALTER TABLE observations_local ON CLUSTER `main` DROP INDEX IF EXISTS by_input;

ALTER TABLE observations_local ON CLUSTER `main` DROP INDEX IF EXISTS by_output;

ALTER TABLE observations_local ON CLUSTER `main` ADD INDEX IF NOT EXISTS by_text
    lower(concat(name, '\n', input, '\n', output, '\n', arrayStringConcat(mapValues(metadata), '\n')))
    TYPE text(tokenizer = 'splitByNonAlpha', posting_list_codec = 'bitpacking') GRANULARITY 100000000;

ALTER TABLE trace_parts_local ON CLUSTER `main` ADD INDEX IF NOT EXISTS by_text
    lower(concat(ifNull(name, ''), '\n', ifNull(input, ''), '\n', ifNull(output, ''), '\n', arrayStringConcat(mapValues(metadata), '\n')))
    TYPE text(tokenizer = 'splitByNonAlpha', posting_list_codec = 'bitpacking') GRANULARITY 100000000;

ALTER TABLE observations_local ON CLUSTER `main` MATERIALIZE INDEX by_text SETTINGS mutations_sync = 0, alter_sync = 0;

ALTER TABLE trace_parts_local ON CLUSTER `main` MATERIALIZE INDEX by_text SETTINGS mutations_sync = 0, alter_sync = 0;
