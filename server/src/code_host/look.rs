//! How repositories, branches and pull requests stand, read for many at once.
//!
//! What could not be read is a value of its own and never "nothing there": [`Part::Unknown`]
//! for a part of a target, and an error for a whole one.

use super::{CodeHostError, PullInfo};
use drover::{
    campaign::spec::query::Activity,
    changeset::push_target::Protection,
    names::{BranchName, CommitSha, HostRepoId, PullNumber, RepoName},
};

/// The targets of one request, at most: more make GitHub's own time limit likely.
pub const LOOK_TARGETS_MAX: usize = 40;
/// The open pull requests from one branch that a look gives, at most.
pub const LOOK_OPEN_PULLS_MAX: u32 = 20;

/// What to look at in one repository. What is `None` is not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookTarget {
    pub repo: RepoName,
    /// The branch that a pull request comes from.
    pub head: Option<BranchName>,
    /// The branch that it goes into.
    pub base: Option<BranchName>,
    pub number: Option<PullNumber>,
}

/// What a look at one target gave. The error says why nothing is known of it:
/// [`CodeHostError::NotFound`] when the repository is gone or not visible.
pub type Looked = Result<Sight, CodeHostError>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    pub repo: RepoSight,
    pub head: Part<Tip>,
    pub base: Part<Tip>,
    pub pull: Part<PullInfo>,
    /// The open pull requests from the head branch, the newest first.
    pub open: Part<Vec<PullInfo>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepoSight {
    pub id: HostRepoId,
    /// The name that it has today.
    pub name: RepoName,
    pub activity: Activity,
    /// `None`: it is empty.
    pub default_branch: Option<BranchName>,
}

/// A part of a sight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<T> {
    NotAsked,
    Found(T),
    /// The repository was read, and this is not in it, or not visible.
    Absent,
    /// It could not be read.
    Unknown(CodeHostError),
}

/// Where a branch stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tip {
    pub commit: CommitSha,
    pub protection: Protection,
}

impl<T> Part<T> {
    pub fn found(&self) -> Option<&T> {
        match self {
            Self::Found(it) => Some(it),
            Self::NotAsked | Self::Absent | Self::Unknown(_) => None,
        }
    }
}
