//! A pull request in the queue, and where it is on its way.

use super::{
    campaign::Outcome,
    id::{CandidateId, EntryId, LandingId, RunId, SlotId},
    publish::Check,
    pull::{Origin, Priority, PullFacts},
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
    /// The place in line: when the conditions of its head held first. A way back that keeps the
    /// place leaves it alone.
    pub waiting_since: Option<Timestamp>,
    pub record: Record,
    pub phase: Phase,
    /// How its campaign has counted it.
    pub outcome: Option<Outcome>,
    /// It left while its landing was under way: that is where it goes if the landing fails.
    pub leaving: Option<Withdrawal>,
    /// What the code host shows, so that only changes are sent.
    pub published: Option<Published>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Published {
    pub head: CommitSha,
    pub check: Check,
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
    /// Put aside until somebody releases it.
    Held(Hold),
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
    Merged(Merge),
    Withdrawn(Withdrawal),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    Person {
        by: String,
        reason: String,
    },
    /// The machinery broke with this entry alone, and worked for others.
    Machinery,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Merge {
    pub landing: LandingId,
    /// The head of the pull request that landed.
    pub head: CommitSha,
    pub commit: CommitSha,
    pub audit: Audit,
}

/// Whether the target was read back after a landing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audit {
    Awaited,
    AsTested,
    Differs,
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

/// What is known about an entry's head.
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
    /// The machinery broke with it, again and again: the verdicts of the queue at that time.
    pub broke_at: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tried {
    Passed(RunId),
    Failed(RunId),
    /// Does not merge with the target.
    Conflicted,
    /// The machinery broke, again and again.
    Broken,
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
            Phase::Merged(_) | Phase::Withdrawn(Withdrawal::Closed | Withdrawal::Retargeted) => {
                true
            }
            Phase::Withdrawn(Withdrawal::Unqueued { .. })
            | Phase::Observed
            | Phase::Queued { .. }
            | Phase::Held(_)
            | Phase::InPipeline { .. }
            | Phase::Suspect(_)
            | Phase::Landing { .. }
            | Phase::Conflicted
            | Phase::Ejected(_) => false,
        }
    }

    /// Whether the queue works on the entry: it is in tests or landing, and the machinery does not
    /// break with it.
    #[must_use]
    pub fn is_in_flight(&self) -> bool {
        match self.phase {
            Phase::InPipeline { .. } | Phase::Landing { .. } => true,
            Phase::Suspect(_) => self.record.broke_at.is_none(),
            Phase::Observed
            | Phase::Queued { .. }
            | Phase::Held(_)
            | Phase::Conflicted
            | Phase::Ejected(_)
            | Phase::Merged(_)
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
