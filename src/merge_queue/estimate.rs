//! When will it be merged? A range, once a test has been seen, and only while nothing is in the
//! way that only people or the machinery can move.

use super::{
    candidate::{Candidate, Stage},
    entry::{Entry, Isolation, Phase},
    id::SlotId,
    queue::MergeQueue,
};
use serde::{Deserialize, Serialize};

/// When it lands if nothing fails, and when it most probably has if something does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    pub from_secs: u64,
    pub to_secs: u64,
}

impl MergeQueue {
    pub(super) fn estimate(&self, entry: &Entry) -> Option<Estimate> {
        let test = self.estimates.typical()?.as_secs();
        if self.why_nothing_starts().is_some() || self.gate.freeze_of(entry, self.now).is_some() {
            return None;
        }
        let (from_secs, tests_more) = match entry.phase {
            Phase::Landing { .. } => (0, 0),
            Phase::InPipeline { slot } => (self.pipeline_takes(slot, test), TESTS_TO_ISOLATE),
            // Its own test, and one more in the pipeline.
            Phase::Suspect(Isolation::Testing { candidate }) => {
                let own = self.candidates.get(&candidate).map_or(test, |it| self.takes(it, test));
                (own.saturating_add(test), TESTS_TO_ISOLATE)
            }
            Phase::Suspect(Isolation::Waiting) => (test.saturating_mul(2), TESTS_TO_ISOLATE),
            Phase::Queued { .. } if self.campaign_wait(entry).is_some() => return None,
            Phase::Queued { .. } => {
                let rounds = self.rounds_ahead(entry);
                (test.saturating_mul(rounds.saturating_add(1)), TESTS_TO_ISOLATE + rounds)
            }
            Phase::Observed
            | Phase::Held(_)
            | Phase::Conflicted
            | Phase::Ejected(_)
            | Phase::Merged(_)
            | Phase::Withdrawn(_) => return None,
        };
        let to_secs = from_secs.saturating_add(test.saturating_mul(tests_more));
        Some(Estimate { from_secs, to_secs: to_secs.saturating_add(LANDING_SECS) })
    }

    /// What is ahead of a slot has to be decided, too.
    fn pipeline_takes(&self, slot: SlotId, test: u64) -> u64 {
        let at = self.slots.iter().position(|it| it.id == slot).unwrap_or(0);
        let ahead = self.slots.iter().take(at + 1).map(|slot| {
            self.hopeful(slot.id).map_or(test, |candidate| self.takes(candidate, test))
        });
        ahead.max().unwrap_or(test)
    }

    fn takes(&self, candidate: &Candidate, test: u64) -> u64 {
        match candidate.stage {
            Stage::Passed { .. } | Stage::Failed { .. } => 0,
            Stage::Planned | Stage::Building { .. } | Stage::Built(_) => test,
            Stage::Testing { run, .. } => {
                let since = self.runs.get(&run).map_or(self.now, |running| running.since);
                test.saturating_sub(self.now.since(since).as_secs())
            }
        }
    }

    /// The tests of others that have to end before one of this entry starts.
    fn rounds_ahead(&self, entry: &Entry) -> u64 {
        let line = self.whole_line();
        let ahead = line.iter().position(|id| *id == entry.id).unwrap_or(line.len());
        ahead as u64 / u64::from(self.config.workers)
    }
}

/// A failure ahead, or one's own, costs a test alone and another one in the pipeline.
const TESTS_TO_ISOLATE: u64 = 2;
/// To move the target and read it back.
const LANDING_SECS: u64 = 60;
