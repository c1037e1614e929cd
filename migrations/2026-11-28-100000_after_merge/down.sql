DROP INDEX changesets_live_branch_key;
-- What gave its branch away cannot live beside the one that took it.
UPDATE changesets SET intent = 'archive', archived_at = now()
    WHERE released_at IS NOT NULL AND archived_at IS NULL AND detached_at IS NULL;
ALTER TABLE changesets DROP COLUMN released_at;
CREATE UNIQUE INDEX changesets_live_branch_key ON changesets (repository_id, branch)
    WHERE kind = 'branch' AND archived_at IS NULL AND detached_at IS NULL;
ALTER TABLE branches DROP COLUMN head_read_at;
ALTER TABLE pulls DROP COLUMN reopen_refused, DROP COLUMN merged_at;
