//! A changeset: what a campaign wants in one repository and branch, and what is there.
//!
//! - [`spec`]: one immutable wish
//! - [`plan`]: the operations that move what is observed towards what is desired
//! - [`status`]: the one word that people see, computed from the facts
//! - [`marker`]: how Drover knows its own pull requests again
//!
//! Two facts and nothing between them: [`Desired`] belongs to Drover, [`Observed`] is what the
//! code host said last. Everything else is computed.

pub mod marker;
pub mod plan;
pub mod spec;
pub mod status;

use crate::names::{BranchName, CommitSha, PullNumber};
use serde::{Deserialize, Serialize};

/// What a campaign wants of a changeset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desired {
    pub intent: Intent,
    /// What a person chose in the UI; counts only where the spec says nothing.
    pub publication: Option<Publication>,
    /// Whether somebody asked to reopen the pull request after a person closed it.
    pub reopen: Reopen,
    pub drift: DriftChoice,
}

/// What is to become of a changeset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// Follow the current spec.
    Publish,
    /// Close the pull request and keep the changeset.
    Close,
    /// Close the pull request where it is open, and put the changeset aside.
    Archive,
    /// Forget the pull request and leave it as it is.
    Detach,
}

/// How far a changeset is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Publication {
    Unpublished,
    Draft,
    Published,
}

/// A pull request that a person closed stays closed until somebody asks for it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reopen {
    NotAsked,
    Asked,
}

/// What to do about commits on our branch that are not ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftChoice {
    /// Nobody has chosen yet: the changeset waits.
    Wait,
    /// Leave the branch at that commit; push nothing while it stays there.
    Adopt { head: CommitSha },
    /// Put our commit in the place of that one, and of no other.
    Overwrite { head: CommitSha },
}

/// What the code host has, as it was read last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observed {
    /// No pull request. The branch may have been pushed already.
    Unpublished {
        head: Option<CommitSha>,
    },
    Pull(Pull),
}

/// A pull request as the code host describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pull {
    pub number: PullNumber,
    pub state: PullState,
    pub title: String,
    pub body: String,
    pub base: BranchName,
    /// The commit at the tip of the branch.
    pub head: CommitSha,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PullState {
    Draft,
    Open,
    /// Closed without a merge.
    Closed,
    Merged,
    /// The code host knows it no more.
    Deleted,
    /// The repository is archived: nothing can be written.
    ReadOnly,
}

/// What a code host can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    pub drafts: Support,
    pub reopen: Support,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Support {
    Yes,
    No,
}
