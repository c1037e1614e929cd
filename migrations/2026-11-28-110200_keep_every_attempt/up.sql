-- Pushes whose ends were not seen, each of them ours until a later one is seen to succeed.
CREATE TABLE branch_attempts (
    repository_id uuid NOT NULL REFERENCES repositories,
    branch text NOT NULL CHECK (branch <> ''),
    commit text NOT NULL CHECK (commit ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'),
    content text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (repository_id, branch, commit)
);
INSERT INTO branch_attempts (repository_id, branch, commit, content)
SELECT repository_id, name, attempted_commit, attempted_content FROM branches
WHERE attempted_commit IS NOT NULL;
ALTER TABLE branches DROP CONSTRAINT branches_commits_have_content,
    DROP COLUMN attempted_commit, DROP COLUMN attempted_content,
    ADD CONSTRAINT branches_commits_have_content
        CHECK ((pushed_commit IS NULL) = (pushed_content IS NULL));

-- Words that were sent since the wish was in place are no person's.
ALTER TABLE changesets ADD COLUMN reached_at timestamptz;
UPDATE changesets SET reached_at = updated_at WHERE reconciled_spec_id IS NOT NULL;

-- The code host did not accept the credential: nothing is sent with it until it works again.
ALTER TABLE credentials ADD COLUMN refused_at timestamptz;
