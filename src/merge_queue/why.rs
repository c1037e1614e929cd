//! Why is it not merged? One sentence for every state that an entry can be in.

use super::{
    campaign::{CampaignWait, admit},
    candidate::{Candidate, Purpose, Stage},
    config::Policy,
    entry::{Audit, Entry, Hold, Isolation, Merge, Phase},
    gate::Mode,
    id::SlotId,
    landing::Answer,
    pull::{Condition, Origin},
    queue::MergeQueue,
    status::exit_of,
    target::UNAUDITED_MAX,
};
use crate::names::PullNumber;

impl MergeQueue {
    pub(super) fn why(&self, entry: &Entry, position: Option<u32>) -> String {
        match &entry.phase {
            Phase::Observed => match self.config.policy {
                Policy::Speculative(_) => sentence_of_missing(&self.missing(entry)),
                Policy::Serial(_) => self.why_serial(entry),
            },
            Phase::Queued { .. } => self.why_queued(entry, position),
            Phase::Held(Hold::Person { by, reason }) => format!("{by} holds it: {reason}."),
            Phase::Held(Hold::Machinery) => {
                "The machinery breaks whenever it is tested, and works for others: see to that, \
                 and release it."
                    .to_owned()
            }
            Phase::InPipeline { slot } => self.why_in_pipeline(entry, *slot),
            Phase::Suspect(isolation) => self.why_suspect(entry, *isolation),
            Phase::Landing { .. } => self.why_landing(),
            Phase::Conflicted => format!(
                "It does not merge with `{}`: merge or rebase, and push.",
                self.config.target
            ),
            Phase::Ejected(_) | Phase::Withdrawn(_) => {
                exit_of(entry).map_or_else(String::new, |exit| exit.reason)
            }
            Phase::Merged(merge) => sentence_of_merge(merge),
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
        if let Some(pull) = self.clashing_with(entry) {
            return format!("It does not merge with {pull}, which is ahead of it.");
        }
        let workers = counted(self.config.workers as usize, "worker");
        match position {
            Some(position) => format!("It is number {position} in line for {workers}."),
            None => format!("It waits for one of {workers}."),
        }
    }

    /// Why nothing is tested that is not being tested already.
    pub(super) fn why_nothing_starts(&self) -> Option<String> {
        match &self.gate.mode {
            Mode::Halted(alarm) => Some(format!("The queue has halted: {alarm}.")),
            Mode::Draining => Some("The queue is draining: it starts nothing new.".to_owned()),
            Mode::Open if self.outage.lasts(self.now) => Some(format!(
                "Runs do not start: the machinery broke {} in a row, and is tried again soon.",
                times(self.outage.breakdowns as usize)
            )),
            Mode::Open => None,
        }
    }

    pub(super) fn campaign_wait(&self, entry: &Entry) -> Option<String> {
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
        if let Mode::Halted(alarm) = &self.gate.mode {
            return format!("The queue has halted: {alarm}.");
        }
        if let Some(freeze) = self.gate.freeze_of(entry, self.now) {
            return format!("It is tested, but {} froze it: {}.", freeze.by, freeze.reason);
        }
        let stack = list(&self.stacked_on(entry));
        let on = if stack.is_empty() { String::new() } else { format!(" on top of {stack}") };
        match self.hopeful(slot).map(|it| &it.stage) {
            Some(Stage::Passed { .. }) if stack.is_empty() => self.why_not_landing(),
            Some(Stage::Passed { .. }) => format!("It has passed, and lands after {stack}."),
            Some(Stage::Failed { .. }) if stack.is_empty() => {
                "It has failed, and is judged as soon as the landing under way has ended."
                    .to_owned()
            }
            Some(Stage::Failed { .. }) => {
                format!("It has failed{on}, and is judged when that has landed or left.")
            }
            Some(Stage::Testing { .. }) => format!("It is being tested{on}."),
            Some(Stage::Planned | Stage::Building { .. } | Stage::Built(_)) | None => self
                .why_nothing_starts()
                .unwrap_or_else(|| format!("It is being merged{on}, to be tested.")),
        }
    }

    /// It has passed, and nothing is ahead of it.
    fn why_not_landing(&self) -> String {
        if self.unaudited.len() >= UNAUDITED_MAX {
            return format!(
                "It has passed, and waits until the last {UNAUDITED_MAX} landings are read back."
            );
        }
        "It has passed, and lands next.".to_owned()
    }

    fn why_suspect(&self, entry: &Entry, isolation: Isolation) -> String {
        let failures = entry.record.failures.len();
        let so_far = match (failures, entry.record.broke_at) {
            (0, None) => "It was part of something that failed".to_owned(),
            (0, Some(_)) => "The machinery broke while it was tested".to_owned(),
            (failures, _) => format!("It has failed {} alone", times(failures)),
        };
        if let Some(freeze) = self.gate.freeze_of(entry, self.now)
            && !self.gate.may_test(entry, self.now)
        {
            return format!("{so_far}, and {} froze it: {}.", freeze.by, freeze.reason);
        }
        match (isolation, self.why_nothing_starts()) {
            (Isolation::Testing { .. }, _) => format!("{so_far}, and is being tested by itself."),
            (Isolation::Waiting, Some(reason)) => reason,
            (Isolation::Waiting, None) => format!("{so_far}, and waits for a test by itself."),
        }
    }

    fn why_landing(&self) -> String {
        match self.landing.as_ref().map(|landing| landing.answer) {
            Some(Answer::Unknown) => {
                "The answer to its landing was lost; the target is being read.".to_owned()
            }
            Some(Answer::Awaited { .. }) | None => "The target is being moved to it.".to_owned(),
        }
    }

    fn why_serial(&self, entry: &Entry) -> String {
        let missing = || sentence_of_missing(&self.missing(entry));
        match self.serial_test(entry).map(|it| &it.stage) {
            Some(Stage::Passed { .. }) if self.missing(entry).is_empty() => {
                self.why_nothing_starts().unwrap_or_else(|| self.why_not_landing())
            }
            Some(Stage::Passed { .. }) => format!("It has passed. {}", missing()),
            Some(Stage::Failed { .. }) => {
                "It has failed; a push, a retest or a move of the target has it tested again."
                    .to_owned()
            }
            Some(Stage::Testing { .. }) => "It is being tested.".to_owned(),
            Some(Stage::Planned | Stage::Building { .. } | Stage::Built(_)) => self
                .why_nothing_starts()
                .unwrap_or_else(|| "It is being merged, to be tested.".to_owned()),
            None if self.missing(entry).is_empty() => self
                .why_nothing_starts()
                .unwrap_or_else(|| "It waits to be drawn for a test.".to_owned()),
            None => missing(),
        }
    }

    pub(super) fn serial_test(&self, entry: &Entry) -> Option<&Candidate> {
        self.candidates.values().find(|it| it.purpose == Purpose::Serial(entry.id))
    }
}

pub(super) fn sentence_of_missing(missing: &[Condition]) -> String {
    match missing {
        [] => "It is ready.".to_owned(),
        [only] => format!("It waits until {only}."),
        [first, rest @ ..] => {
            format!("It waits until {first}, and for {}.", counted(rest.len(), "more condition"))
        }
    }
}

fn sentence_of_merge(merge: &Merge) -> String {
    let commit = merge.commit.short();
    match merge.audit {
        Audit::Awaited => format!("It has landed, in {commit}; the target is being read back."),
        Audit::AsTested => format!("It is merged, in {commit}."),
        Audit::Differs => {
            format!("It has landed, but the target shows something else than {commit}.")
        }
    }
}

pub(super) fn times(count: usize) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        count => format!("{count} times"),
    }
}

fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    }
}

/// The pull requests that a sentence names, at most.
const NAMED_MAX: usize = 5;

pub(super) fn list(pulls: &[PullNumber]) -> String {
    let mut names: Vec<_> = pulls.iter().take(NAMED_MAX).map(ToString::to_string).collect();
    if pulls.len() > NAMED_MAX {
        names.push(format!("{} more", pulls.len() - NAMED_MAX));
    }
    match names.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}
