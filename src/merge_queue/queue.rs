//! The machine: its state, its one way in, and the small moves that all rules share.

use super::{
    bugs::{Bug, planted},
    campaign::Tally,
    candidate::{Base, Candidate, Purpose, Stage},
    config::{Config, ConfigError, Policy},
    effect::{Effect, Refusal},
    entry::{Entry, Isolation, Phase},
    estimates::Estimates,
    event::{Commit, Event},
    gate::Gate,
    id::{CandidateId, EntryId, LandingId, RunId, SlotId},
    landing::Landing,
    outage::Outage,
    proofs::Proofs,
    serial::SerialState,
    target::{Reading, Unaudited},
};
use crate::{
    id::CampaignId,
    names::{CommitSha, PullNumber},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// One repository's target branch, and the pull requests that want to get there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MergeQueue {
    pub(super) config: Config,
    pub(super) now: Timestamp,
    pub(super) last_id: u64,
    pub(super) tip: Commit,
    /// The question about the target that is under way.
    pub(super) reading: Option<Reading>,
    pub(super) gate: Gate,
    pub(super) entries: BTreeMap<EntryId, Entry>,
    /// The entries that are not over.
    pub(super) by_pull: BTreeMap<PullNumber, EntryId>,
    /// The entries that are not over, by their heads: asked at every step, of a line of any length.
    pub(super) by_head: BTreeMap<CommitSha, BTreeSet<EntryId>>,
    /// Entries that are over, the oldest first, kept for people to look at.
    pub(super) over: VecDeque<EntryId>,
    /// Pull requests that were last seen for another target, with the version of that reading.
    pub(super) elsewhere: VecDeque<(PullNumber, u64)>,
    pub(super) authorised: BTreeSet<CommitSha>,
    /// The pipeline: each slot is tested on top of the ones ahead of it.
    pub(super) slots: Vec<Slot>,
    pub(super) candidates: BTreeMap<CandidateId, Candidate>,
    pub(super) runs: BTreeMap<RunId, Running>,
    pub(super) landing: Option<Landing>,
    /// Landings that nobody has read back yet.
    pub(super) unaudited: BTreeMap<LandingId, Unaudited>,
    pub(super) proofs: Proofs,
    pub(super) estimates: Estimates,
    pub(super) outage: Outage,
    pub(super) campaigns: BTreeMap<CampaignId, Tally>,
    pub(super) serial: SerialState,
    /// Entries that somebody wants tested without landing.
    pub(super) tries: BTreeSet<EntryId>,
    /// The tick that was asked for last.
    pub(super) wake_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Slot {
    pub id: SlotId,
    pub members: Vec<EntryId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Running {
    pub candidate: CandidateId,
    pub since: Timestamp,
    /// When somebody was asked last whether it is still alive.
    pub asked_at: Timestamp,
}

/// The pull requests that one queue knows, at most.
pub const ENTRIES_MAX: usize = 20_000;
/// The entries that are over and still remembered.
pub const OVER_MAX: usize = 256;

/// What a step brings about, collected on the way.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    pub(super) effects: Vec<Effect>,
    /// Entries that may look different to people now.
    pub(super) touched: BTreeSet<EntryId>,
}

impl Outbox {
    pub(super) fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }
}

impl MergeQueue {
    /// An empty queue for a target that stands at `tip`.
    pub fn new(config: Config, tip: Commit, now: Timestamp) -> Result<Self, ConfigError> {
        config.validate()?;
        Ok(Self {
            config,
            now,
            last_id: 0,
            tip,
            reading: None,
            gate: Gate::default(),
            entries: BTreeMap::new(),
            by_pull: BTreeMap::new(),
            by_head: BTreeMap::new(),
            over: VecDeque::new(),
            elsewhere: VecDeque::new(),
            authorised: BTreeSet::new(),
            slots: Vec::new(),
            candidates: BTreeMap::new(),
            runs: BTreeMap::new(),
            landing: None,
            unaudited: BTreeMap::new(),
            proofs: Proofs::default(),
            estimates: Estimates::default(),
            outage: Outage::default(),
            campaigns: BTreeMap::new(),
            serial: SerialState::default(),
            tries: BTreeSet::new(),
            wake_at: None,
        })
    }

    /// Takes in one event and says what is to be done. There is no other way to change the queue.
    pub fn step(&mut self, event: Event, now: Timestamp) -> Vec<Effect> {
        let mut out = Outbox::default();
        if now < self.now {
            out.push(Effect::Refuse(Refusal::TimeWentBack { from: self.now, to: now }));
        }
        self.now = self.now.max(now);
        self.gate.forget_expired(self.now);
        if let Err(refusal) = self.apply(event, &mut out) {
            out.push(Effect::Refuse(refusal));
        }
        self.plan(&mut out);
        self.publish(&mut out);
        self.ask_for_tick(&mut out);
        out.effects
    }

    fn apply(&mut self, event: Event, out: &mut Outbox) -> Result<(), Refusal> {
        match event {
            Event::PullSeen(facts) => self.see_pull(facts, out),
            Event::PullGone { pull } => self.lose_pull(pull, out),
            Event::Command(command) => self.obey(command, out),
            Event::CandidateBuilt { candidate, commit, tree, jobs } => {
                self.take_build(candidate, super::candidate::Built { commit, tree, jobs }, out)
            }
            Event::CandidateConflicted { candidate, pull, with } => {
                self.take_conflict(candidate, pull, with, out)
            }
            Event::CandidateNotBuilt { candidate, why } => {
                self.take_build_failure(candidate, why, out)
            }
            Event::RunFinished { run, result } => self.take_result(run, result, out),
            Event::Landed { landing, tip } => self.take_landed(landing, tip, out),
            Event::LandRejected { landing, why } => self.take_rejection(landing, why, out),
            Event::LandUnknown { landing } => self.doubt_landing(landing, out),
            Event::TargetHinted => {
                self.hear_of_target(out);
                Ok(())
            }
            Event::TargetRead { reading, tip, history } => {
                self.take_reading(reading, tip, history, out)
            }
            Event::Audited { landing, finding } => self.take_audit(landing, finding, out),
            Event::ConfigChanged(config) => self.configure(config, out),
            Event::Reconciled { pulls, runs } => self.reconcile(pulls, &runs, out),
            Event::Tick => {
                self.chase(out);
                Ok(())
            }
        }
    }

    fn plan(&mut self, out: &mut Outbox) {
        match self.config.policy {
            Policy::Speculative(speculation) => {
                self.settle(speculation, out);
                self.recall_frozen(out);
                self.preempt(out);
                self.prune(out);
                self.speculate(speculation, out);
            }
            Policy::Serial(serial) => self.plan_serial(serial, out),
        }
        self.start_tries(out);
        self.build_again(out);
        self.start_runs(out);
    }

    pub(super) fn next_id<Id: From<u64>>(&mut self) -> Id {
        self.last_id += 1;
        Id::from(self.last_id)
    }

    /// The entry of a pull request, for somebody who wants something of it.
    pub(super) fn find(&self, pull: PullNumber) -> Result<EntryId, Refusal> {
        if let Some(entry) = self.by_pull.get(&pull).and_then(|id| self.entries.get(id)) {
            let is_leaving = entry.leaving.is_some();
            return if is_leaving { Err(Refusal::HasLeft { pull }) } else { Ok(entry.id) };
        }
        Err(match self.last_over(pull).map(|entry| &entry.phase) {
            Some(Phase::Merged(_)) => Refusal::IsMerged { pull },
            Some(_) => Refusal::HasLeft { pull },
            None => Refusal::UnknownPull { pull },
        })
    }

    /// Moves an entry on. Nothing else writes a phase.
    pub(super) fn set_phase(&mut self, id: EntryId, phase: Phase, out: &mut Outbox) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        entry.phase = phase;
        out.touched.insert(id);
        if entry.is_over() {
            let head = entry.facts.head.clone();
            let pull = entry.facts.number;
            self.by_pull.remove(&pull);
            self.unlist_head(id, &head);
            self.stop_tests(id, out);
            for other in self.entries.values_mut() {
                other.record.failed_with.remove(&pull);
                other.record.clashes.remove(&pull);
            }
            self.over.push_back(id);
            if self.over.len() > OVER_MAX
                && let Some(oldest) = self.over.pop_front()
            {
                self.entries.remove(&oldest);
            }
            self.leave_head(&head, out);
        }
    }

    /// Back into the line, at the place that the entry has.
    pub(super) fn requeue(&mut self, id: EntryId, out: &mut Outbox) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.waiting_since.get_or_insert(self.now);
        }
        self.set_phase(id, Phase::Queued { since: self.now }, out);
    }

    /// Takes an entry out of the tests that are to land it; the caller says where it goes. A
    /// landing that is under way goes on: its answer decides.
    pub(super) fn recall(&mut self, id: EntryId, out: &mut Outbox) {
        let Some(entry) = self.entries.get(&id) else { return };
        match entry.phase {
            Phase::InPipeline { slot } => self.leave_slot(id, slot, out),
            Phase::Suspect(Isolation::Testing { candidate }) => self.drop_candidate(candidate, out),
            Phase::Suspect(Isolation::Waiting)
            | Phase::Observed
            | Phase::Queued { .. }
            | Phase::Held(_)
            | Phase::Landing { .. }
            | Phase::Conflicted
            | Phase::Ejected(_)
            | Phase::Merged(_)
            | Phase::Withdrawn(_) => (),
        }
        self.serial.forget(id);
        self.drop_all(|candidate| candidate.purpose == Purpose::Serial(id), out);
    }

    /// Ends every test of an entry, also those that only somebody's curiosity wanted.
    pub(super) fn stop_tests(&mut self, id: EntryId, out: &mut Outbox) {
        self.recall(id, out);
        self.tries.remove(&id);
        self.drop_all(|candidate| candidate.is_apart_for(id), out);
    }

    /// The slot goes on without the entry, from new candidates.
    fn leave_slot(&mut self, id: EntryId, slot: SlotId, out: &mut Outbox) {
        if let Some(found) = self.slots.iter_mut().find(|it| it.id == slot) {
            found.members.retain(|member| *member != id);
        }
        self.slots.retain(|it| !it.members.is_empty());
        self.drop_all(|candidate| candidate.slot() == Some(slot), out);
    }

    pub(super) fn drop_all(&mut self, doomed: impl Fn(&Candidate) -> bool, out: &mut Outbox) {
        let ids: Vec<_> =
            self.candidates.values().filter(|it| doomed(it)).map(|it| it.id).collect();
        for id in ids {
            self.drop_candidate(id, out);
        }
    }

    pub(super) fn drop_candidate(&mut self, id: CandidateId, out: &mut Outbox) {
        let Some(candidate) = self.candidates.remove(&id) else { return };
        match candidate.stage {
            Stage::Planned if candidate.builds == 0 => return,
            Stage::Testing { run, .. } => {
                self.runs.remove(&run);
                if !planted(Bug::ForgetToCancel) {
                    out.push(Effect::CancelRun { run });
                }
            }
            Stage::Planned
            | Stage::Building { .. }
            | Stage::Built(_)
            | Stage::Passed { .. }
            | Stage::Failed { .. } => (),
        }
        out.push(Effect::DropCandidate { candidate: id });
    }

    /// What the head of the pipeline stands on: the landing under way, else the target.
    pub(super) fn anchor(&self) -> Base {
        match &self.landing {
            Some(landing) => Base::Candidate(landing.candidate),
            None => Base::Target(self.tip.commit.clone()),
        }
    }

    /// How many more candidates the workers have room for.
    pub(super) fn free_workers(&self) -> usize {
        let busy = self.candidates.values().filter(|it| it.is_undecided()).count();
        (self.config.workers as usize).saturating_sub(busy)
    }

    fn configure(&mut self, config: Config, out: &mut Outbox) -> Result<(), Refusal> {
        config.validate().map_err(Refusal::Config)?;
        if config.target != self.config.target {
            let (is, asked) = (self.config.target.clone(), config.target);
            return Err(Refusal::Config(ConfigError::Target { is, asked }));
        }
        let changes_policy =
            std::mem::discriminant(&self.config.policy) != std::mem::discriminant(&config.policy);
        self.config = config;
        if changes_policy {
            self.start_over(out);
        }
        Ok(())
    }

    /// Drops every test, for another policy to start them; entries keep their places.
    fn start_over(&mut self, out: &mut Outbox) {
        let tries = self.candidates.values().filter_map(|candidate| match candidate.purpose {
            Purpose::Try(id) => Some(id),
            Purpose::Pipeline(_) | Purpose::Isolation(_) | Purpose::Serial(_) => None,
        });
        self.tries.extend(tries.collect::<Vec<_>>());
        self.drop_all(|_| true, out);
        self.slots.clear();
        let living: Vec<_> = self.by_pull.values().copied().collect();
        for id in living {
            match self.entries.get(&id).map(|entry| &entry.phase) {
                Some(Phase::Queued { .. } | Phase::InPipeline { .. } | Phase::Suspect(_)) => {
                    self.set_phase(id, Phase::Observed, out);
                }
                Some(
                    Phase::Observed
                    | Phase::Held(_)
                    | Phase::Landing { .. }
                    | Phase::Conflicted
                    | Phase::Ejected(_)
                    | Phase::Merged(_)
                    | Phase::Withdrawn(_),
                )
                | None => (),
            }
            self.settle_entry(id, out);
        }
        self.after_move(out);
    }
}
