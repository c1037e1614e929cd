//! Every order of a small world: three entries, three workers, a few misfortunes.
//!
//! Effects are carried out at once; answers wait, and any of them may come next, with any
//! result; every second landing's answer is lost. A misfortune is a run that does not pass, the
//! late result of one that was cancelled, a push to the target or to a pull request, an approval
//! withdrawn, or a pull request closed. States that were seen before are not visited again.

use super::{
    super::names::{approved, branch, sha},
    books::Books,
    host::{Build, Faults, Host, Swap},
    world::World,
};
use crate::{
    merge_queue::{
        MergeQueue,
        candidate::JobsDigest,
        config::{Config, ConfigError, Ejection, Policy, Speculation},
        effect::Effect,
        entry::Phase,
        event::{
            Action, Actor, Command, Event, Finding, Permission, PullAction, Rejection, RunResult,
        },
        id::RunId,
        pull::{Origin, PullFacts},
    },
    names::PullNumber,
    time::Timestamp,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
};

const NOW: Timestamp = Timestamp(0);

/// How far a search goes.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub pulls: i64,
    pub misfortunes: u32,
    pub batch_max: u32,
    pub states_max: usize,
}

/// What a search has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub states: usize,
    /// States in which nothing is under way any more.
    pub ends: usize,
    pub extent: Extent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    Everything,
    /// The states did not end before `states_max`.
    Part,
}

#[derive(Clone)]
struct Node {
    queue: MergeQueue,
    books: Books,
    host: Host,
    pulls: BTreeMap<PullNumber, PullFacts>,
    answers: Vec<Event>,
    runs: BTreeSet<RunId>,
    /// Runs that were cancelled, and may have ended before they heard of it.
    late: BTreeSet<RunId>,
    misfortunes: u32,
}

/// What may happen next.
#[derive(Clone)]
enum Move {
    Answer(usize),
    Finish(RunId, RunResult),
    FinishLate(RunId),
    PushTarget,
    PushHead(PullNumber),
    Withdraw(PullNumber),
    Close(PullNumber),
}

/// Visits every reachable state once.
pub fn explore(bounds: Bounds) -> Result<Seen, String> {
    let first = Node::new(bounds).map_err(|error| error.to_string())?;
    let mut known = BTreeSet::from([fingerprint(&first)]);
    let mut open = vec![first.enqueue_all(bounds.pulls)?];
    let mut ends = 0;
    while let Some(node) = open.pop() {
        let moves = node.moves();
        if moves.is_empty() {
            ends += 1;
            node.check_end()?;
        }
        for next in moves {
            let child = node.after(next)?;
            if known.len() >= bounds.states_max {
                return Ok(Seen { states: known.len(), ends, extent: Extent::Part });
            }
            if known.insert(fingerprint(&child)) {
                open.push(child);
            }
        }
    }
    Ok(Seen { states: known.len(), ends, extent: Extent::Everything })
}

/// Among millions of states, two that share 64 bits are less probable than a broken machine.
fn fingerprint(node: &Node) -> u64 {
    let Node { queue, books, host, pulls, answers, runs, late, misfortunes } = node;
    let rest = hash(&(queue, books, host, pulls, runs, late, misfortunes));
    // Any answer may come next, so their order says nothing.
    answers.iter().fold(rest, |sum, answer| sum.wrapping_add(hash(answer)))
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl Node {
    fn new(bounds: Bounds) -> Result<Self, ConfigError> {
        let host = Host::new(Faults::NONE);
        let speculation = Speculation {
            batch_max: bounds.batch_max,
            ejection: Ejection::After(2),
            ..Speculation::default()
        };
        let policy = Policy::Speculative(speculation);
        let config = Config { policy, ..Config::new(branch(), 3) };
        Ok(Self {
            queue: MergeQueue::new(config, host.tip(), NOW)?,
            books: Books::default(),
            host,
            pulls: BTreeMap::new(),
            answers: vec![],
            runs: BTreeSet::new(),
            late: BTreeSet::new(),
            misfortunes: bounds.misfortunes,
        })
    }

    fn enqueue_all(mut self, pulls: i64) -> Result<Self, String> {
        for number in 1..=pulls {
            let pull = PullNumber(number);
            let facts = approved(pull, sha(500_000_000 + number.unsigned_abs()));
            self.pulls.insert(facts.number, facts.clone());
            self.tell(Event::PullSeen(facts))?;
            let (target, origin) = (branch(), Origin::Person);
            let action = PullAction::Enqueue { target, priority: None, origin };
            let action = Action::Pull { pull: PullNumber(number), head: None, action };
            let by = Actor { name: "somebody".to_owned(), permission: Permission::Write };
            self.tell(Event::Command(Command { by, action }))?;
        }
        Ok(self)
    }

    fn moves(&self) -> Vec<Move> {
        let mut moves: Vec<_> = (0..self.answers.len()).map(Move::Answer).collect();
        for run in &self.runs {
            moves.push(Move::Finish(*run, RunResult::Passed));
            if self.misfortunes > 0 {
                moves.push(Move::Finish(*run, RunResult::Failed));
                moves.push(Move::Finish(*run, RunResult::Infra));
                moves.push(Move::Finish(*run, RunResult::TimedOut));
            }
        }
        if self.misfortunes > 0 && !moves.is_empty() {
            moves.extend(self.late.iter().copied().map(Move::FinishLate));
            moves.push(Move::PushTarget);
            let pushed = self.pulls.values().filter(|facts| facts.version == 1);
            for pull in pushed.map(|facts| facts.number) {
                moves.push(Move::PushHead(pull));
                moves.push(Move::Withdraw(pull));
                moves.push(Move::Close(pull));
            }
        }
        moves
    }

    fn after(&self, next: Move) -> Result<Self, String> {
        let mut node = self.clone();
        match next {
            Move::Answer(index) => {
                let answer = node.answers.remove(index);
                node.tell(answer)?;
            }
            Move::Finish(run, result) => {
                node.runs.remove(&run);
                node.misfortunes -= u32::from(result != RunResult::Passed);
                node.tell(Event::RunFinished { run, result })?;
            }
            Move::FinishLate(run) => {
                node.misfortunes -= 1;
                node.late.remove(&run);
                node.tell(Event::RunFinished { run, result: RunResult::Passed })?;
            }
            Move::Close(pull) => {
                node.misfortunes -= 1;
                node.pulls.remove(&pull);
                node.tell(Event::PullGone { pull })?;
            }
            Move::PushTarget => {
                node.misfortunes -= 1;
                node.host.push_by_others();
                node.tell(Event::TargetHinted)?;
            }
            Move::PushHead(pull) => {
                node.misfortunes -= 1;
                node.change(pull, |facts| facts.head = sha(9_000))?;
            }
            Move::Withdraw(pull) => {
                node.misfortunes -= 1;
                node.change(pull, |facts| facts.approved = None)?;
            }
        }
        Ok(node)
    }

    fn change(
        &mut self,
        pull: PullNumber,
        change: impl FnOnce(&mut PullFacts),
    ) -> Result<(), String> {
        let Some(facts) = self.pulls.get_mut(&pull) else { return Ok(()) };
        facts.version += 1;
        change(facts);
        let facts = facts.clone();
        self.tell(Event::PullSeen(facts))
    }

    fn tell(&mut self, event: Event) -> Result<(), String> {
        self.books.note_event(&event);
        let effects = self.queue.step(event.clone(), NOW);
        if World::refusals(&effects).is_empty() {
            self.books.note_accepted(&event);
            self.books.check_use(&event, &effects)?;
        }
        self.books.check_effects(&effects, &self.queue, NOW)?;
        self.books.check_state(&self.queue)?;
        for effect in effects {
            self.carry_out(effect);
        }
        Ok(())
    }

    fn carry_out(&mut self, effect: Effect) {
        let answer = match effect {
            Effect::BuildCandidate { candidate, base, members } => {
                match self.host.build(candidate.0, &base, &members) {
                    Build::Done(built) => Event::CandidateBuilt {
                        candidate,
                        commit: built.commit,
                        tree: built.tree,
                        jobs: JobsDigest("jobs".to_owned()),
                    },
                    Build::Conflict(pull, with) => {
                        Event::CandidateConflicted { candidate, pull, with }
                    }
                }
            }
            Effect::StartRun { run, .. } => {
                self.runs.insert(run);
                return;
            }
            Effect::CancelRun { run } => {
                if self.runs.remove(&run) && self.misfortunes > 0 {
                    self.late.insert(run);
                }
                return;
            }
            Effect::Land { landing, expect, to, .. } => match self.host.swap(&expect, &to.commit) {
                // An even landing's answer is lost: what it did shows when the target is read.
                Swap::Done if landing.0 % 2 == 0 => Event::LandUnknown { landing },
                Swap::Done => Event::Landed { landing, tip: to },
                Swap::Refused => Event::LandRejected { landing, why: Rejection::NotFastForward },
            },
            Effect::ReadTarget { reading, landing, last } => Event::TargetRead {
                reading,
                tip: self.host.tip(),
                history: self.host.history(landing.as_ref(), &last),
            },
            Effect::Audit { landing, .. } => Event::Audited { landing, finding: Finding::AsTested },
            Effect::AbandonLanding { .. }
            | Effect::DropCandidate { .. }
            | Effect::Publish { .. }
            | Effect::FetchPull { .. }
            | Effect::AskRun { .. }
            | Effect::WakeAt(_)
            | Effect::Alarm(_)
            | Effect::Refuse(_) => return,
        };
        self.answers.push(answer);
    }

    /// Nothing is under way: every entry has ended, or waits for people.
    fn check_end(&self) -> Result<(), String> {
        let stuck = self.queue.entries.values().find(|entry| {
            matches!(
                entry.phase,
                Phase::Queued { .. }
                    | Phase::InPipeline { .. }
                    | Phase::Suspect(_)
                    | Phase::Landing { .. }
            )
        });
        match stuck {
            None => Ok(()),
            Some(entry) => Err(format!("{} is left {:?}", entry.number(), entry.phase)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pulls: i64, misfortunes: u32) {
        for batch_max in [1, 3] {
            let bounds = Bounds { pulls, misfortunes, batch_max, states_max: 100_000 };
            let seen = explore(bounds).expect("no rule is broken");
            assert_eq!(seen.extent, Extent::Everything, "{seen:?}");
            assert!(seen.ends > 0);
        }
    }

    #[test]
    fn every_order_of_three_entries_is_safe_when_all_goes_well() {
        check(3, 0);
    }

    /// With three entries, the same is tried by `simulate exhaustive 1`.
    #[test]
    fn every_order_of_two_entries_is_safe_with_one_misfortune() {
        check(2, 1);
    }
}
