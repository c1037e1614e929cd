//! When will it be merged? A range, once a test has been seen, and only while nothing is in the
//! way that only people or the machinery can move.
//!
//! It starts at what happens if nothing fails, and ends where most have landed: by then those
//! ahead have landed at the queue's usual pace, and a failure has cost its tests. How often
//! that holds is measured, see the figures.

use super::{
    candidate::{Candidate, Stage},
    entry::{Entry, Isolation, Phase},
    id::EntryId,
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
        let from_secs = match entry.phase {
            Phase::Landing { .. } => return Some(Estimate { from_secs: 0, to_secs: LANDING_SECS }),
            Phase::InPipeline { slot } => {
                self.hopeful(slot).map_or(test, |it| self.takes(it, test))
            }
            // Its own test, and one more in the pipeline.
            Phase::Suspect(Isolation::Testing { candidate }) => {
                let own = self.candidates.get(&candidate).map_or(test, |it| self.takes(it, test));
                own.saturating_add(test)
            }
            Phase::Suspect(Isolation::Waiting) => test.saturating_mul(2),
            Phase::Queued { .. } if self.campaign_wait(entry).is_some() => return None,
            // In a quiet queue, those ahead share a batch with it.
            Phase::Queued { .. } if self.estimates.is_quiet() => test,
            Phase::Queued { .. } => test.saturating_add(self.line_takes(entry.id) / 4),
            Phase::Observed
            | Phase::Held(_)
            | Phase::Conflicted
            | Phase::Ejected(_)
            | Phase::Merged(_)
            | Phase::Withdrawn(_) => return None,
        };
        let drain = self.estimates.drain(self.ahead(entry.id)).as_secs();
        let failures = test.saturating_mul(TESTS_OF_A_FAILURE).saturating_add(drain / 4);
        let to_secs = from_secs.max(drain).saturating_add(failures).saturating_add(LANDING_SECS);
        Some(Estimate { from_secs, to_secs })
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

    fn line_takes(&self, id: EntryId) -> u64 {
        let ahead = self.whole_line().into_iter().take_while(|other| *other != id).count();
        self.estimates.drain(ahead).as_secs()
    }

    /// How many have to land or leave before this entry.
    fn ahead(&self, id: EntryId) -> usize {
        self.order().into_iter().take_while(|other| *other != id).count()
    }
}

/// A failure costs a test alone and another one in the pipeline.
const TESTS_OF_A_FAILURE: u64 = 2;
/// To move the target and read it back.
const LANDING_SECS: u64 = 60;
