//! A pull request in the queue, and where it is on its way.

use super::{
    id::{CandidateId, EntryId, LandingId, RunId, SlotId},
    pull::{Origin, Priority, PullFacts},
    status::Check,
};
use crate::{
    names::{CommitSha, PullNumber},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Entry {
    pub id: EntryId,
    pub facts: PullFacts,
    pub wish: Wish,
    pub priority: Priority,
    pub origin: Origin,
    /// The place in line. A way back that keeps the place leaves it alone.
    pub waiting_since: Timestamp,
    pub record: Record,
    pub phase: Phase,
    /// What the code host shows, so that only changes are sent.
    pub published: Option<Check>,
}

/// What people want of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    Watch,
    Land,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Known, but not asked for or with conditions missing.
    Observed,
    /// Waits for a place in the pipeline.
    Queued {
        since: Timestamp,
    },
    /// Somebody put it aside.
    Held {
        by: String,
        reason: String,
    },
    /// Tested in the pipeline.
    InPipeline {
        slot: SlotId,
    },
    /// Part of something that failed: to be tested alone, beside the pipeline.
    Suspect(Isolation),
    Landing {
        landing: LandingId,
    },
    /// Does not merge with the target.
    Conflicted,
    Ejected(Exit),
    Merged {
        commit: CommitSha,
    },
    Withdrawn(Withdrawal),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    Waiting,
    Testing { candidate: CandidateId },
}

/// Why an entry was ejected, with what proves it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// Each of these runs tested the entry alone on the target, and failed.
    Failed { runs: Vec<RunId> },
    /// It passed alone, and fails since these landed.
    FailsAfter { runs: Vec<RunId>, landed: Vec<PullNumber> },
    /// The code host would not take it.
    Refused { message: String },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withdrawal {
    Closed,
    Retargeted,
    Unqueued { by: String },
}

/// What runs have shown about an entry's head.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Record {
    /// Failing runs that tested the entry alone on what is in the target.
    pub failures: Vec<RunId>,
    /// How many of them ran in the isolation lane.
    pub failures_in_lane: u32,
    pub standing: Standing,
    /// What landed since the entry passed alone, the latest last.
    pub landed_since: Vec<PullNumber>,
    /// Entries that shared a failure with this one: if neither is to blame alone, they may be
    /// together, so they share no batch again.
    pub failed_with: BTreeSet<PullNumber>,
    /// Entries whose changes do not merge with this one's.
    pub clashes: BTreeSet<PullNumber>,
    /// How the last try ended.
    pub tried: Option<Tried>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tried {
    Passed(RunId),
    Failed(RunId),
}

/// How an entry is grouped, and how likely it is to pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    #[default]
    Untested,
    /// Passed alone after it was part of a failure.
    Cleared,
    /// Goes by itself for another reason.
    Apart,
}

/// The pulls that [`Record::landed_since`] remembers.
pub const LANDED_SINCE_MAX: usize = 16;

impl Entry {
    #[must_use]
    pub fn number(&self) -> PullNumber {
        self.facts.number
    }

    /// Whether nothing can happen to the entry any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match self.phase {
            Phase::Merged { .. } | Phase::Withdrawn(_) => true,
            Phase::Observed
            | Phase::Queued { .. }
            | Phase::Held { .. }
            | Phase::InPipeline { .. }
            | Phase::Suspect(_)
            | Phase::Landing { .. }
            | Phase::Conflicted
            | Phase::Ejected(_) => false,
        }
    }

    /// Whether the queue works on the entry: it is in tests or landing.
    #[must_use]
    pub fn is_in_flight(&self) -> bool {
        match self.phase {
            Phase::InPipeline { .. } | Phase::Suspect(_) | Phase::Landing { .. } => true,
            Phase::Observed
            | Phase::Queued { .. }
            | Phase::Held { .. }
            | Phase::Conflicted
            | Phase::Ejected(_)
            | Phase::Merged { .. }
            | Phase::Withdrawn(_) => false,
        }
    }

    /// Remembers what landed since the entry passed alone: one of these broke it if it fails.
    pub(super) fn note_landed(&mut self, pulls: &[PullNumber]) {
        if self.record.standing == Standing::Cleared {
            self.record.landed_since.extend(pulls);
            let excess = self.record.landed_since.len().saturating_sub(LANDED_SINCE_MAX);
            self.record.landed_since.drain(..excess);
        }
    }
}
