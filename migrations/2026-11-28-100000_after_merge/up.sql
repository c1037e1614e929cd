-- What comes after a merge, and after a close that cannot be taken back.

ALTER TABLE pulls
    ADD COLUMN merged_at timestamptz,
    -- The code host has refused to open it again, and will refuse again.
    ADD COLUMN reopen_refused boolean NOT NULL DEFAULT false;

-- When the tip was read from the code host; without it, no tip is only "nobody has looked".
ALTER TABLE branches ADD COLUMN head_read_at timestamptz;
UPDATE branches SET head_read_at = updated_at WHERE head IS NOT NULL;

-- A changeset that is over gives its branch to another campaign that wants it.
ALTER TABLE changesets ADD COLUMN released_at timestamptz;
DROP INDEX changesets_live_branch_key;
CREATE UNIQUE INDEX changesets_live_branch_key ON changesets (repository_id, branch)
    WHERE kind = 'branch' AND archived_at IS NULL AND detached_at IS NULL
      AND released_at IS NULL;
