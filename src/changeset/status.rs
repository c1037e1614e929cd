//! The one word that people see.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangesetStatus {
    /// Wanted, and not published because the spec or a person says so.
    Unpublished,
    /// Work waits in the queue.
    Queued,
    /// Work is being done.
    Processing,
    /// Work failed and is tried again by itself.
    Retrying,
    /// Work failed and waits for a person.
    Failed,
    /// Others pushed to our branch, or it was there before us: a person must choose.
    Drift,
    Draft,
    Open,
    Merged,
    Closed,
    Deleted,
    ReadOnly,
    Archived,
}
