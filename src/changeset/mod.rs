//! A changeset: what a campaign wants in one repository and branch, and what is there.
//!
//! - [`spec`]: one immutable wish
//! - [`delta`]: what changed between two wishes
//! - [`facts`]: all that decisions about one are made from
//! - [`plan`]: the operations that move what is observed towards what is desired
//! - [`choice`]: what a person can do about it
//! - [`retry`]: what to do after a failure
//! - [`status`]: the one word that people see, computed from the facts
//! - [`marker`]: how Drover knows its own pull requests again
//! - [`words`]: whose words a pull request holds, and what an update writes
//! - [`push_target`]: the branches that Drover may push to
//! - [`missing`]: when a pull request that is not shown counts as deleted
//! - [`sync`]: when to read the code host again
//!
//! Two facts and nothing between them: [`Desired`] belongs to Drover, [`Observed`] is what the
//! code host said last. To tell our commits from those of others, Drover also remembers what it
//! pushed ([`Ours`]). Everything else is computed.

pub mod choice;
pub mod delta;
pub mod facts;
pub mod marker;
pub mod missing;
pub mod plan;
pub mod push_target;
pub mod retry;
#[cfg(test)]
mod simulation;
pub mod spec;
pub mod status;
pub mod sync;
pub mod words;

use crate::{
    names::{BranchName, CommitSha, PullNumber},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use spec::ContentDigest;

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

/// Where a changeset stands in its campaign: how far the intent was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filing {
    Active,
    /// Put aside: kept to be looked at, and brought back when a spec wants it again.
    Archived,
    /// The campaign has nothing to do with it any more.
    Detached,
}

/// What Drover knows of its own commits on a branch of a repository.
///
/// By repository and branch, not by changeset: a campaign that comes back to a branch that it
/// had before must know its own commit there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ours {
    /// The push that was seen to succeed last.
    pub pushed: Option<Pushed>,
    /// The pushes that were set out on since, each recorded before it was sent. Whether one
    /// arrived is told by the tip of the branch; until a later one is seen to succeed, all of
    /// them are ours.
    pub attempted: Vec<Pushed>,
}

/// A commit that Drover made for a branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pushed {
    pub commit: CommitSha,
    pub content: ContentDigest,
}

impl Ours {
    /// The attempt that made this commit: seen at the tip, it is known to have arrived.
    #[must_use]
    pub fn arrived(&self, tip: &CommitSha) -> Option<&Pushed> {
        self.attempted.iter().find(|it| it.commit == *tip)
    }

    /// Our push that made this commit, if we made it.
    #[must_use]
    pub fn find(&self, commit: &CommitSha) -> Option<&Pushed> {
        self.attempted.iter().chain(&self.pushed).find(|it| it.commit == *commit)
    }

    /// The same commits, after their pull request is over: they are still ours, and none of them
    /// holds what a new pull request needs, even where the diff reads the same.
    #[must_use]
    pub fn spent(&self) -> Self {
        let spend = |push: &Pushed| Pushed { content: ContentDigest::spent(), ..push.clone() };
        Self {
            pushed: self.pushed.as_ref().map(spend),
            attempted: self.attempted.iter().map(spend).collect(),
        }
    }
}

/// Who closed a pull request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closer {
    /// Drover, because a spec or a person here wanted it.
    Drover,
    /// Somebody on the code host.
    Person,
}

/// What the code host has, as it was read last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observed {
    /// No pull request.
    Unpublished {
        /// The commit at the tip of the branch, ours or somebody's; `None` when there is no
        /// branch of the name.
        head: Option<CommitSha>,
    },
    Pull(Pull),
}

impl Observed {
    /// The pull request, where there is one.
    #[must_use]
    pub fn pull(&self) -> Option<&Pull> {
        match self {
            Self::Pull(pull) => Some(pull),
            Self::Unpublished { .. } => None,
        }
    }

    /// The commit at the tip of the branch, as it was read last.
    #[must_use]
    pub fn head(&self) -> Option<&CommitSha> {
        match self {
            Self::Pull(pull) => Some(&pull.head),
            Self::Unpublished { head } => head.as_ref(),
        }
    }
}

/// A pull request as the code host describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pull {
    pub number: PullNumber,
    pub state: PullState,
    pub title: String,
    /// Without the marker that Drover adds.
    pub body: String,
    pub base: BranchName,
    /// The commit at the tip of the branch; of one that is over, as it was then.
    pub head: CommitSha,
    /// When it was merged; `None` while it is not, or where the code host does not say.
    pub merged_at: Option<Timestamp>,
}

/// Where a branch stands on the code host. It says more than the head of a pull request that is
/// over, which stays as it was when the branch moves on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tip {
    /// Nobody has looked yet, which says nothing about the branch.
    Unread,
    /// There is no branch of the name.
    Absent,
    At(CommitSha),
}

/// Whether a closed pull request can be opened again, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reopening {
    Untried,
    /// The code host has refused, and will refuse again: the branch was replaced meanwhile.
    Refused,
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
    /// Making a draft ready, and the reverse.
    pub conversion: Support,
    pub reopen: Support,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Support {
    Yes,
    No,
}
