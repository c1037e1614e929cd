ALTER TABLE credentials DROP COLUMN refused_at;
ALTER TABLE changesets DROP COLUMN reached_at;
ALTER TABLE branches DROP CONSTRAINT branches_commits_have_content,
    ADD COLUMN attempted_commit text CHECK (attempted_commit ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'),
    ADD COLUMN attempted_content text;
UPDATE branches b SET attempted_commit = a.commit, attempted_content = a.content
FROM (SELECT DISTINCT ON (repository_id, branch) * FROM branch_attempts
      ORDER BY repository_id, branch, at DESC) a
WHERE a.repository_id = b.repository_id AND a.branch = b.name;
ALTER TABLE branches ADD CONSTRAINT branches_commits_have_content CHECK (
    (pushed_commit IS NULL) = (pushed_content IS NULL)
    AND (attempted_commit IS NULL) = (attempted_content IS NULL)
);
DROP TABLE branch_attempts;
