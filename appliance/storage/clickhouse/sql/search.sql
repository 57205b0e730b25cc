-- Free-text search in observations and parts of traces. `words` of these texts are the expressions of the index by_words: only
-- granules with all words are read.

-- name: observation_text
concat(name, '\n', input, '\n', output, '\n', arrayStringConcat(mapValues(metadata), '\n'))

-- name: part_text
concat(ifNull(name, ''), '\n', ifNull(input, ''), '\n', ifNull(output, ''), '\n', arrayStringConcat(mapValues(metadata), '\n'))

-- name: normalised
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
    toValidUTF8(if(isValidASCII($text), '', $text)), '([$signs])', ' \\1 '
)), 'i\xcc\x87', 'i'), '\xc4\xb1', 'i')

-- name: unspaced
\\p{Han}\\p{Hiragana}\\p{Katakana}\\p{Hangul}\\p{Bopomofo}\\p{Yi}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}\\p{Tai_Le}\\p{New_Tai_Lue}\\p{Tai_Tham}\\p{Tai_Viet}\\p{Balinese}\\p{Javanese}\\x{3006}\\x{30fc}

-- name: signs
-- Signs, spaces and compatibility forms that stand for several letters; as properties (all that is no letter, mark or digit)
-- they would take six milliseconds to compile. Joiners and marks of direction are none.
\\x{80}-\\x{a9}\\x{ab}-\\x{ac}\\x{ae}-\\x{b4}\\x{b6}-\\x{b9}\\x{bb}-\\x{bf}\\x{d7}\\x{f7}\\x{37e}\\x{387}\\x{55a}-\\x{55f}\\x{589}-\\x{58f}\\x{5be}\\x{5c0}\\x{5c3}\\x{5c6}\\x{5f3}-\\x{5f4}\\x{606}-\\x{60f}\\x{61b}-\\x{61f}\\x{66a}-\\x{66d}\\x{6d4}\\x{700}-\\x{70d}\\x{964}-\\x{965}\\x{970}\\x{9f2}-\\x{9f3}\\x{e3f}\\x{e4f}\\x{e5a}-\\x{e5b}\\x{f01}-\\x{f14}\\x{f3a}-\\x{f3d}\\x{104a}-\\x{104f}\\x{10fb}\\x{1360}-\\x{1368}\\x{17d4}-\\x{17db}\\x{1800}-\\x{180a}\\x{2000}-\\x{200b}\\x{2010}-\\x{205f}\\x{2070}-\\x{2bff}\\x{2e00}-\\x{2e7f}\\x{3000}-\\x{3004}\\x{3008}-\\x{3020}\\x{3030}\\x{303d}-\\x{303f}\\x{30a0}\\x{30fb}\\x{3200}-\\x{33ff}\\x{e000}-\\x{f8ff}\\x{fd3e}-\\x{fd3f}\\x{fdfc}-\\x{fdff}\\x{fe10}-\\x{fe19}\\x{fe30}-\\x{fe6b}\\x{ff01}-\\x{ff0f}\\x{ff1a}-\\x{ff20}\\x{ff3b}-\\x{ff40}\\x{ff5b}-\\x{ff65}\\x{ffe0}-\\x{ffee}\\x{fffc}-\\x{fffd}\\x{1d000}-\\x{1d24f}\\x{1f000}-\\x{1fbff}

-- name: has_words
-- Whether a text has all words of another one, which the index answers.
hasAllTokens($words, $sought)

-- name: traces
-- Ids of the traces that hold the text in any of their rows, or have it as their id, user or session.
SELECT trace_id
FROM observations
WHERE project_id = {project_id:String} AND $observation_test $started
UNION DISTINCT
SELECT id
FROM trace_parts
WHERE project_id = {project_id:String} AND $part_test $part_bound
UNION DISTINCT
SELECT id
FROM trace_parts
WHERE project_id = {project_id:String} AND (id = $text OR user_id = $text OR session_id = $text) $part_bound

-- name: hits
-- How many observations have the words, by the index alone. Only rows of the project are read, so that the time of the answer
-- reveals nothing about other projects.
SELECT count() AS found
FROM observations
WHERE project_id = {project_id:String} AND $observation_has

-- name: few
SELECT trace_id
FROM ($traces)
LIMIT {most:UInt64}

-- name: reach
-- How many of the newest observations have the words, up to a limit, and when the earliest of them began. Read in the table's
-- order, it ends early for common words.
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
