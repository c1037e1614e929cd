//! One immutable wish.

use super::Publication;
use crate::names::{BranchName, CommitSha, PullNumber, RepoName};
use serde::{Deserialize, Serialize};

/// What a campaign spec wants in one repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "nearly every spec is of the large kind")]
pub enum ChangesetSpec {
    /// This diff on this base as this branch with this title.
    Branch(BranchSpec),
    /// Track a pull request that exists already.
    Existing { repo: RepoName, number: PullNumber },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchSpec {
    pub repo: RepoName,
    /// The branch that the pull request targets.
    pub base: BranchName,
    /// The commit on which the diff was made.
    pub base_commit: CommitSha,
    /// The branch that Drover pushes.
    pub head: BranchName,
    pub title: String,
    pub body: String,
    pub commit: CommitSpec,
    /// `None`: a person decides in the UI.
    pub published: Option<Publication>,
    /// SHA-256 of the diff, in hexadecimal. The diff itself is stored apart.
    pub diff_digest: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitSpec {
    pub message: String,
    pub author: Author,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    pub name: String,
    pub email: String,
}
