-- What campaigns want, what the code host has, and what was done about it.

CREATE TABLE campaigns (
    id uuid PRIMARY KEY,
    namespace_id uuid NOT NULL REFERENCES namespaces,
    name text NOT NULL CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'),
    -- The spec that was applied last, by whom and when.
    spec_id uuid NOT NULL REFERENCES campaign_specs,
    applied_by uuid NOT NULL REFERENCES users,
    applied_at timestamptz NOT NULL,
    -- The spec that the changesets were rewired to; differs while an apply is at work.
    rewired_spec_id uuid REFERENCES campaign_specs,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX campaigns_name_key ON campaigns (namespace_id, lower(name));
CREATE INDEX campaigns_updated_at ON campaigns (updated_at DESC, id DESC);
CREATE INDEX campaigns_spec_id ON campaigns (spec_id);

-- Observed: what the code host said last. Campaigns that track one pull request share its row.
CREATE TABLE pulls (
    id uuid PRIMARY KEY,
    repository_id uuid NOT NULL REFERENCES repositories,
    number bigint NOT NULL CHECK (number > 0),
    state text NOT NULL
        CHECK (state IN ('draft', 'open', 'closed', 'merged', 'deleted', 'read_only')),
    title text NOT NULL,
    body text NOT NULL,
    base text NOT NULL CHECK (base <> ''),
    branch text NOT NULL CHECK (branch <> ''),
    -- The commit at the tip of the branch.
    head text NOT NULL CHECK (head ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'),
    url text NOT NULL,
    -- Who closed it; a person's close is kept until somebody asks to reopen.
    closed_by text CHECK (closed_by IN ('drover', 'person')),
    created_at timestamptz NOT NULL DEFAULT now(),
    synced_at timestamptz NOT NULL DEFAULT now(),
    -- When to read it again; never for one that cannot change any more.
    next_sync_at timestamptz,
    CONSTRAINT pulls_closed_by_somebody CHECK (closed_by IS NULL OR state = 'closed'),
    UNIQUE (repository_id, number)
);
CREATE INDEX pulls_branch ON pulls (repository_id, branch);
CREATE INDEX pulls_next_sync_at ON pulls (next_sync_at) WHERE next_sync_at IS NOT NULL;

-- What Drover knows of branches that it pushes. By branch and not by changeset: a campaign that
-- comes back to a branch must know its own commit there.
CREATE TABLE branches (
    repository_id uuid NOT NULL REFERENCES repositories,
    name text NOT NULL CHECK (name <> ''),
    -- The tip on the code host while there is no pull request.
    head text CHECK (head ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'),
    -- The push that was seen to succeed last, and one that was set out on since.
    pushed_commit text CHECK (pushed_commit ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'),
    pushed_content text,
    attempted_commit text CHECK (attempted_commit ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'),
    attempted_content text,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (repository_id, name),
    CONSTRAINT branches_commits_have_content CHECK (
        (pushed_commit IS NULL) = (pushed_content IS NULL)
        AND (attempted_commit IS NULL) = (attempted_content IS NULL)
    )
);

-- Desired: what a campaign wants in one repository and branch.
CREATE TABLE changesets (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    campaign_id uuid NOT NULL REFERENCES campaigns,
    repository_id uuid NOT NULL REFERENCES repositories,
    kind text NOT NULL CHECK (kind IN ('branch', 'existing')),
    branch text CHECK (branch <> ''),
    number bigint CHECK (number > 0),
    spec_id uuid NOT NULL REFERENCES changeset_specs,
    -- The spec that was carried out to the end last: the next plan starts from it, and not from
    -- one whose attempt never finished.
    reconciled_spec_id uuid REFERENCES changeset_specs,
    intent text NOT NULL DEFAULT 'publish'
        CHECK (intent IN ('publish', 'close', 'archive', 'detach')),
    publication text CHECK (publication IN ('unpublished', 'draft', 'published')),
    reopen text NOT NULL DEFAULT 'not_asked' CHECK (reopen IN ('not_asked', 'asked')),
    drift text NOT NULL DEFAULT 'wait' CHECK (drift IN ('wait', 'adopt', 'overwrite')),
    -- The commit that the choice about drift is about.
    drift_head text,
    pull_id uuid REFERENCES pulls,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- When the intents `archive` and `detach` were carried out: the changeset lives no more.
    archived_at timestamptz,
    detached_at timestamptz,
    CONSTRAINT changesets_kind CHECK (
        CASE kind WHEN 'branch' THEN branch IS NOT NULL AND number IS NULL
                  WHEN 'existing' THEN number IS NOT NULL AND branch IS NULL END
    ),
    CONSTRAINT changesets_drift_names_commit CHECK ((drift = 'wait') = (drift_head IS NULL)),
    CONSTRAINT changesets_archived_is_meant CHECK (archived_at IS NULL OR intent = 'archive'),
    CONSTRAINT changesets_detached_is_meant CHECK (detached_at IS NULL OR intent = 'detach')
);
-- Only live changesets take a branch: an archived one leaves the name to the next.
CREATE UNIQUE INDEX changesets_live_branch_key ON changesets (repository_id, branch)
    WHERE kind = 'branch' AND archived_at IS NULL AND detached_at IS NULL;
CREATE UNIQUE INDEX changesets_live_number_key ON changesets (campaign_id, repository_id, number)
    WHERE kind = 'existing' AND archived_at IS NULL AND detached_at IS NULL;
CREATE INDEX changesets_campaign ON changesets (campaign_id, created_at, id);
CREATE INDEX changesets_pull_id ON changesets (pull_id);
CREATE INDEX changesets_spec_id ON changesets (spec_id);
CREATE INDEX changesets_reconciled_spec_id ON changesets (reconciled_spec_id);

-- Writes to code hosts: the intent is committed before anything is sent.
CREATE TABLE effects (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    changeset_id uuid NOT NULL REFERENCES changesets,
    job_id uuid NOT NULL,
    fence bigint NOT NULL,
    attempt integer NOT NULL,
    kind text NOT NULL CHECK (kind <> ''),
    request jsonb NOT NULL,
    state text NOT NULL DEFAULT 'intended'
        CHECK (state IN ('intended', 'done', 'failed', 'unknown')),
    outcome jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CONSTRAINT effects_over_is_finished CHECK (
        (state IN ('done', 'failed')) = (finished_at IS NOT NULL)
    )
);
-- Nothing new is sent for a changeset before it is known what became of the last write.
CREATE UNIQUE INDEX effects_unresolved_key ON effects (changeset_id)
    WHERE state IN ('intended', 'unknown');
CREATE INDEX effects_changeset ON effects (changeset_id, created_at DESC);

-- The plans that previews showed, so that apply can name the rows that moved since.
CREATE TABLE plans (
    campaign_spec_id uuid NOT NULL REFERENCES campaign_specs ON DELETE CASCADE,
    hash text NOT NULL,
    rows jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (campaign_spec_id, hash)
);

-- Who decided what: the audit log, which only grows.
CREATE TABLE timeline (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- The person; none when Drover did it.
    actor_id uuid REFERENCES users,
    campaign_id uuid NOT NULL REFERENCES campaigns,
    changeset_id uuid REFERENCES changesets,
    text text NOT NULL CHECK (text <> ''),
    -- Facts for auditors: plan hash, commits before and after.
    detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX timeline_campaign ON timeline (campaign_id, id DESC);
CREATE INDEX timeline_changeset ON timeline (changeset_id, id DESC)
    WHERE changeset_id IS NOT NULL;

CREATE FUNCTION refuse_change_of_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the timeline only grows' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER timeline_only_grows BEFORE UPDATE OR DELETE ON timeline
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_history();
