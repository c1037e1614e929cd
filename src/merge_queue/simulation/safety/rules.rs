//! The rules, held against every step.

use super::books::{Books, Plan};
use crate::{
    merge_queue::{
        MergeQueue,
        candidate::{Candidate, Member},
        config::Policy,
        effect::Effect,
        entry::{Entry, Exit, Isolation, Phase},
        event::{Commit, Event},
        gate::Mode,
        id::{CandidateId, LandingId, RunId},
        pull::{Origin, Readiness},
    },
    names::{CommitSha, PullNumber},
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

type Checked = Result<(), String>;

fn ensure(holds: bool, rule: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(rule()) }
}

impl Books {
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
                Effect::DropCandidate { candidate } => drop(self.refs.remove(candidate)),
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
                Effect::AskRun { run } => {
                    ensure(self.awaits(*run), || {
                        format!("run {run} is asked about, and nobody waits for it")
                    })?;
                }
                Effect::Audit { landing, .. } => self.note_landed(*landing),
                Effect::Publish { .. }
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
            ensure(self.is_authorised(member), || {
                format!("candidate {id} holds an unauthorised commit of {}", member.pull)
            })?;
        }
        self.refs.insert(id);
        let plan = Plan { base: base.clone(), members: members.to_vec(), built: None };
        match self.candidates.get(&id) {
            None => drop(self.candidates.insert(id, plan)),
            // Asked again, since no answer came.
            Some(known) => {
                let is_same = known.base == plan.base && known.members == plan.members;
                ensure(is_same, || format!("candidate {id} is planned twice, and differently"))?;
            }
        }
        Ok(())
    }

    fn check_start(
        &mut self,
        run: RunId,
        candidate: CandidateId,
        commit: &Commit,
        queue: &MergeQueue,
    ) -> Checked {
        let plan = self.candidates.get(&candidate).ok_or("a run of an unknown candidate")?;
        let is_it = plan.built.as_ref().is_some_and(|(built, _)| built == commit);
        ensure(is_it, || {
            format!("run {run} tests a commit that candidate {candidate} was not built as")
        })?;
        for member in &plan.members {
            ensure(self.is_authorised(member), || {
                format!("run {run} tests an unauthorised commit of {}", member.pull)
            })?;
        }
        ensure(!matches!(queue.gate.mode, Mode::Halted(_)), || {
            format!("run {run} starts though the queue has halted")
        })?;
        self.live.insert(run, candidate);
        ensure(self.live.len() <= queue.config.workers as usize, || {
            format!("{} runs for {} workers", self.live.len(), queue.config.workers)
        })
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
        let landed = self.members_between(landing, expect, to)?;
        let heads: BTreeMap<_, _> = landed.iter().map(|it| (it.pull, &it.head)).collect();
        let named: BTreeSet<_> = pulls.iter().copied().collect();
        ensure(heads.keys().copied().collect::<BTreeSet<_>>() == named, || {
            format!("landing {landing} holds other pull requests than it names")
        })?;
        self.landing_pulls.insert(landing, named);
        landed.iter().try_for_each(|member| self.check_landed(member, queue, now))
    }

    /// What a landing adds to the target, every commit of it built and passed.
    fn members_between(
        &self,
        landing: LandingId,
        expect: &CommitSha,
        to: &Commit,
    ) -> Result<Vec<Member>, String> {
        let (mut landed, mut at) = (vec![], to.commit.clone());
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
            landed.extend(plan.members.iter().cloned());
            at = plan.base.clone();
        }
        Ok(landed)
    }

    fn check_landed(&self, member: &Member, queue: &MergeQueue, now: Timestamp) -> Checked {
        let Member { pull, head, .. } = member;
        let facts = self.pulls.get(pull).ok_or("an unknown pull request lands")?;
        ensure(facts.head == *head, || format!("an old head of {pull} lands"))?;
        ensure(facts.approved.as_ref() == Some(head), || format!("{pull} lands unapproved"))?;
        ensure(facts.readiness == Readiness::Ready, || format!("{pull} lands as a draft"))?;
        ensure(facts.checks_missing.is_empty(), || format!("{pull} lands without its checks"))?;
        ensure(facts.conversations_open == 0, || format!("{pull} lands amid a conversation"))?;
        ensure(facts.target == queue.config.target, || format!("{pull} is for another branch"))?;
        ensure(!self.gone.contains(pull), || format!("{pull} lands though it was closed"))?;
        ensure(!self.held.contains(pull), || format!("{pull} lands though somebody holds it"))?;
        ensure(self.is_authorised(member), || format!("{pull} lands unauthorised"))?;
        let is_asked_for = match queue.config.policy {
            Policy::Speculative(_) => self.asked.contains(pull),
            Policy::Serial(_) => true,
        };
        ensure(is_asked_for, || format!("{pull} lands though nobody asked for it"))?;
        let is_frozen = self.freezes.values().any(|freeze| {
            freeze.until.is_none_or(|until| now < until) && self.is_held_by(freeze, *pull)
        });
        ensure(!is_frozen, || format!("{pull} lands though it is frozen"))
    }

    /// What was built is not dropped at once, unless it had been tested before: whoever does that
    /// builds for ever.
    pub fn check_use(&self, event: &Event, effects: &[Effect]) -> Checked {
        let Event::CandidateBuilt { candidate, tree, jobs, .. } = event else { return Ok(()) };
        let is_dropped = effects.iter().any(
            |effect| matches!(effect, Effect::DropCandidate { candidate: it } if it == candidate),
        );
        let is_proven = self.passed.contains(&(tree.clone(), jobs.clone()));
        ensure(!is_dropped || is_proven, || format!("candidate {candidate} was built for nothing"))
    }

    /// Holds the state after a step against the books.
    pub fn check_state(&self, queue: &MergeQueue) -> Checked {
        let running: Vec<_> = queue.runs.keys().copied().collect();
        ensure(running == self.live_runs(), || {
            format!("runs {running:?} are awaited, and {:?} were started", self.live_runs())
        })?;
        check_shape(queue)?;
        let ejected = queue.entries.values().filter_map(|entry| match &entry.phase {
            Phase::Ejected(Exit::Failed { runs } | Exit::FailsAfter { runs, .. }) => {
                Some((entry.number(), runs))
            }
            Phase::Observed
            | Phase::Queued { .. }
            | Phase::Held(_)
            | Phase::InPipeline { .. }
            | Phase::Suspect(_)
            | Phase::Landing { .. }
            | Phase::Conflicted
            | Phase::Ejected(Exit::Refused { .. })
            | Phase::Merged(_)
            | Phase::Withdrawn(_) => None,
        });
        for (pull, runs) in ejected {
            for run in runs {
                ensure(self.failures.get(run) == Some(&vec![pull]), || {
                    format!("{pull} is ejected for run {run}, which did not fail with it alone")
                })?;
            }
        }
        Ok(())
    }

    /// Once nothing is under way, nothing may be left over in the world.
    pub fn check_end(&self, queue: &MergeQueue) -> Checked {
        let is_there = |id: &CandidateId| {
            queue.candidates.contains_key(id)
                || queue.landing.as_ref().is_some_and(|landing| landing.candidate == *id)
        };
        let left: Vec<_> = self.refs.iter().filter(|id| !is_there(id)).collect();
        ensure(left.is_empty(), || format!("the refs of candidates {left:?} stay behind"))?;
        ensure(queue.unaudited.is_empty(), || {
            format!("landings {:?} were never read back", queue.unaudited.keys())
        })
    }
}

/// What holds of every state, whatever the queue was told.
pub fn check_shape(queue: &MergeQueue) -> Checked {
    for slot in &queue.slots {
        let is_there = |id| {
            queue.entries.get(id).is_some_and(
                |entry| matches!(entry.phase, Phase::InPipeline { slot: at } if at == slot.id),
            )
        };
        ensure(!slot.members.is_empty() && slot.members.iter().all(is_there), || {
            format!("slot {} holds an entry that is elsewhere, or none", slot.id)
        })?;
    }
    let listed: usize = queue.by_head.values().map(BTreeSet::len).sum();
    let is_listed = |id| {
        let head = queue.entries.get(id).map(|entry| &entry.facts.head);
        head.and_then(|head| queue.by_head.get(head)).is_some_and(|ids| ids.contains(id))
    };
    ensure(listed == queue.by_pull.len() && queue.by_pull.values().all(is_listed), || {
        "the entries by head are others than those by number".to_owned()
    })?;
    queue.candidates.values().try_for_each(|it| check_candidate(it, queue))?;
    check_campaigns(queue)?;
    queue.entries.values().try_for_each(|entry| check_entry(entry, queue))
}

fn check_entry(entry: &Entry, queue: &MergeQueue) -> Checked {
    let pull = entry.number();
    match &entry.phase {
        Phase::InPipeline { slot } => {
            let is_there =
                queue.slots.iter().any(|it| it.id == *slot && it.members.contains(&entry.id));
            ensure(is_there, || format!("{pull} is in no slot"))
        }
        Phase::Suspect(Isolation::Testing { candidate }) => {
            ensure(queue.candidates.contains_key(candidate), || {
                format!("{pull} waits for a test that does not exist")
            })
        }
        Phase::Landing { landing } => {
            ensure(queue.landing.as_ref().is_some_and(|it| it.id == *landing), || {
                format!("{pull} waits for a landing that has ended")
            })
        }
        Phase::Observed
        | Phase::Queued { .. }
        | Phase::Held(_)
        | Phase::Suspect(Isolation::Waiting)
        | Phase::Conflicted
        | Phase::Ejected(_)
        | Phase::Merged(_)
        | Phase::Withdrawn(_) => Ok(()),
    }
}

/// The commits of a test belong to entries that are there, at the heads that they have.
fn check_candidate(candidate: &Candidate, queue: &MergeQueue) -> Checked {
    candidate.members.iter().try_for_each(|member| {
        let entry = queue.entries.get(&member.entry);
        ensure(entry.is_some_and(|it| it.facts.head == member.head && !it.is_over()), || {
            let phase = entry.map(|entry| &entry.phase);
            let purpose = candidate.purpose;
            format!("{} is not what {purpose:?} tests any more: {phase:?}", member.pull)
        })
    })
}

fn check_campaigns(queue: &MergeQueue) -> Checked {
    let mut in_flight = BTreeMap::new();
    for entry in queue.entries.values().filter(|entry| entry.is_in_flight()) {
        if let Origin::Campaign(campaign) = entry.origin {
            *in_flight.entry(campaign).or_insert(0) += 1;
        }
    }
    let most = queue.config.campaigns.in_flight_max;
    ensure(in_flight.values().all(|count| *count <= most), || {
        format!("a campaign has more than {most} entries in tests: {in_flight:?}")
    })
}
