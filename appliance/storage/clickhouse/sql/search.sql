-- Free text: the words of observations and of parts of traces; `words` of these texts are the expressions of the index by_words.

-- name: observation_text
concat(name, '\n', input, '\n', output, '\n', arrayStringConcat(mapValues(metadata), '\n'))

-- name: part_text
concat(ifNull(name, ''), '\n', ifNull(input, ''), '\n', ifNull(output, ''), '\n', arrayStringConcat(mapValues(metadata), '\n'))

-- name: folded
-- The text without regard to case, width, composition, and the form of quotes and dashes.
if(isValidASCII($text), lower($text), translateUTF8(
    replaceAll(replaceAll(normalizeUTF8NFKCCasefold(toValidUTF8($text)), 'i\xcc\x87', 'i'), '\xc4\xb1', 'i'), '‘’“”‐–—', '\'\'""-\x2d-'
))

-- name: words
-- The words of a text as the index splits it, at all that is no letter or digit of ASCII: every sign of another script
-- becomes a word of its own, and of scripts without spaces between words every two neighbours do (of the first two
-- million letters: memory). What is ASCII skips all that as an empty text: within an `if`, what is mentioned twice would
-- be computed twice, and with lambdas ClickHouse fails to read parts without the index.
concat(
    if(isValidASCII($text), lower($text), ''),
    replaceRegexpAll($composed, '[$unspaced]+', ' '),
    ' ',
    arrayStringConcat(ngrams(substringUTF8(arrayStringConcat(extractAll($composed, '[$unspaced]+'), ' '), 1, 2000000), 2), ' ')
)

-- name: composed
replaceAll(replaceAll(normalizeUTF8NFKCCasefold(replaceRegexpAll(
    toValidUTF8(if(isValidASCII($text), '', $text)), '([^\\x00-\\x7f\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Cf}]|\\x{200b})', ' \\1 '
)), 'i\xcc\x87', 'i'), '\xc4\xb1', 'i')

-- name: unspaced
\\p{Han}\\p{Hiragana}\\p{Katakana}\\p{Hangul}\\p{Bopomofo}\\p{Yi}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}\\p{Tai_Le}\\p{New_Tai_Lue}\\p{Tai_Tham}\\p{Tai_Viet}\\p{Balinese}\\p{Javanese}\\x{3006}\\x{30fc}

-- name: has_words
-- Whether a text has all words of another one, which the index can tell.
hasAllTokens($words, (SELECT $sought))

-- name: traces
-- Ids of the traces that say the text in any of their rows, or are called so.
SELECT trace_id
FROM observations
WHERE project_id = {project_id:String} AND $observation_says $started
UNION DISTINCT
SELECT id
FROM trace_parts
WHERE project_id = {project_id:String} AND $part_says $told
UNION DISTINCT
SELECT id
FROM trace_parts
WHERE project_id = {project_id:String} AND (id = $text OR user_id = $text OR session_id = $text) $told

-- name: hits
-- How many observations have the words: the index alone can tell. It is asked for the rows of the project only, so that
-- the time of the answer tells nothing of others.
SELECT count() AS found
FROM observations
WHERE project_id = {project_id:String} AND $observation_has

-- name: few
SELECT trace_id
FROM ($traces)
LIMIT {most:UInt64}

-- name: reach
-- How many of the newest observations have the words, up to a bound, and when the earliest of them began.
SELECT count() AS found, toUnixTimestamp64Micro(min(start)) AS since_micros
FROM
(
    SELECT start_time AS start
    FROM observations
    WHERE project_id = {project_id:String} AND $observation_has
    ORDER BY project_id DESC, toStartOfMinute(start_time) DESC
    LIMIT {most:UInt64}
)

-- name: building
SELECT sum(parts_to_do) AS parts
FROM system.mutations
WHERE database = currentDatabase() AND NOT is_done AND command LIKE '%MATERIALIZE INDEX by_words%'
