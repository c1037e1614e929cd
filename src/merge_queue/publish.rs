//! What the head of a pull request shows on the code host. Only changes are sent.

use super::{
    candidate::{Candidate, Stage},
    config::Policy,
    effect::Effect,
    entry::{Audit, Entry, Merge, Phase, Published},
    queue::{MergeQueue, Outbox},
    why::sentence_of_missing,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Check {
    pub state: CheckState,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    Pending,
    Success,
    Failure,
    Neutral,
}

impl MergeQueue {
    pub(super) fn publish(&mut self, out: &mut Outbox) {
        for id in std::mem::take(&mut out.touched) {
            let Some(entry) = self.entries.get(&id) else { continue };
            let head = match &entry.phase {
                // A push during the landing came too late to be part of it.
                Phase::Merged(merge) => merge.head.clone(),
                _ => entry.facts.head.clone(),
            };
            let (pull, shown) = (entry.number(), Published { head, check: self.check(entry) });
            if entry.published.as_ref() == Some(&shown) {
                continue;
            }
            let Published { head, check } = shown.clone();
            if let Some(entry) = self.entries.get_mut(&id) {
                entry.published = Some(shown);
            }
            out.push(Effect::Publish { pull, head, check });
        }
    }

    /// Says no position: that would change for everybody at every step.
    fn check(&self, entry: &Entry) -> Check {
        let why = || self.why(entry, None);
        let (state, text) = match &entry.phase {
            Phase::Observed => return self.check_of_observed(entry),
            Phase::Queued { .. } => (CheckState::Pending, "Queued".to_owned()),
            Phase::InPipeline { .. } => (CheckState::Pending, "Testing".to_owned()),
            Phase::Landing { .. } => (CheckState::Pending, "Landing".to_owned()),
            Phase::Held(_) | Phase::Suspect(_) => (CheckState::Pending, why()),
            Phase::Conflicted | Phase::Ejected(_) => (CheckState::Failure, why()),
            Phase::Merged(merge) => (state_of_merge(merge), why()),
            Phase::Withdrawn(_) => (CheckState::Neutral, why()),
        };
        Check { state, text }
    }

    fn check_of_observed(&self, entry: &Entry) -> Check {
        let missing = self.missing(entry);
        let (state, text) = match (self.config.policy, self.serial_test(entry)) {
            (Policy::Serial(_), Some(test)) => check_of_test(test),
            // The status of a pull request that is not tested is pending, as Hail has it.
            (Policy::Serial(_), None) | (Policy::Speculative(_), _) => {
                (CheckState::Pending, sentence_of_missing(&missing))
            }
        };
        Check { state, text }
    }
}

fn check_of_test(test: &Candidate) -> (CheckState, String) {
    let (state, text) = match test.stage {
        Stage::Passed { .. } => (CheckState::Success, "Passed"),
        Stage::Failed { .. } => (CheckState::Failure, "Failed"),
        Stage::Planned | Stage::Building { .. } | Stage::Built(_) | Stage::Testing { .. } => {
            (CheckState::Pending, "Testing")
        }
    };
    (state, text.to_owned())
}

fn state_of_merge(merge: &Merge) -> CheckState {
    match merge.audit {
        Audit::Awaited => CheckState::Pending,
        Audit::AsTested => CheckState::Success,
        Audit::Differs => CheckState::Failure,
    }
}
