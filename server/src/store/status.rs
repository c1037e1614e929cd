//! The one SQL expression for the status that people see, for lists that filter and count by
//! it. A test holds it against `drover::changeset::status` over every combination of facts.
//!
//! A status is computed from the facts, the first that holds:
//!
//! 1. archived, when the intent to archive was carried out
//! 2. merged, whatever else is wrong: nothing can be done about it any more
//! 3. the job: processing, queued, or retrying after a failure
//! 4. drift: the tip of the branch is no commit of Drover's, and nobody has
//!    chosen yet what to do about that very tip
//! 5. failed: the job waits for a person
//! 6. without a pull request unpublished, otherwise the state of the pull request

/// The status as a word. Belongs behind [`FROM`].
pub(crate) const STATUS: &str = "
    CASE WHEN c.archived_at IS NOT NULL THEN 'archived'
         WHEN p.state = 'merged' THEN 'merged'
         WHEN j.state = 'running' THEN 'processing'
         WHEN j.state = 'waiting' AND j.attempt = 0 THEN 'queued'
         WHEN j.state = 'waiting' THEN 'retrying'
         WHEN tip.commit IS NOT NULL AND tip.commit IS DISTINCT FROM ours.pushed_commit
              AND tip.commit IS DISTINCT FROM ours.attempted_commit
              AND c.drift_head IS DISTINCT FROM tip.commit THEN 'drift'
         WHEN j.state = 'failed' THEN 'failed'
         WHEN p.id IS NULL THEN 'unpublished'
         ELSE p.state END";

/// Changesets with their repository, wish, pull request, reconcile job and branch.
pub(crate) const FROM: &str = "
    FROM changesets c
    JOIN repositories r ON r.id = c.repository_id
    JOIN changeset_specs s ON s.id = c.spec_id
    LEFT JOIN pulls p ON p.id = c.pull_id
    LEFT JOIN pushes ours ON ours.repository_id = c.repository_id AND ours.branch = c.branch
    LEFT JOIN LATERAL (
        SELECT state, attempt, attempts_max, run_at, last_error FROM jobs
        WHERE unique_key = 'reconcile:' || c.id AND state <> 'done'
        ORDER BY CASE state WHEN 'running' THEN 0 WHEN 'waiting' THEN 1 ELSE 2 END LIMIT 1
    ) j ON true
    CROSS JOIN LATERAL (
        SELECT CASE WHEN c.kind = 'existing' THEN NULL
                    WHEN p.id IS NULL THEN c.branch_head
                    WHEN p.state IN ('draft', 'open') THEN p.head END AS commit
    ) tip";
