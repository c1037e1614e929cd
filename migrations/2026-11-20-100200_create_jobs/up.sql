-- Work, leased to servers by the database's clock.

-- Grows with every claim: whoever holds a smaller fence has lost the job.
CREATE SEQUENCE job_fences AS bigint;

CREATE TABLE jobs (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    kind text NOT NULL CHECK (kind <> ''),
    payload jsonb NOT NULL,
    -- What the job is about, such as `reconcile:<changeset>`; see the index below.
    unique_key text,
    state text NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'running', 'done', 'failed')),
    -- The smaller, the sooner.
    priority smallint NOT NULL DEFAULT 0,
    attempt integer NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    attempts_max integer NOT NULL CHECK (attempts_max > 0),
    run_at timestamptz NOT NULL DEFAULT now(),
    leased_until timestamptz,
    leased_by text,
    fence bigint,
    last_error text,
    -- What a failed job waits for: that a person mends something, or chooses what to do about
    -- commits of others.
    failure text CHECK (failure IN ('error', 'drift')),
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CONSTRAINT jobs_running_is_leased CHECK (
        (state = 'running') = (leased_until IS NOT NULL)
        AND (state = 'running') = (leased_by IS NOT NULL)
        AND (state = 'running') = (fence IS NOT NULL)
    ),
    CONSTRAINT jobs_over_is_finished CHECK (
        (state IN ('done', 'failed')) = (finished_at IS NOT NULL)
    ),
    CONSTRAINT jobs_failed_says_why CHECK (
        (state = 'failed') = (failure IS NOT NULL)
        AND (state <> 'failed' OR last_error IS NOT NULL)
    ),
    CONSTRAINT jobs_attempts_are_limited CHECK (attempt <= attempts_max)
);
-- Of one key, one job waits and one runs at most: what is asked for while a job runs waits for
-- its end, and is not lost. A failed job stays until the same is asked for again.
CREATE UNIQUE INDEX jobs_unique_key ON jobs (unique_key, state)
    WHERE unique_key IS NOT NULL AND state <> 'done';
CREATE INDEX jobs_claim ON jobs (priority, run_at, id) WHERE state = 'waiting';
CREATE INDEX jobs_lease ON jobs (leased_until) WHERE state = 'running';
CREATE INDEX jobs_finished_at ON jobs (finished_at) WHERE state = 'done';
