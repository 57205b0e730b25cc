-- name: enqueue
-- An existing job that waits with the same key is moved forward, never back.
INSERT INTO jobs (id, kind, arguments, unique_key, run_at, message)
VALUES (
    %(id)s, %(kind)s, %(arguments)s, %(unique_key)s,
    clock_timestamp() + %(delay_s)s * interval '1 second', %(message)s
)
ON CONFLICT (kind, unique_key) WHERE state = 'waiting' DO UPDATE SET run_at = least(jobs.run_at, EXCLUDED.run_at)
RETURNING id;

-- name: claim
-- The job that is due longest, or one whose lease has ended; of those with one key, one runs at a time.
-- SKIP LOCKED lets workers that claim at the same moment take different jobs instead of waiting.
UPDATE jobs SET
    state = 'running',
    attempts = attempts + 1,
    started_at = clock_timestamp(),
    leased_until = clock_timestamp() + %(lease_s)s * interval '1 second'
WHERE id = (
    SELECT id FROM jobs
    WHERE kind = ANY(%(kinds)s)
        AND run_at <= clock_timestamp()
        AND (state = 'waiting' OR (state = 'running' AND leased_until < clock_timestamp()))
        AND NOT EXISTS (
            SELECT FROM jobs AS twin
            WHERE twin.kind = jobs.kind AND twin.unique_key = jobs.unique_key AND twin.id != jobs.id
                AND twin.state = 'running' AND twin.leased_until >= clock_timestamp()
        )
    ORDER BY run_at
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
RETURNING *;

-- name: renew
-- No row when the job has ended or another worker has it.
UPDATE jobs SET leased_until = clock_timestamp() + %(lease_s)s * interval '1 second'
WHERE id = %(id)s AND started_at = %(started_at)s AND state = 'running'
RETURNING is_cancelling;

-- name: report
UPDATE jobs SET progress = %(progress)s, total = %(total)s, message = %(message)s
WHERE id = %(id)s AND started_at = %(started_at)s AND state = 'running';

-- name: finish
UPDATE jobs SET
    state = %(state)s, error = %(error)s, is_cancelling = false, leased_until = NULL, finished_at = clock_timestamp()
WHERE id = %(id)s AND started_at = %(started_at)s AND state = 'running';

-- name: run_later
-- When another job with the same key waits already, this one ends as done: the other one does its work.
UPDATE jobs SET
    state = CASE WHEN is_cancelling THEN 'cancelled' WHEN twin.waits THEN 'done' ELSE 'waiting' END,
    finished_at = CASE WHEN is_cancelling OR twin.waits THEN clock_timestamp() END,
    is_cancelling = false,
    attempts = attempts - %(uncounted)s,
    error = %(error)s,
    leased_until = NULL,
    run_at = clock_timestamp() + %(delay_s)s * interval '1 second'
FROM (
    SELECT EXISTS (
        SELECT FROM jobs AS other JOIN jobs AS this ON this.kind = other.kind AND this.unique_key = other.unique_key
        WHERE this.id = %(id)s AND other.id != this.id AND other.state = 'waiting'
    ) AS waits
) AS twin
WHERE id = %(id)s AND started_at = %(started_at)s AND state = 'running';

-- name: list
SELECT * FROM jobs
WHERE %(states)s::text[] IS NULL OR state = ANY(%(states)s)
ORDER BY created_at DESC, id DESC
LIMIT %(limit)s;

-- name: get
SELECT * FROM jobs WHERE id = %(id)s;

-- name: cancel
UPDATE jobs SET
    state = CASE state WHEN 'waiting' THEN 'cancelled' ELSE state END,
    finished_at = CASE state WHEN 'waiting' THEN clock_timestamp() END,
    is_cancelling = state = 'running'
WHERE id = %(id)s AND state IN ('waiting', 'running')
RETURNING *;

-- name: retry
-- None when another job with the same key waits: the unique index allows one.
UPDATE jobs SET state = 'waiting', attempts = 0, run_at = clock_timestamp(), finished_at = NULL, error = NULL
WHERE id = %(id)s AND state IN ('failed', 'cancelled') AND NOT EXISTS (
    SELECT FROM jobs AS other WHERE other.kind = jobs.kind AND other.unique_key = jobs.unique_key AND other.state = 'waiting'
)
RETURNING *;

-- name: forget
DELETE FROM jobs
WHERE state IN ('done', 'cancelled') AND finished_at < clock_timestamp() - %(days)s * interval '1 day';
