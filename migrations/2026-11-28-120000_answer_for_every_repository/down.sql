DELETE FROM workspaces
    WHERE state = 'skipped' OR repository_id IS NULL OR branch IS NULL;
ALTER TABLE workspaces
    DROP CONSTRAINT workspaces_run_somewhere,
    DROP CONSTRAINT workspaces_repository_or_name,
    DROP CONSTRAINT workspaces_over_is_finished,
    DROP CONSTRAINT workspaces_failed_says_why,
    DROP CONSTRAINT workspaces_state_check,
    ADD CONSTRAINT workspaces_state_check CHECK (
        state IN ('waiting', 'cloning', 'step', 'changed', 'unchanged', 'failed', 'cancelled')
    ),
    ADD CONSTRAINT workspaces_failed_says_why CHECK ((state = 'failed') = (reason IS NOT NULL)),
    ADD CONSTRAINT workspaces_over_is_finished CHECK (
        (state IN ('changed', 'unchanged', 'failed', 'cancelled')) = (finished_at IS NOT NULL)
    ),
    ALTER COLUMN branch SET NOT NULL,
    ALTER COLUMN repository_id SET NOT NULL,
    DROP COLUMN named;
ALTER TABLE executions DROP COLUMN partial_reason;
