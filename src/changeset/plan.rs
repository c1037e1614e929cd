//! The operations that move what is observed towards what is desired.

use serde::{Deserialize, Serialize};

/// One step of the reconciler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Read a pull request that the campaign tracks for the first time.
    Import,
    /// Commit the diff and push the branch.
    Push,
    /// Open the pull request.
    Publish,
    PublishDraft,
    Close,
    Reopen,
    MarkReady,
    ConvertToDraft,
    /// Write title, body or base.
    Update,
    Archive,
    Detach,
    /// Read the pull request soon, when the code host has noticed.
    Sync,
}
