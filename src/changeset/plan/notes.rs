//! Why a plan holds less than one might expect, in words for people.

use crate::names::{CommitSha, PullNumber};
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// The spec leaves the publication to a person, who has not chosen yet.
    WaitsForPerson,
    /// The spec says `published: false`.
    LeftUnpublished,
    DraftUnsupported,
    ConversionUnsupported,
    /// The spec says `published: false`, and the pull request is open already.
    CannotUnpublish,
    /// Somebody's commit is in the way: adopt, overwrite or detach.
    Drift {
        head: CommitSha,
    },
    /// Somebody's commits are on the branch, and stay there.
    ForeignCommits {
        head: CommitSha,
    },
    ClosedByPerson,
    ReopenUnsupported,
    Merged,
    /// The spec wants more than was merged, so a new pull request is made.
    AfterMerge {
        number: PullNumber,
    },
    /// The pull request cannot be opened again, so a new one is made.
    InPlaceOf {
        number: PullNumber,
    },
    Deleted,
    ReadOnly,
}

impl Note {
    pub(super) fn drift(&self) -> Option<&CommitSha> {
        match self {
            Self::Drift { head } => Some(head),
            Self::WaitsForPerson
            | Self::LeftUnpublished
            | Self::DraftUnsupported
            | Self::ConversionUnsupported
            | Self::CannotUnpublish
            | Self::ForeignCommits { .. }
            | Self::ClosedByPerson
            | Self::ReopenUnsupported
            | Self::Merged
            | Self::AfterMerge { .. }
            | Self::InPlaceOf { .. }
            | Self::Deleted
            | Self::ReadOnly => None,
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WaitsForPerson => f.write_str("stays unpublished until you publish it"),
            Self::LeftUnpublished => f.write_str("stays unpublished, as the spec says"),
            Self::DraftUnsupported => f.write_str("stays unpublished: the code host has no drafts"),
            Self::ConversionUnsupported => f.write_str(
                "draft or ready as it is: the code host does not let Drover change that",
            ),
            Self::CannotUnpublish => {
                f.write_str("stays open: close it to take it back, `published: false` cannot")
            }
            Self::Drift { head } => {
                let commit = head.short();
                write!(f, "waits for you: the branch is at {commit}, which is not Drover's commit")
            }
            Self::ForeignCommits { head } => {
                write!(f, "others pushed to the branch ({}); their commits stay", head.short())
            }
            Self::ClosedByPerson => f.write_str("stays closed, as a person closed it"),
            Self::ReopenUnsupported => {
                f.write_str("stays closed: the code host cannot open it again")
            }
            Self::Merged => f.write_str("is merged and left alone"),
            Self::AfterMerge { number } => write!(
                f,
                "{number} is merged; what the spec wants beyond it becomes a new pull request"
            ),
            Self::InPlaceOf { number } => write!(
                f,
                "{number} is closed and its branch was deleted or replaced, so it cannot be \
                 opened again: a new pull request takes its place"
            ),
            Self::Deleted => f.write_str("is left alone: the code host does not know it any more"),
            Self::ReadOnly => f.write_str("is left alone: its repository is archived"),
        }
    }
}
