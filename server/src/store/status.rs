//! The one SQL expression for the status that people see, for lists that filter and count by
//! it. A test holds it against `drover::changeset::status` over every combination of facts.
//!
//! A status is computed from the facts, the first that holds:
//!
//! 1. archived, when the intent to archive was carried out
//! 2. merged, deleted or read-only, whatever else is wrong: nothing can be done about it
//! 3. read-only, when its repository is archived: nothing can be written there
//! 4. the reconcile job: processing, queued, retrying, failed, or waiting for a choice (drift)
//! 5. without a pull request unpublished, otherwise the state of the pull request

/// The status as a word. Belongs behind [`FROM`].
pub(crate) const STATUS: &str = "
    CASE WHEN c.archived_at IS NOT NULL THEN 'archived'
         WHEN p.state IN ('merged', 'deleted', 'read_only') THEN p.state
         WHEN r.archived THEN 'read_only'
         WHEN j.state = 'running' THEN 'processing'
         WHEN j.state = 'waiting' AND j.attempt = 0 THEN 'queued'
         WHEN j.state = 'waiting' THEN 'retrying'
         WHEN j.failure = 'drift' THEN 'drift'
         WHEN j.failure = 'error' THEN 'failed'
         WHEN p.id IS NULL THEN 'unpublished'
         ELSE p.state END";

/// Changesets with their repository, wish, pull request and reconcile job.
pub(crate) const FROM: &str = "
    FROM changesets c
    JOIN repositories r ON r.id = c.repository_id
    JOIN changeset_specs s ON s.id = c.spec_id
    LEFT JOIN pulls p ON p.id = c.pull_id
    LEFT JOIN LATERAL (
        SELECT state, failure, attempt, attempts_max, run_at, last_error FROM jobs
        WHERE unique_key = 'reconcile:' || c.id AND state <> 'done'
        ORDER BY CASE state WHEN 'running' THEN 0 WHEN 'waiting' THEN 1 ELSE 2 END LIMIT 1
    ) j ON true";
