//! What people see, computed from the state and nowhere stored.

use super::{
    candidate::{Base, Candidate, Stage},
    entry::{Entry, Exit, Phase, Tried, Withdrawal},
    estimate::Estimate,
    id::{EntryId, RunId, SlotId},
    pull::Condition,
    queue::MergeQueue,
    why::{list, times},
};
use crate::names::PullNumber;
use serde::{Deserialize, Serialize};

/// Everything that a person may want to know about one entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryStatus {
    pub pull: PullNumber,
    /// Counted from 1 over those that land or wait, in order.
    pub position: Option<u32>,
    /// What is ahead of it in the pipeline and part of its test.
    pub stacked_on: Vec<PullNumber>,
    /// Why is it not merged? One sentence.
    pub why: String,
    pub conditions: Vec<ConditionStatus>,
    pub estimate: Option<Estimate>,
    /// How the last try ended.
    pub tried: Option<TriedStatus>,
    pub exit: Option<ExitStatus>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConditionStatus {
    pub text: String,
    pub is_met: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriedStatus {
    pub text: String,
    pub run: Option<RunId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitStatus {
    pub reason: String,
    pub evidence: Vec<RunId>,
    pub way_back: WayBack,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WayBack {
    /// A requeue or retest puts it where it stood.
    KeepsPlace,
    /// It joins the end of the line.
    EndOfLine,
    None,
}

impl MergeQueue {
    /// The entry of a pull request that is not over, or the latest one that is.
    #[must_use]
    pub fn status(&self, pull: PullNumber) -> Option<EntryStatus> {
        let alive = self.by_pull.get(&pull).and_then(|id| self.entries.get(id));
        let entry = alive.or_else(|| self.last_over(pull))?;
        let position = self.position(entry.id);
        Some(EntryStatus {
            pull,
            position,
            stacked_on: self.stacked_on(entry),
            why: self.why(entry, position),
            conditions: self.conditions(entry),
            estimate: self.estimate(entry),
            tried: entry.record.tried.map(tried_of),
            exit: exit_of(entry),
        })
    }

    #[must_use]
    pub fn has_ejected(&self, pull: PullNumber) -> bool {
        let entry = self.by_pull.get(&pull).and_then(|id| self.entries.get(id));
        entry.is_some_and(|it| matches!(it.phase, Phase::Ejected(_)))
    }

    /// Those that land, then the pipeline, then the isolation lane, then the line.
    #[must_use]
    pub fn order(&self) -> Vec<EntryId> {
        let landing = self.landing.iter().flat_map(|landing| &landing.members);
        let landing = landing.map(|member| member.entry);
        let in_pipeline = self.slots.iter().flat_map(|slot| &slot.members).copied();
        let suspects = self.entries.values().filter(|it| matches!(it.phase, Phase::Suspect(_)));
        let mut suspects: Vec<_> = suspects.map(|it| self.place_of(it)).collect();
        suspects.sort_unstable();
        let mut order: Vec<_> = landing.chain(in_pipeline).collect();
        order.extend(suspects.into_iter().map(|place| place.4));
        order.extend(self.whole_line());
        order
    }

    fn position(&self, id: EntryId) -> Option<u32> {
        let at = self.order().into_iter().position(|other| other == id)?;
        u32::try_from(at + 1).ok()
    }

    /// What has to land before the entry, if all goes well.
    pub(super) fn stacked_on(&self, entry: &Entry) -> Vec<PullNumber> {
        let Phase::InPipeline { slot } = entry.phase else { return vec![] };
        let mut stack = vec![];
        let mut base = self.hopeful(slot).map(|it| &it.base);
        while let Some(Base::Candidate(id)) = base {
            let landing = self.landing.as_ref().filter(|landing| landing.candidate == *id);
            let candidate = self.candidates.get(id);
            let members = landing
                .map(|it| &it.members)
                .or_else(|| candidate.map(|candidate| &candidate.members));
            stack.extend(members.into_iter().flatten().rev().map(|member| member.pull));
            base = candidate.map(|candidate| &candidate.base);
        }
        stack.reverse();
        stack
    }

    /// The candidate of a slot that lands if nothing fails any more.
    pub(super) fn hopeful(&self, slot: SlotId) -> Option<&Candidate> {
        let mut base = self.anchor();
        for ahead in &self.slots {
            let on_base = |it: &&Candidate| it.slot() == Some(ahead.id) && it.base == base;
            let found = self.candidates.values().find(on_base);
            if ahead.id == slot {
                let any = || self.candidates.values().find(|it| it.slot() == Some(slot));
                return found.or_else(any);
            }
            if let Some(candidate) = found
                && !matches!(candidate.stage, Stage::Failed { .. })
            {
                base = Base::Candidate(candidate.id);
            }
        }
        None
    }

    fn conditions(&self, entry: &Entry) -> Vec<ConditionStatus> {
        let missing = self.missing(entry);
        let always = [
            Condition::Asked,
            Condition::Ready,
            Condition::Authorised,
            Condition::Approved { instead: None },
            Condition::Conversations { open: 0 },
            Condition::HeadOfItsOwn { taken_by: None },
        ];
        let is_missing = |condition: &Condition| {
            let kind = std::mem::discriminant(condition);
            missing.iter().any(|it| std::mem::discriminant(it) == kind)
        };
        let met = always.into_iter().filter(|condition| !is_missing(condition));
        missing
            .iter()
            .map(|it| ConditionStatus { text: it.to_string(), is_met: false })
            .chain(met.map(|it| ConditionStatus { text: it.to_string(), is_met: true }))
            .collect()
    }
}

fn tried_of(tried: Tried) -> TriedStatus {
    let (text, run) = match tried {
        Tried::Passed(run) => ("It passed, tried on the target.", Some(run)),
        Tried::Failed(run) => ("It failed, tried on the target.", Some(run)),
        Tried::Conflicted => ("It was tried, and does not merge with the target.", None),
        Tried::Broken => ("It was tried, and the machinery broke each time.", None),
    };
    TriedStatus { text: text.to_owned(), run }
}

pub(super) fn exit_of(entry: &Entry) -> Option<ExitStatus> {
    let (reason, evidence, way_back) = match &entry.phase {
        // Only a push helps, and what is pushed joins the line when it is ready.
        Phase::Conflicted => {
            ("It does not merge with the target.".to_owned(), vec![], WayBack::EndOfLine)
        }
        Phase::Ejected(Exit::Failed { runs }) => (
            format!("It failed {}, tested alone on the target.", times(runs.len())),
            runs.clone(),
            WayBack::KeepsPlace,
        ),
        Phase::Ejected(Exit::FailsAfter { runs, landed }) => (
            format!("It passes alone, and fails after {}.", list(landed)),
            runs.clone(),
            WayBack::KeepsPlace,
        ),
        Phase::Ejected(Exit::Refused { message }) => {
            (format!("The code host refuses it: {message}"), vec![], WayBack::KeepsPlace)
        }
        Phase::Withdrawn(Withdrawal::Closed) => {
            ("It was closed.".to_owned(), vec![], WayBack::EndOfLine)
        }
        Phase::Withdrawn(Withdrawal::Retargeted) => {
            ("It is for another branch now.".to_owned(), vec![], WayBack::EndOfLine)
        }
        Phase::Withdrawn(Withdrawal::Unqueued { by }) => {
            (format!("{by} took it out of the queue."), vec![], WayBack::EndOfLine)
        }
        Phase::Merged(_) => ("It is merged.".to_owned(), vec![], WayBack::None),
        Phase::Observed
        | Phase::Queued { .. }
        | Phase::Held(_)
        | Phase::InPipeline { .. }
        | Phase::Suspect(_)
        | Phase::Landing { .. } => return None,
    };
    Some(ExitStatus { reason, evidence, way_back })
}
