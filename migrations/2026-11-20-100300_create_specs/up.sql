-- Immutable wishes, and the executions that turn the one kind into the other.

CREATE TABLE campaign_specs (
    id uuid PRIMARY KEY,
    namespace_id uuid NOT NULL REFERENCES namespaces,
    author_id uuid NOT NULL REFERENCES users,
    name text NOT NULL CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'),
    text text NOT NULL CHECK (octet_length(text) <= 1048576),
    -- Stands in the text too; kept apart so that lists need not parse it.
    description text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- When it is deleted unless it was applied.
    expires_at timestamptz NOT NULL,
    applied_at timestamptz,
    CONSTRAINT campaign_specs_end_after_start CHECK (expires_at > created_at)
);
CREATE INDEX campaign_specs_author ON campaign_specs (author_id, created_at DESC, id)
    WHERE applied_at IS NULL;
CREATE INDEX campaign_specs_name ON campaign_specs (namespace_id, name, created_at DESC);
CREATE INDEX campaign_specs_expires_at ON campaign_specs (expires_at) WHERE applied_at IS NULL;

CREATE TABLE drafts (
    id uuid PRIMARY KEY,
    author_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    namespace_id uuid NOT NULL REFERENCES namespaces ON DELETE CASCADE,
    text text NOT NULL CHECK (octet_length(text) <= 1048576),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX drafts_created_at ON drafts (created_at);

CREATE TABLE executions (
    id uuid PRIMARY KEY,
    campaign_spec_id uuid NOT NULL UNIQUE REFERENCES campaign_specs ON DELETE CASCADE,
    state text NOT NULL DEFAULT 'resolving'
        CHECK (state IN ('resolving', 'running', 'done', 'failed', 'cancelled')),
    reason text,
    warnings text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CONSTRAINT executions_over_is_finished CHECK (
        (state IN ('done', 'failed', 'cancelled')) = (finished_at IS NOT NULL)
    ),
    CONSTRAINT executions_failed_says_why CHECK ((state = 'failed') = (reason IS NOT NULL))
);

CREATE TABLE changeset_specs (
    id uuid PRIMARY KEY,
    -- None until it is attached.
    campaign_spec_id uuid REFERENCES campaign_specs ON DELETE CASCADE,
    repository_id uuid NOT NULL REFERENCES repositories,
    -- `drover::changeset::spec::ChangesetSpec`.
    spec jsonb NOT NULL,
    kind text NOT NULL GENERATED ALWAYS AS (
        CASE WHEN spec ? 'branch' THEN 'branch' WHEN spec ? 'existing' THEN 'existing' END
    ) STORED,
    head text GENERATED ALWAYS AS (spec -> 'branch' ->> 'head') STORED,
    base text GENERATED ALWAYS AS (spec -> 'branch' ->> 'base') STORED,
    title text GENERATED ALWAYS AS (spec -> 'branch' ->> 'title') STORED,
    number bigint GENERATED ALWAYS AS ((spec -> 'existing' ->> 'number')::bigint) STORED,
    diff bytea,
    files integer,
    added integer,
    removed integer,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    CONSTRAINT changeset_specs_kind CHECK (
        CASE kind
            WHEN 'branch' THEN num_nulls(head, base, title, diff, files, added, removed) = 0
            WHEN 'existing' THEN number IS NOT NULL
                AND num_nonnulls(diff, files, added, removed) = 0
        END
    )
);
CREATE UNIQUE INDEX changeset_specs_branch_key
    ON changeset_specs (campaign_spec_id, repository_id, head) WHERE kind = 'branch';
CREATE UNIQUE INDEX changeset_specs_number_key
    ON changeset_specs (campaign_spec_id, repository_id, number) WHERE kind = 'existing';
CREATE INDEX changeset_specs_expires_at ON changeset_specs (expires_at)
    WHERE campaign_spec_id IS NULL;

CREATE TABLE workspaces (
    id uuid PRIMARY KEY,
    execution_id uuid NOT NULL REFERENCES executions ON DELETE CASCADE,
    repository_id uuid NOT NULL REFERENCES repositories,
    branch text NOT NULL CHECK (branch <> ''),
    base_commit text CHECK (base_commit ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'),
    state text NOT NULL DEFAULT 'waiting' CHECK (
        state IN ('waiting', 'cloning', 'step', 'changed', 'unchanged', 'failed', 'cancelled')
    ),
    -- The step that runs or that failed, from 1.
    step integer CHECK (step > 0),
    steps_total integer NOT NULL CHECK (steps_total >= 0),
    reason text,
    files integer,
    added integer,
    removed integer,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT workspaces_step_has_number CHECK (
        CASE state WHEN 'step' THEN step IS NOT NULL WHEN 'failed' THEN true ELSE step IS NULL END
    ),
    CONSTRAINT workspaces_failed_says_why CHECK ((state = 'failed') = (reason IS NOT NULL)),
    CONSTRAINT workspaces_changed_has_stat CHECK (
        num_nonnulls(files, added, removed) = CASE state WHEN 'changed' THEN 3 ELSE 0 END
    ),
    CONSTRAINT workspaces_over_is_finished CHECK (
        (state IN ('changed', 'unchanged', 'failed', 'cancelled')) = (finished_at IS NOT NULL)
    )
);
CREATE UNIQUE INDEX workspaces_repository_key
    ON workspaces (execution_id, repository_id, branch);

CREATE TABLE log_lines (
    workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- From 1; 0 for Drover's own words.
    step integer NOT NULL CHECK (step >= 0),
    stream text NOT NULL CHECK (stream IN ('drover', 'stdout', 'stderr')),
    text text NOT NULL,
    PRIMARY KEY (workspace_id, seq)
);
