-- Background work that must not be lost; appliance/worker/schedule.py runs it.
CREATE TABLE jobs (
    id text PRIMARY KEY,
    kind text NOT NULL,
    arguments jsonb NOT NULL DEFAULT '{}',
    -- Of jobs with the same kind and key, one waits at a time; null: any number.
    unique_key text,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
    -- Times it was started since it was enqueued or retried by hand.
    attempts integer NOT NULL DEFAULT 0,
    -- Not before this.
    run_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Another worker takes over a running job when its lease has ended.
    leased_until timestamptz,
    is_cancelling boolean NOT NULL DEFAULT false,
    progress bigint NOT NULL DEFAULT 0,
    total bigint,
    message text NOT NULL DEFAULT '',
    error text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at timestamptz,
    finished_at timestamptz
);
CREATE UNIQUE INDEX jobs_waiting_once ON jobs (kind, unique_key) WHERE state = 'waiting';
CREATE INDEX jobs_due ON jobs (run_at) WHERE state IN ('waiting', 'running');
CREATE INDEX jobs_by_age ON jobs (created_at);
