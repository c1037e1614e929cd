//! Carries effects to the world and answers back: at any time, in any order, twice, or never.

use super::{
    host::{Build, Swap},
    world::World,
};
use crate::merge_queue::{
    candidate::{JobsDigest, Member},
    effect::Effect,
    event::{BuildFailure, Event, Finding, Rejection, RunResult},
    id::{CandidateId, LandingId, RunId},
};
use crate::names::{CommitSha, PullNumber};

const ARRIVED_MAX: usize = 32;

impl World {
    pub(super) fn carry_out_any(&mut self) {
        if !self.effects.is_empty() {
            let index = self.random.below(self.effects.len());
            let effect = self.effects.swap_remove(index);
            self.carry_out(effect);
        }
    }

    pub(super) fn carry_out(&mut self, effect: Effect) {
        let answer = match effect {
            Effect::BuildCandidate { candidate, base, members } => {
                Some(self.build(candidate, &base, &members))
            }
            Effect::StartRun { run, commit, .. } => {
                let result = self.host.test(&commit.commit, &mut self.random);
                Some(Event::RunFinished { run, result })
            }
            Effect::AskRun { run } if !self.is_under_way(run) => {
                Some(Event::RunFinished { run, result: RunResult::Infra })
            }
            Effect::Land { landing, expect, to, pulls } => {
                self.refuse_landing(landing, &pulls).or_else(|| {
                    let swap = self.host.swap(&expect, &to.commit);
                    match (swap, self.random.below(10)) {
                        (_, 0) => Some(Event::LandUnknown { landing }),
                        (_, 1) => None,
                        (Swap::Done, _) => Some(Event::Landed { landing, tip: to }),
                        (Swap::Refused, _) => {
                            Some(Event::LandRejected { landing, why: Rejection::NotFastForward })
                        }
                    }
                })
            }
            Effect::ReadTarget { reading, landing, last } => {
                let history = self.host.history(landing.as_ref(), &last);
                Some(Event::TargetRead { reading, tip: self.host.tip(), history })
            }
            Effect::Audit { landing, .. } => {
                let finding = if self.random.percent(self.host.faults.audits) {
                    Finding::Differs { found: self.host.tip() }
                } else {
                    Finding::AsTested
                };
                Some(Event::Audited { landing, finding })
            }
            Effect::FetchPull { pull } => self.pulls.get_mut(&pull).map(|facts| {
                facts.version += 1;
                Event::PullSeen(facts.clone())
            }),
            // A run that is cancelled may have ended before; its answer comes all the same.
            Effect::CancelRun { .. }
            | Effect::AskRun { .. }
            | Effect::DropCandidate { .. }
            | Effect::AbandonLanding { .. }
            | Effect::Publish { .. }
            | Effect::WakeAt(_)
            | Effect::Alarm(_)
            | Effect::Refuse(_) => None,
        };
        self.answers.extend(answer);
    }

    fn build(&mut self, candidate: CandidateId, base: &CommitSha, members: &[Member]) -> Event {
        if self.random.percent(self.host.faults.builds) {
            let why = match self.random.pick(members) {
                Some(member) if self.random.percent(20) => {
                    BuildFailure::HeadGone { pull: member.pull }
                }
                _ => BuildFailure::Machinery,
            };
            return Event::CandidateNotBuilt { candidate, why };
        }
        match self.host.build(candidate.0, base, members) {
            Build::Done(built) => {
                let jobs = JobsDigest(format!("jobs {}", self.random.below(2)));
                Event::CandidateBuilt { candidate, commit: built.commit, tree: built.tree, jobs }
            }
            Build::Conflict(pull, with) => Event::CandidateConflicted { candidate, pull, with },
        }
    }

    /// The code host has rules of its own, and may know of a push before anybody else.
    fn refuse_landing(&mut self, landing: LandingId, pulls: &[PullNumber]) -> Option<Event> {
        if !self.random.percent(self.host.faults.refusals) {
            return None;
        }
        let why = match self.random.below(3) {
            0 => Rejection::HeadChanged { pull: *self.random.pick(pulls)? },
            1 => Rejection::HeadChanged { pull: PullNumber(i64::MAX) },
            _ => Rejection::Policy { message: "a rule".to_owned() },
        };
        Some(Event::LandRejected { landing, why })
    }

    /// Whether a run's start or its answer is still on the way.
    pub(super) fn is_under_way(&self, run: RunId) -> bool {
        let answers =
            |event: &Event| matches!(event, Event::RunFinished { run: it, .. } if *it == run);
        let starts =
            |effect: &Effect| matches!(effect, Effect::StartRun { run: it, .. } if *it == run);
        self.answers.iter().any(answers) || self.effects.iter().any(starts)
    }

    pub(super) fn deliver_any(&mut self) -> Result<(), String> {
        if self.answers.is_empty() {
            return Ok(());
        }
        let index = self.random.below(self.answers.len());
        let answer = self.answers.swap_remove(index);
        self.arrived.push(answer.clone());
        if self.arrived.len() > ARRIVED_MAX {
            self.arrived.remove(0);
        }
        self.tell(answer)
    }

    pub(super) fn deliver_again(&mut self) -> Result<(), String> {
        match self.random.pick(&self.arrived).cloned() {
            Some(answer) => self.tell(answer),
            None => Ok(()),
        }
    }

    pub(super) fn lose_answer(&mut self) {
        if !self.answers.is_empty() {
            let index = self.random.below(self.answers.len());
            self.answers.swap_remove(index);
        }
    }
}
