//! A commit that the queue has built, or asked for: a base plus entries.

use super::id::{CandidateId, EntryId, RunId, SlotId};
use crate::{
    names::{CommitSha, PullNumber, TreeSha},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Candidate {
    pub id: CandidateId,
    pub base: Base,
    pub members: Vec<Member>,
    pub purpose: Purpose,
    pub stage: Stage,
    /// How often it was asked for.
    pub builds: u32,
    /// How often a run of this candidate ran out of time.
    pub timeouts: u32,
    /// How often the machinery broke while it built or tested this candidate.
    pub breakdowns: u32,
}

/// A pinned commit: the approved head of an entry when the candidate was planned.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Member {
    pub entry: EntryId,
    pub pull: PullNumber,
    pub head: CommitSha,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    /// The target, when it was at this commit.
    Target(CommitSha),
    Candidate(CandidateId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    Pipeline(SlotId),
    /// Is this entry to blame?
    Isolation(EntryId),
    /// Somebody wants to know; it never lands.
    Try(EntryId),
    /// The serial policy's test of one pull request.
    Serial(EntryId),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Its base is not built yet, or the machinery that builds is broken.
    Planned,
    Building {
        since: Timestamp,
    },
    /// Waits for a worker.
    Built(Built),
    Testing {
        built: Built,
        run: RunId,
    },
    Passed {
        built: Built,
        /// The run that passed: its own, or an earlier one of the same tree and jobs.
        run: RunId,
    },
    Failed {
        run: RunId,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Built {
    pub commit: CommitSha,
    pub tree: TreeSha,
    pub jobs: JobsDigest,
}

/// A digest of what a run of a tree does: the definition of its jobs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobsDigest(pub String);

impl Candidate {
    /// The commit and tree, once they are there.
    #[must_use]
    pub fn built(&self) -> Option<&Built> {
        match &self.stage {
            Stage::Built(built) | Stage::Testing { built, .. } | Stage::Passed { built, .. } => {
                Some(built)
            }
            Stage::Planned | Stage::Building { .. } | Stage::Failed { .. } => None,
        }
    }

    /// Whether the candidate holds a worker, or will want one.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        match self.stage {
            Stage::Planned | Stage::Building { .. } | Stage::Built(_) | Stage::Testing { .. } => {
                true
            }
            Stage::Passed { .. } | Stage::Failed { .. } => false,
        }
    }

    #[must_use]
    pub fn slot(&self) -> Option<SlotId> {
        match self.purpose {
            Purpose::Pipeline(slot) => Some(slot),
            Purpose::Isolation(_) | Purpose::Try(_) | Purpose::Serial(_) => None,
        }
    }

    /// Whether this is a test of that entry beside the pipeline.
    #[must_use]
    pub fn is_apart_for(&self, entry: EntryId) -> bool {
        match self.purpose {
            Purpose::Isolation(it) | Purpose::Try(it) | Purpose::Serial(it) => it == entry,
            Purpose::Pipeline(_) => false,
        }
    }
}
