ALTER TABLE observations_local ON CLUSTER `main` DROP INDEX IF EXISTS by_text;

ALTER TABLE trace_parts_local ON CLUSTER `main` DROP INDEX IF EXISTS by_text;

ALTER TABLE observations_local ON CLUSTER `main` ADD INDEX IF NOT EXISTS by_words
concat(
    if(isValidASCII(concat(name, '\n', input, '\n', output, '\n', arrayStringConcat(mapValues(metadata), '\n'))), lower(concat(name, '\n', input, '\n', output, '\n', arrayStringConcat(mapValues(metadata), '\n'))), ''),
    replaceRegexpAll(replaceAll(replaceAll(normalizeUTF8NFKCCasefold(replaceRegexpAll(
    toValidUTF8(if(isValidASCII(concat(name, '\n', input, '\n', output, '\n', arrayStringConcat(mapValues(metadata), '\n'))), '', concat(name, '\n', input, '\n', output, '\n', arrayStringConcat(mapValues(metadata), '\n')))), '([^\\x00-\\x7f\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Cf}]|\\x{200b})', ' \\1 '
)), 'i\xcc\x87', 'i'), '\xc4\xb1', 'i'), '[\\p{Han}\\p{Hiragana}\\p{Katakana}\\p{Hangul}\\p{Bopomofo}\\p{Yi}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}\\p{Tai_Le}\\p{New_Tai_Lue}\\p{Tai_Tham}\\p{Tai_Viet}\\p{Balinese}\\p{Javanese}\\x{3006}\\x{30fc}]+', ' '),
    ' ',
    arrayStringConcat(ngrams(substringUTF8(arrayStringConcat(extractAll(replaceAll(replaceAll(normalizeUTF8NFKCCasefold(replaceRegexpAll(
    toValidUTF8(if(isValidASCII(concat(name, '\n', input, '\n', output, '\n', arrayStringConcat(mapValues(metadata), '\n'))), '', concat(name, '\n', input, '\n', output, '\n', arrayStringConcat(mapValues(metadata), '\n')))), '([^\\x00-\\x7f\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Cf}]|\\x{200b})', ' \\1 '
)), 'i\xcc\x87', 'i'), '\xc4\xb1', 'i'), '[\\p{Han}\\p{Hiragana}\\p{Katakana}\\p{Hangul}\\p{Bopomofo}\\p{Yi}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}\\p{Tai_Le}\\p{New_Tai_Lue}\\p{Tai_Tham}\\p{Tai_Viet}\\p{Balinese}\\p{Javanese}\\x{3006}\\x{30fc}]+'), ' '), 1, 2000000), 2), ' ')
)
TYPE text(tokenizer = 'splitByNonAlpha', posting_list_codec = 'bitpacking') GRANULARITY 100000000;

ALTER TABLE trace_parts_local ON CLUSTER `main` ADD INDEX IF NOT EXISTS by_words
concat(
    if(isValidASCII(concat(ifNull(name, ''), '\n', ifNull(input, ''), '\n', ifNull(output, ''), '\n', arrayStringConcat(mapValues(metadata), '\n'))), lower(concat(ifNull(name, ''), '\n', ifNull(input, ''), '\n', ifNull(output, ''), '\n', arrayStringConcat(mapValues(metadata), '\n'))), ''),
    replaceRegexpAll(replaceAll(replaceAll(normalizeUTF8NFKCCasefold(replaceRegexpAll(
    toValidUTF8(if(isValidASCII(concat(ifNull(name, ''), '\n', ifNull(input, ''), '\n', ifNull(output, ''), '\n', arrayStringConcat(mapValues(metadata), '\n'))), '', concat(ifNull(name, ''), '\n', ifNull(input, ''), '\n', ifNull(output, ''), '\n', arrayStringConcat(mapValues(metadata), '\n')))), '([^\\x00-\\x7f\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Cf}]|\\x{200b})', ' \\1 '
)), 'i\xcc\x87', 'i'), '\xc4\xb1', 'i'), '[\\p{Han}\\p{Hiragana}\\p{Katakana}\\p{Hangul}\\p{Bopomofo}\\p{Yi}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}\\p{Tai_Le}\\p{New_Tai_Lue}\\p{Tai_Tham}\\p{Tai_Viet}\\p{Balinese}\\p{Javanese}\\x{3006}\\x{30fc}]+', ' '),
    ' ',
    arrayStringConcat(ngrams(substringUTF8(arrayStringConcat(extractAll(replaceAll(replaceAll(normalizeUTF8NFKCCasefold(replaceRegexpAll(
    toValidUTF8(if(isValidASCII(concat(ifNull(name, ''), '\n', ifNull(input, ''), '\n', ifNull(output, ''), '\n', arrayStringConcat(mapValues(metadata), '\n'))), '', concat(ifNull(name, ''), '\n', ifNull(input, ''), '\n', ifNull(output, ''), '\n', arrayStringConcat(mapValues(metadata), '\n')))), '([^\\x00-\\x7f\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Cf}]|\\x{200b})', ' \\1 '
)), 'i\xcc\x87', 'i'), '\xc4\xb1', 'i'), '[\\p{Han}\\p{Hiragana}\\p{Katakana}\\p{Hangul}\\p{Bopomofo}\\p{Yi}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}\\p{Tai_Le}\\p{New_Tai_Lue}\\p{Tai_Tham}\\p{Tai_Viet}\\p{Balinese}\\p{Javanese}\\x{3006}\\x{30fc}]+'), ' '), 1, 2000000), 2), ' ')
)
TYPE text(tokenizer = 'splitByNonAlpha', posting_list_codec = 'bitpacking') GRANULARITY 100000000;

ALTER TABLE observations_local ON CLUSTER `main` MATERIALIZE INDEX by_words SETTINGS mutations_sync = 0, alter_sync = 0;

ALTER TABLE trace_parts_local ON CLUSTER `main` MATERIALIZE INDEX by_words SETTINGS mutations_sync = 0, alter_sync = 0;
