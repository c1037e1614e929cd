//! What people see, computed from the state and nowhere stored.

use super::{
    campaign::{CampaignWait, admit},
    candidate::{Base, Candidate, Stage},
    effect::Effect,
    entry::{Entry, Exit, Isolation, Phase, Withdrawal},
    gate::Mode,
    id::{EntryId, RunId, SlotId},
    pull::{Condition, Origin},
    queue::{MergeQueue, Outbox},
};
use crate::names::PullNumber;
use serde::{Deserialize, Serialize};

/// What the head of a pull request shows on the code host.
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
    pub exit: Option<ExitStatus>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConditionStatus {
    pub text: String,
    pub is_met: bool,
}

/// When it will land if all goes well, and if something ahead of it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    pub from_secs: u64,
    pub to_secs: u64,
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
        let alive = self.by_pull.get(&pull).copied();
        let id = alive.or_else(|| {
            let is_it = |id: &&EntryId| self.entries.get(id).is_some_and(|it| it.number() == pull);
            self.over.iter().rev().find(is_it).copied()
        })?;
        let entry = self.entries.get(&id)?;
        let position = self.position(id);
        Some(EntryStatus {
            pull,
            position,
            stacked_on: self.stacked_on(entry),
            why: self.why(entry, position),
            conditions: self.conditions(entry),
            estimate: self.estimate(entry, position),
            exit: exit_of(entry),
        })
    }

    #[must_use]
    pub fn has_ejected(&self, pull: PullNumber) -> bool {
        let entry = self.by_pull.get(&pull).and_then(|id| self.entries.get(id));
        entry.is_some_and(|it| matches!(it.phase, Phase::Ejected(_)))
    }

    /// Those that land, then the pipeline, then the line.
    #[must_use]
    pub fn order(&self) -> Vec<EntryId> {
        let landing = self.landing.iter().flat_map(|landing| &landing.members);
        let landing = landing.map(|member| member.entry);
        let in_pipeline = self.slots.iter().flat_map(|slot| &slot.members).copied();
        let suspects = self.entries.values().filter(|it| matches!(it.phase, Phase::Suspect(_)));
        let mut order: Vec<_> = landing.chain(in_pipeline).collect();
        order.extend(suspects.map(|it| it.id));
        order.extend(self.whole_line());
        order
    }

    fn position(&self, id: EntryId) -> Option<u32> {
        let at = self.order().into_iter().position(|other| other == id)?;
        u32::try_from(at + 1).ok()
    }

    /// The members of the slots on which the entry's most advanced candidate stands.
    fn stacked_on(&self, entry: &Entry) -> Vec<PullNumber> {
        let Phase::InPipeline { slot } = entry.phase else { return vec![] };
        let mut stack = vec![];
        let mut base = self.main_candidate(slot).map(|it| &it.base);
        while let Some(Base::Candidate(id)) = base
            && let Some(candidate) = self.candidates.get(id)
        {
            stack.extend(candidate.members.iter().rev().map(|member| member.pull));
            base = Some(&candidate.base);
        }
        stack.reverse();
        stack
    }

    /// The candidate that bets on the most of the slots ahead.
    fn main_candidate(&self, slot: SlotId) -> Option<&Candidate> {
        self.candidates.values().filter(|it| it.slot() == Some(slot)).min_by_key(|it| it.id)
    }

    /// Why is it not merged?
    fn why(&self, entry: &Entry, position: Option<u32>) -> String {
        match &entry.phase {
            Phase::Observed => sentence_of_missing(&self.missing(entry)),
            Phase::Queued { .. } => self.why_queued(entry, position),
            Phase::Held { by, reason } => format!("{by} holds it: {reason}."),
            Phase::InPipeline { slot } => self.why_in_pipeline(entry, *slot),
            Phase::Suspect(isolation) => self.why_suspect(entry, *isolation),
            Phase::Landing { .. } => "The target is being moved to it.".to_owned(),
            Phase::Conflicted => format!(
                "It does not merge with `{}`: merge or rebase, and push.",
                self.config.target
            ),
            Phase::Ejected(_) | Phase::Withdrawn(_) => {
                exit_of(entry).map_or_else(String::new, |exit| exit.reason)
            }
            Phase::Merged { commit } => format!("It is merged, in {}.", commit.short()),
        }
    }

    fn why_queued(&self, entry: &Entry, position: Option<u32>) -> String {
        if let Some(reason) = self.why_nothing_starts() {
            return reason;
        }
        if let Some(freeze) = self.gate.freeze_of(entry, self.now) {
            return format!("{} froze it: {}.", freeze.by, freeze.reason);
        }
        if let Some(wait) = self.campaign_wait(entry) {
            return wait;
        }
        if let Some(pull) = entry.record.clashes.iter().find(|pull| self.by_pull.contains_key(pull))
        {
            return format!("It does not merge with {pull}, which is ahead of it.");
        }
        let workers = self.config.workers;
        match position {
            Some(position) => format!("It is number {position} in line for {workers} workers."),
            None => format!("It waits for one of {workers} workers."),
        }
    }

    fn why_nothing_starts(&self) -> Option<String> {
        match &self.gate.mode {
            Mode::Halted(alarm) => Some(format!("The queue has halted: {alarm}.")),
            Mode::Draining => Some("The queue is draining: it starts nothing new.".to_owned()),
            Mode::Open if self.outage.lasts(self.now) => Some(format!(
                "Runs do not start: the machinery failed {} times in a row, and is tried again soon.",
                self.outage.failures
            )),
            Mode::Open => None,
        }
    }

    fn campaign_wait(&self, entry: &Entry) -> Option<String> {
        let Origin::Campaign(campaign) = entry.origin else { return None };
        let in_flight =
            self.entries.values().filter(|it| it.origin == entry.origin && it.is_in_flight());
        let in_flight = u32::try_from(in_flight.count()).unwrap_or(u32::MAX);
        let wait = admit(self.tally(campaign), in_flight, &self.config.campaigns).err()?;
        Some(match wait {
            CampaignWait::Stopped { failed, ended } => format!(
                "Its campaign has stopped: {failed} of {ended} entries failed; resume it to go on."
            ),
            CampaignWait::Canary => "The first of its campaign is tested alone.".to_owned(),
            CampaignWait::Wave { size } => format!("A wave of {size} of its campaign goes ahead."),
            CampaignWait::Room { in_flight_max } => {
                format!("{in_flight_max} of its campaign are in tests, which is the most.")
            }
        })
    }

    fn why_in_pipeline(&self, entry: &Entry, slot: SlotId) -> String {
        if let Some(freeze) = self.gate.freeze_of(entry, self.now) {
            return format!("It is tested, but {} froze it: {}.", freeze.by, freeze.reason);
        }
        let stack = list(&self.stacked_on(entry));
        let on = if stack.is_empty() { String::new() } else { format!(" on top of {stack}") };
        match self.main_candidate(slot).map(|it| &it.stage) {
            Some(Stage::Passed { .. }) => format!("It has passed{on}, which have to land first."),
            Some(Stage::Failed { .. }) => {
                format!("It has failed{on}; it is judged when they have landed or left.")
            }
            Some(Stage::Planned | Stage::Building | Stage::Built(_) | Stage::Testing { .. })
            | None => {
                self.why_nothing_starts().unwrap_or_else(|| format!("It is being tested{on}."))
            }
        }
    }

    fn why_suspect(&self, entry: &Entry, isolation: Isolation) -> String {
        let failures = entry.record.failures.len();
        let so_far = match failures {
            0 => "It was part of something that failed".to_owned(),
            1 => "It has failed once alone".to_owned(),
            _ => format!("It has failed {failures} times alone"),
        };
        match isolation {
            Isolation::Waiting => format!("{so_far}, and waits for a test by itself."),
            Isolation::Testing { .. } => format!("{so_far}, and is being tested by itself."),
        }
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

    fn estimate(&self, entry: &Entry, position: Option<u32>) -> Option<Estimate> {
        let typical = self.estimates.typical()?.as_secs();
        let ahead = u64::from(position?.saturating_sub(1));
        let rounds = ahead / u64::from(self.config.workers);
        let started = self.runs.values().find(|running| {
            let candidate = self.candidates.get(&running.candidate);
            candidate.is_some_and(|it| it.members.iter().any(|member| member.entry == entry.id))
        });
        let passed = started.map_or(0, |running| self.now.since(running.since).as_secs());
        let from_secs = typical.saturating_sub(passed) + rounds * typical;
        // A failure ahead costs another test, and so does one's own.
        Some(Estimate { from_secs, to_secs: from_secs + typical * (2 + rounds) })
    }

    /// Sends what changed to the code host, and only that.
    pub(super) fn publish(&mut self, out: &mut Outbox) {
        for id in std::mem::take(&mut out.touched) {
            let Some(entry) = self.entries.get(&id) else { continue };
            let check = self.check(entry);
            if entry.published.as_ref() == Some(&check) {
                continue;
            }
            let (pull, head) = (entry.number(), entry.facts.head.clone());
            if let Some(entry) = self.entries.get_mut(&id) {
                entry.published = Some(check.clone());
            }
            out.push(Effect::Publish { pull, head, check });
        }
    }

    /// Says no position: that would change for everybody at every step.
    fn check(&self, entry: &Entry) -> Check {
        let (state, text) = match &entry.phase {
            Phase::Observed => return self.check_of_observed(entry),
            Phase::Queued { .. } => (CheckState::Pending, "Queued".to_owned()),
            Phase::Held { .. } => (CheckState::Pending, self.why(entry, None)),
            Phase::InPipeline { .. } => (CheckState::Pending, "Testing".to_owned()),
            Phase::Suspect(isolation) => (CheckState::Pending, self.why_suspect(entry, *isolation)),
            Phase::Landing { .. } => (CheckState::Pending, "Landing".to_owned()),
            Phase::Conflicted | Phase::Ejected(_) => (CheckState::Failure, self.why(entry, None)),
            Phase::Merged { .. } => (CheckState::Success, self.why(entry, None)),
            Phase::Withdrawn(_) => (CheckState::Neutral, self.why(entry, None)),
        };
        Check { state, text }
    }

    fn check_of_observed(&self, entry: &Entry) -> Check {
        let own = self.candidates.values().find(|it| it.is_apart_for(entry.id));
        let (state, text) = match own.map(|it| &it.stage) {
            Some(Stage::Passed { .. }) => (CheckState::Success, "Passed".to_owned()),
            Some(Stage::Failed { .. }) => (CheckState::Failure, "Failed".to_owned()),
            Some(Stage::Planned | Stage::Building | Stage::Built(_) | Stage::Testing { .. }) => {
                (CheckState::Pending, "Testing".to_owned())
            }
            None => match entry.record.tried {
                Some(super::entry::Tried::Passed(_)) => {
                    (CheckState::Neutral, "The try passed".to_owned())
                }
                Some(super::entry::Tried::Failed(_)) => {
                    (CheckState::Neutral, "The try failed".to_owned())
                }
                None => (CheckState::Pending, sentence_of_missing(&self.missing(entry))),
            },
        };
        Check { state, text }
    }
}

fn sentence_of_missing(missing: &[Condition]) -> String {
    match missing {
        [] => "It is ready.".to_owned(),
        [only] => format!("It waits until {only}."),
        [first, rest @ ..] => format!("It waits until {first}, and for {} more.", rest.len()),
    }
}

fn exit_of(entry: &Entry) -> Option<ExitStatus> {
    let (reason, evidence, way_back) = match &entry.phase {
        Phase::Conflicted => {
            ("It does not merge with the target.".to_owned(), vec![], WayBack::KeepsPlace)
        }
        Phase::Ejected(Exit::Failed { runs }) => (
            format!("It failed {} times, tested alone on the target.", runs.len()),
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
        Phase::Merged { .. } => ("It is merged.".to_owned(), vec![], WayBack::None),
        Phase::Observed
        | Phase::Queued { .. }
        | Phase::Held { .. }
        | Phase::InPipeline { .. }
        | Phase::Suspect(_)
        | Phase::Landing { .. } => return None,
    };
    Some(ExitStatus { reason, evidence, way_back })
}

fn list(pulls: &[PullNumber]) -> String {
    let names: Vec<_> = pulls.iter().map(ToString::to_string).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}
