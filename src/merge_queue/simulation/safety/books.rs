//! The checker's own books, written from events and effects alone.

use crate::{
    merge_queue::{
        candidate::{JobsDigest, Member},
        event::{Action, Ancestry, Commit, Event, History, PullAction, QueueAction, RunResult},
        gate::{Freeze, Scope},
        id::{CandidateId, FreezeId, LandingId, ReadingId, RunId},
        pull::{Origin, Priority, PullFacts, Trust},
    },
    names::{CommitSha, PullNumber, TreeSha},
};
use std::collections::{BTreeMap, BTreeSet};

/// What was told and asked for so far.
#[derive(Clone, Debug, Default, Hash)]
pub struct Books {
    pub(super) pulls: BTreeMap<PullNumber, PullFacts>,
    pub(super) gone: BTreeSet<PullNumber>,
    pub(super) held: BTreeSet<PullNumber>,
    /// Who is to land.
    pub(super) asked: BTreeSet<PullNumber>,
    pub(super) ranks: BTreeMap<PullNumber, (Origin, Priority)>,
    pub(super) authorised: BTreeSet<CommitSha>,
    pub(super) candidates: BTreeMap<CandidateId, Plan>,
    pub(super) by_commit: BTreeMap<CommitSha, CandidateId>,
    /// Candidates whose refs may be there.
    pub(super) refs: BTreeSet<CandidateId>,
    /// Runs that were started and neither cancelled nor answered.
    pub(super) live: BTreeMap<RunId, CandidateId>,
    /// Runs that count against what they tested, with whom they tested.
    pub(super) failures: BTreeMap<RunId, Vec<PullNumber>>,
    timeouts: BTreeMap<CandidateId, u32>,
    pub(super) passed: BTreeSet<(TreeSha, JobsDigest)>,
    /// The landing under way, from where to where.
    pub(super) landing: Option<(LandingId, CommitSha, CommitSha)>,
    pub(super) landing_pulls: BTreeMap<LandingId, BTreeSet<PullNumber>>,
    pub(super) reading: Option<ReadingId>,
    pub(super) freezes: BTreeMap<FreezeId, Freeze>,
}

#[derive(Clone, Debug, Hash)]
pub(super) struct Plan {
    pub(super) base: CommitSha,
    pub(super) members: Vec<Member>,
    pub(super) built: Option<(Commit, JobsDigest)>,
}

impl Books {
    /// Whether a result of this run is awaited.
    #[must_use]
    pub fn awaits(&self, run: RunId) -> bool {
        self.live.contains_key(&run)
    }

    #[must_use]
    pub fn live_runs(&self) -> Vec<RunId> {
        self.live.keys().copied().collect()
    }

    /// Writes down an event that the queue is about to be told.
    pub fn note_event(&mut self, event: &Event) {
        match event {
            Event::PullSeen(facts) => self.note_facts(facts),
            Event::PullGone { pull } => self.note_gone(*pull),
            Event::CandidateBuilt { candidate, commit, tree, jobs } => {
                let built = Commit { commit: commit.clone(), tree: tree.clone() };
                if self.candidates.contains_key(candidate) {
                    self.refs.insert(*candidate);
                }
                if let Some(plan) = self.candidates.get_mut(candidate)
                    && plan.built.is_none()
                {
                    plan.built = Some((built, jobs.clone()));
                    self.by_commit.insert(commit.clone(), *candidate);
                }
            }
            Event::RunFinished { run, result } => self.note_result(*run, *result),
            Event::Reconciled { pulls, runs } => {
                let open: BTreeSet<_> = pulls.iter().map(|facts| facts.number).collect();
                for pull in self.pulls.keys().copied().collect::<Vec<_>>() {
                    if !open.contains(&pull) {
                        self.note_gone(pull);
                    }
                }
                pulls.iter().for_each(|facts| self.note_facts(facts));
                self.live.retain(|run, _| runs.contains(run));
            }
            Event::Landed { landing, .. } => {
                self.landing.take_if(|(known, ..)| known == landing);
            }
            Event::TargetRead { reading, tip, history } if self.reading == Some(*reading) => {
                self.note_reading(tip, *history);
            }
            Event::Command(_)
            | Event::CandidateConflicted { .. }
            | Event::CandidateNotBuilt { .. }
            | Event::LandRejected { .. }
            | Event::LandUnknown { .. }
            | Event::TargetHinted
            | Event::TargetRead { .. }
            | Event::Audited { .. }
            | Event::ConfigChanged(_)
            | Event::Tick => (),
        }
    }

    /// A landing has ended when the target holds it, or is not where it would start from.
    fn note_reading(&mut self, tip: &Commit, history: History) {
        self.landing.take_if(|(_, expect, to)| {
            tip.commit == *to || history.landing == Ancestry::Contained || tip.commit != *expect
        });
    }

    fn note_facts(&mut self, facts: &PullFacts) {
        let known = self.pulls.get(&facts.number).map_or(0, |known| known.version);
        if facts.version > known {
            self.pulls.insert(facts.number, facts.clone());
            self.gone.remove(&facts.number);
            if facts.target != super::super::names::branch() {
                self.forget(facts.number);
            }
        }
    }

    fn note_gone(&mut self, pull: PullNumber) {
        self.gone.insert(pull);
        self.forget(pull);
    }

    /// What comes back is another entry, with a rank of its own.
    pub(super) fn forget(&mut self, pull: PullNumber) {
        self.held.remove(&pull);
        self.asked.remove(&pull);
        self.ranks.remove(&pull);
    }

    pub(super) fn note_landed(&mut self, landing: LandingId) {
        for pull in self.landing_pulls.remove(&landing).unwrap_or_default() {
            self.forget(pull);
        }
    }

    /// Writes down an event that the queue did not refuse.
    pub fn note_accepted(&mut self, event: &Event) {
        let Event::Command(command) = event else { return };
        let Action::Pull { pull, action, .. } = &command.action else { return };
        let head = self.pulls.get(pull).map(|facts| facts.head.clone());
        match (action, head) {
            (PullAction::Authorise, Some(head)) => drop(self.authorised.insert(head)),
            (PullAction::Revoke, Some(head)) => drop(self.authorised.remove(&head)),
            (PullAction::Unqueue, _) => self.forget(*pull),
            (PullAction::Hold { .. }, _) => drop(self.held.insert(*pull)),
            (PullAction::Release, _) => drop(self.held.remove(pull)),
            (PullAction::Prioritise(priority), _) => {
                self.ranks.entry(*pull).or_insert((Origin::Person, *priority)).1 = *priority;
            }
            (PullAction::Enqueue { origin, priority, .. }, _) => {
                let priority = priority.unwrap_or(Priority::usual(*origin));
                // Asked for again, an entry keeps the rank that it has.
                if self.asked.insert(*pull) {
                    self.ranks.insert(*pull, (*origin, priority));
                }
            }
            (
                PullAction::Requeue
                | PullAction::Retest
                | PullAction::RetestFailed
                | PullAction::Try
                | PullAction::TryMerge
                | PullAction::Authorise
                | PullAction::Revoke,
                _,
            ) => (),
        }
    }

    /// Which freezes there are is read off what people asked for, with the ids of the queue.
    pub fn note_queue_action(&mut self, action: &QueueAction, id: Option<FreezeId>) {
        match (action, id) {
            (QueueAction::Freeze(freeze), Some(id)) => {
                self.freezes.insert(id, freeze.clone());
            }
            (QueueAction::Thaw(id), _) => drop(self.freezes.remove(id)),
            (
                QueueAction::Freeze(_)
                | QueueAction::Drain
                | QueueAction::Open
                | QueueAction::ResumeCampaign(_),
                _,
            ) => (),
        }
    }

    fn note_result(&mut self, run: RunId, result: RunResult) {
        let Some(candidate) = self.live.remove(&run) else { return };
        let Some(plan) = self.candidates.get(&candidate) else { return };
        let pulls = || plan.members.iter().map(|member| member.pull).collect();
        match (result, &plan.built) {
            (RunResult::Passed, Some((commit, jobs))) => {
                self.passed.insert((commit.tree.clone(), jobs.clone()));
            }
            (RunResult::Failed, _) => drop(self.failures.insert(run, pulls())),
            (RunResult::TimedOut, _) => {
                let timeouts = self.timeouts.entry(candidate).or_insert(0);
                *timeouts += 1;
                if *timeouts > 1 {
                    self.failures.insert(run, pulls());
                }
            }
            (RunResult::Passed | RunResult::Infra | RunResult::Cancelled, _) => (),
        }
    }

    pub(super) fn is_authorised(&self, member: &Member) -> bool {
        let is_trusted =
            self.pulls.get(&member.pull).is_some_and(|facts| facts.author == Trust::Trusted);
        is_trusted || self.authorised.contains(&member.head)
    }

    pub(super) fn is_held_by(&self, freeze: &Freeze, pull: PullNumber) -> bool {
        let (origin, priority) =
            self.ranks.get(&pull).copied().unwrap_or((Origin::Person, Priority::Normal));
        let in_scope = match freeze.scope {
            Scope::Everything => true,
            Scope::Campaigns => origin != Origin::Person,
            Scope::Campaign(campaign) => origin == Origin::Campaign(campaign),
        };
        in_scope && freeze.least_priority.is_none_or(|least| priority > least)
    }
}
