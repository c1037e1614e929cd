//! The checker's own books, written from events and effects alone, and the rules.

use crate::{
    merge_queue::{
        MergeQueue,
        candidate::{JobsDigest, Member},
        effect::Effect,
        entry::{Exit, Phase},
        event::{Action, Ancestry, Commit, Event, PullAction, QueueAction, RunResult},
        gate::{Freeze, Mode, Scope},
        id::{CandidateId, LandingId, ReadingId, RunId},
        pull::{Origin, Priority, PullFacts, Trust},
    },
    names::{CommitSha, PullNumber, TreeSha},
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// What was told and asked for so far.
#[derive(Clone, Debug, Default, Hash)]
pub struct Books {
    pulls: BTreeMap<PullNumber, PullFacts>,
    ranks: BTreeMap<PullNumber, (Origin, Priority)>,
    authorised: BTreeSet<CommitSha>,
    candidates: BTreeMap<CandidateId, Plan>,
    by_commit: BTreeMap<CommitSha, CandidateId>,
    /// Runs that were started and neither cancelled nor answered.
    live: BTreeMap<RunId, CandidateId>,
    /// Runs that count against what they tested, with whom they tested.
    failures: BTreeMap<RunId, Vec<PullNumber>>,
    timeouts: BTreeMap<CandidateId, u32>,
    passed: BTreeSet<(TreeSha, JobsDigest)>,
    /// The landing under way, from where to where.
    landing: Option<(LandingId, CommitSha, CommitSha)>,
    reading: Option<ReadingId>,
    freezes: Vec<Freeze>,
}

#[derive(Clone, Debug, Hash)]
struct Plan {
    base: CommitSha,
    members: Vec<Member>,
    built: Option<(Commit, JobsDigest)>,
}

type Checked = Result<(), String>;

fn ensure(holds: bool, rule: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(rule()) }
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
            Event::PullGone { .. } => (),
            Event::Command(command) => self.note_command(&command.action),
            Event::CandidateBuilt { candidate, commit, tree, jobs } => {
                let built = Commit { commit: commit.clone(), tree: tree.clone() };
                if let Some(plan) = self.candidates.get_mut(candidate)
                    && plan.built.is_none()
                {
                    plan.built = Some((built, jobs.clone()));
                    self.by_commit.insert(commit.clone(), *candidate);
                }
            }
            Event::RunFinished { run, result } => self.note_result(*run, *result),
            Event::Reconciled { pulls, runs } => {
                pulls.iter().for_each(|facts| self.note_facts(facts));
                self.live.retain(|run, _| runs.contains(run));
            }
            Event::Landed { landing, .. } => {
                self.landing.take_if(|(known, ..)| known == landing);
            }
            Event::TargetRead { reading, tip, landing } if self.reading == Some(*reading) => {
                self.note_reading(tip, *landing);
            }
            Event::CandidateConflicted { .. }
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
    fn note_reading(&mut self, tip: &Commit, ancestry: Ancestry) {
        self.landing.take_if(|(_, expect, to)| {
            tip.commit == *to || ancestry == Ancestry::Contained || tip.commit != *expect
        });
    }

    fn note_facts(&mut self, facts: &PullFacts) {
        let known = self.pulls.get(&facts.number).map_or(0, |known| known.version);
        if facts.version > known {
            self.pulls.insert(facts.number, facts.clone());
        }
    }

    fn note_command(&mut self, action: &Action) {
        match action {
            Action::Pull { .. } => (),
            Action::Queue(QueueAction::Freeze(freeze)) => self.freezes.push(freeze.clone()),
            Action::Queue(QueueAction::Thaw(_)) => self.freezes.clear(),
            Action::Queue(_) => (),
        }
    }

    /// Writes down an event that the queue did not refuse.
    pub fn note_accepted(&mut self, event: &Event) {
        if let Event::PullGone { pull } = event {
            self.ranks.remove(pull);
        }
        let Event::Command(command) = event else { return };
        let Action::Pull { pull, action, .. } = &command.action else { return };
        let head = self.pulls.get(pull).map(|facts| facts.head.clone());
        match (action, head) {
            (PullAction::Authorise, Some(head)) => drop(self.authorised.insert(head)),
            (PullAction::Revoke, Some(head)) => drop(self.authorised.remove(&head)),
            (PullAction::Unqueue, _) => drop(self.ranks.remove(pull)),
            (PullAction::Enqueue { origin, priority, .. }, _) => {
                let priority = priority.unwrap_or(Priority::usual(*origin));
                self.ranks.insert(*pull, (*origin, priority));
            }
            _ => (),
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

    /// Holds the effects of a step against the rules, and writes them down.
    pub fn check_effects(
        &mut self,
        effects: &[Effect],
        queue: &MergeQueue,
        now: Timestamp,
    ) -> Checked {
        for effect in effects {
            match effect {
                Effect::BuildCandidate { candidate, base, members } => {
                    self.check_build(*candidate, base, members)?;
                }
                Effect::StartRun { run, candidate, commit } => {
                    self.check_start(*run, *candidate, commit, queue)?;
                }
                Effect::CancelRun { run } => drop(self.live.remove(run)),
                Effect::Land { landing, expect, to, pulls } => {
                    self.check_land(*landing, expect, to, pulls, queue, now)?;
                }
                Effect::ReadTarget { reading, .. } => self.reading = Some(*reading),
                Effect::AbandonLanding { landing } => {
                    self.landing.take_if(|(known, ..)| known == landing);
                }
                Effect::DropCandidate { .. }
                | Effect::Audit { .. }
                | Effect::Publish { .. }
                | Effect::FetchPull { .. }
                | Effect::WakeAt(_)
                | Effect::Alarm(_)
                | Effect::Refuse(_) => (),
            }
        }
        Ok(())
    }

    fn check_build(&mut self, id: CandidateId, base: &CommitSha, members: &[Member]) -> Checked {
        for member in members {
            let facts = self.pulls.get(&member.pull).ok_or("a build of an unknown pull request")?;
            ensure(facts.head == member.head, || {
                format!("candidate {id} holds another head of {} than was last seen", member.pull)
            })?;
            let is_authorised =
                facts.author == Trust::Trusted || self.authorised.contains(&member.head);
            ensure(is_authorised, || {
                format!("candidate {id} holds an unauthorised commit of {}", member.pull)
            })?;
        }
        let plan = Plan { base: base.clone(), members: members.to_vec(), built: None };
        let known = self.candidates.insert(id, plan);
        ensure(known.is_none(), || format!("candidate {id} is planned twice"))
    }

    fn check_start(
        &mut self,
        run: RunId,
        candidate: CandidateId,
        commit: &Commit,
        queue: &MergeQueue,
    ) -> Checked {
        let built = self.candidates.get(&candidate).and_then(|plan| plan.built.as_ref());
        ensure(built.is_some_and(|(built, _)| built == commit), || {
            format!("run {run} tests a commit that candidate {candidate} was not built as")
        })?;
        ensure(!matches!(queue.gate.mode, Mode::Halted(_)), || {
            format!("run {run} starts though the queue has halted")
        })?;
        self.live.insert(run, candidate);
        Ok(())
    }

    fn check_land(
        &mut self,
        landing: LandingId,
        expect: &CommitSha,
        to: &Commit,
        pulls: &[PullNumber],
        queue: &MergeQueue,
        now: Timestamp,
    ) -> Checked {
        let is_alone = self.landing.as_ref().is_none_or(|(other, ..)| *other == landing);
        ensure(is_alone, || format!("landing {landing} starts while another is under way"))?;
        self.landing = Some((landing, expect.clone(), to.commit.clone()));
        ensure(!matches!(queue.gate.mode, Mode::Halted(_)), || {
            format!("landing {landing} starts though the queue has halted")
        })?;
        let mut landed = vec![];
        let mut at = to.commit.clone();
        while at != *expect {
            let plan = self.by_commit.get(&at).and_then(|id| self.candidates.get(id));
            let plan = plan.ok_or_else(|| {
                format!("landing {landing} was not built on {expect}, where it moves from")
            })?;
            let (built, jobs) = plan.built.as_ref().ok_or("a landing of what was not built")?;
            let proof = (built.tree.clone(), jobs.clone());
            ensure(self.passed.contains(&proof), || {
                format!("landing {landing} holds {at}, whose tree and jobs have not passed")
            })?;
            landed.extend(&plan.members);
            at = plan.base.clone();
        }
        let landed: BTreeMap<_, _> = landed.iter().map(|it| (it.pull, &it.head)).collect();
        let named: BTreeSet<_> = pulls.iter().copied().collect();
        ensure(landed.keys().copied().collect::<BTreeSet<_>>() == named, || {
            format!("landing {landing} holds other pull requests than it names")
        })?;
        landed.iter().try_for_each(|(pull, head)| self.check_landed(*pull, head, now))?;
        // What comes back after this is another entry, with a rank of its own.
        self.ranks.retain(|pull, _| !named.contains(pull));
        Ok(())
    }

    fn check_landed(&self, pull: PullNumber, head: &CommitSha, now: Timestamp) -> Checked {
        let facts = self.pulls.get(&pull).ok_or("an unknown pull request lands")?;
        ensure(facts.head == *head, || format!("an old head of {pull} lands"))?;
        ensure(facts.approved.as_ref() == Some(head), || format!("{pull} lands unapproved"))?;
        let is_frozen = self.freezes.iter().any(|freeze| {
            freeze.until.is_none_or(|until| now < until) && self.is_held(freeze, pull)
        });
        ensure(!is_frozen, || format!("{pull} lands though it is frozen"))
    }

    fn is_held(&self, freeze: &Freeze, pull: PullNumber) -> bool {
        let Some((origin, priority)) = self.ranks.get(&pull) else { return false };
        let in_scope = match freeze.scope {
            Scope::Everything => true,
            Scope::Campaigns => *origin != Origin::Person,
            Scope::Campaign(campaign) => *origin == Origin::Campaign(campaign),
        };
        in_scope && freeze.least_priority.is_none_or(|least| *priority > least)
    }

    /// Holds the state after a step against the books.
    pub fn check_state(&self, queue: &MergeQueue) -> Checked {
        let running: Vec<_> = queue.runs.keys().copied().collect();
        ensure(running == self.live_runs(), || {
            format!("runs {running:?} are awaited, and {:?} were started", self.live_runs())
        })?;
        ensure(running.len() <= crate::merge_queue::config::WORKERS_MAX as usize, || {
            "more runs than any queue has workers".to_owned()
        })?;
        queue.entries.values().try_for_each(|entry| self.check_entry(entry, queue))
    }

    fn check_entry(&self, entry: &crate::merge_queue::entry::Entry, queue: &MergeQueue) -> Checked {
        let pull = entry.number();
        match &entry.phase {
            Phase::InPipeline { slot } => {
                let is_there =
                    queue.slots.iter().any(|it| it.id == *slot && it.members.contains(&entry.id));
                ensure(is_there, || format!("{pull} is in no slot"))
            }
            Phase::Suspect(crate::merge_queue::entry::Isolation::Testing { candidate }) => {
                ensure(queue.candidates.contains_key(candidate), || {
                    format!("{pull} waits for a test that does not exist")
                })
            }
            Phase::Landing { landing } => {
                ensure(queue.landing.as_ref().is_some_and(|it| it.id == *landing), || {
                    format!("{pull} waits for a landing that has ended")
                })
            }
            Phase::Ejected(Exit::Failed { runs } | Exit::FailsAfter { runs, .. }) => {
                runs.iter().try_for_each(|run| {
                    ensure(self.failures.get(run) == Some(&vec![pull]), || {
                        format!("{pull} is ejected for run {run}, which did not fail with it alone")
                    })
                })
            }
            Phase::Observed
            | Phase::Queued { .. }
            | Phase::Held { .. }
            | Phase::Suspect(crate::merge_queue::entry::Isolation::Waiting)
            | Phase::Conflicted
            | Phase::Ejected(Exit::Refused { .. })
            | Phase::Merged { .. }
            | Phase::Withdrawn(_) => Ok(()),
        }
    }
}
