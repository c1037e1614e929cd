-- Every repository that a spec or its query names gets a row that says what came of it, those
-- too in which nothing could be run: what has no result keeps its changeset as it is.

-- Why the list of repositories may be short; none where it was answered in full.
ALTER TABLE executions ADD COLUMN partial_reason text CHECK (partial_reason <> '');
UPDATE executions SET partial_reason = 'an older Drover ran it, which did not note what it left out'
    WHERE warnings <> '{}';

ALTER TABLE workspaces
    -- The name in the spec of a repository that Drover has never seen.
    ADD COLUMN named text CHECK (named ~ '^[^/]+/[^/]+$'),
    ALTER COLUMN repository_id DROP NOT NULL,
    ALTER COLUMN branch DROP NOT NULL,
    DROP CONSTRAINT workspaces_state_check,
    DROP CONSTRAINT workspaces_failed_says_why,
    DROP CONSTRAINT workspaces_over_is_finished,
    ADD CONSTRAINT workspaces_state_check CHECK (state IN (
        'waiting', 'cloning', 'step', 'changed', 'unchanged', 'failed', 'skipped', 'cancelled'
    )),
    ADD CONSTRAINT workspaces_failed_says_why CHECK (
        (state IN ('failed', 'skipped')) = (reason IS NOT NULL)
    ),
    ADD CONSTRAINT workspaces_over_is_finished CHECK (
        (state IN ('changed', 'unchanged', 'failed', 'skipped', 'cancelled'))
            = (finished_at IS NOT NULL)
    ),
    ADD CONSTRAINT workspaces_repository_or_name CHECK (
        (repository_id IS NULL) = (named IS NOT NULL)
    ),
    ADD CONSTRAINT workspaces_run_somewhere CHECK (
        state IN ('failed', 'skipped') OR repository_id IS NOT NULL AND branch IS NOT NULL
    );
