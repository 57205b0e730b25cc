-- One index of all words of an observation, metadata values among them, and of what a trace was told; packed postings
-- take a third less than two indexes of unpacked ones. What is stored already is indexed in the background.

ALTER TABLE observations DROP INDEX IF EXISTS by_input;

ALTER TABLE observations DROP INDEX IF EXISTS by_output;

ALTER TABLE observations ADD INDEX IF NOT EXISTS by_text
    lower(concat(name, '\n', input, '\n', output, '\n', arrayStringConcat(mapValues(metadata), '\n')))
    TYPE text(tokenizer = 'splitByNonAlpha', posting_list_codec = 'bitpacking') GRANULARITY 100000000;

ALTER TABLE trace_parts ADD INDEX IF NOT EXISTS by_text
    lower(concat(ifNull(name, ''), '\n', ifNull(input, ''), '\n', ifNull(output, ''), '\n', arrayStringConcat(mapValues(metadata), '\n')))
    TYPE text(tokenizer = 'splitByNonAlpha', posting_list_codec = 'bitpacking') GRANULARITY 100000000;

ALTER TABLE observations MATERIALIZE INDEX by_text SETTINGS mutations_sync = 0, alter_sync = 0;

ALTER TABLE trace_parts MATERIALIZE INDEX by_text SETTINGS mutations_sync = 0, alter_sync = 0;
