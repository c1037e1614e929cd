//! The queue as a whole, told stories of a few events.

mod fuzz;
mod people;
mod policy;
mod refusals;
mod serial;
mod trouble;

use super::{
    MergeQueue,
    candidate::JobsDigest,
    config::{Config, Policy, Serial},
    effect::{Effect, Refusal},
    event::{
        Action, Actor, Ancestry, Command, Commit, Event, Finding, History, Permission, PullAction,
        QueueAction, Rejection, RunResult,
    },
    id::RunId,
    pull::{Origin, PullFacts, Readiness, Trust},
    simulation::names::{branch, sha, unapproved},
};
use crate::{
    names::{CommitSha, PullNumber},
    time::Timestamp,
};
use std::collections::BTreeMap;

/// A queue whose candidates are built and whose landings succeed at once.
struct Story {
    queue: MergeQueue,
    now: Timestamp,
    facts: BTreeMap<i64, PullFacts>,
    /// The runs under way, with the pull requests that their candidate adds to its base.
    running: BTreeMap<RunId, Vec<i64>>,
    cancelled: Vec<i64>,
    landed: Vec<i64>,
    refusals: Vec<Refusal>,
    built: BTreeMap<u64, Vec<i64>>,
    heads: u64,
    landings: Landings,
    /// Effects that the story itself does not act on.
    seen: Vec<Effect>,
}

/// What the code host says to a landing.
#[derive(Clone, Copy)]
enum Landings {
    Done,
    Refused,
    /// It says nothing.
    Lost,
}

impl Story {
    fn new(workers: u32) -> Self {
        Self::with(Config::new(branch(), workers))
    }

    fn serial() -> Self {
        let policy = Policy::Serial(Serial { seed: 1 });
        Self::with(Config { policy, ..Config::new(branch(), 8) })
    }

    fn with(config: Config) -> Self {
        let tip = Commit { commit: sha(1), tree: sha(1) };
        Self {
            queue: MergeQueue::new(config, tip, Timestamp(0)).unwrap(),
            now: Timestamp(0),
            facts: BTreeMap::new(),
            running: BTreeMap::new(),
            cancelled: vec![],
            landed: vec![],
            refusals: vec![],
            built: BTreeMap::new(),
            heads: 100,
            landings: Landings::Done,
            seen: vec![],
        }
    }

    fn tell(&mut self, event: Event) {
        self.now = Timestamp(self.now.0 + 1);
        for effect in self.queue.step(event, self.now) {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect.clone() {
            Effect::BuildCandidate { candidate, members, .. } => {
                let pulls = members.iter().map(|member| member.pull.0).collect();
                self.built.insert(candidate.0, pulls);
                let (commit, tree) = (sha(1_000 + candidate.0), sha(1_000 + candidate.0));
                let jobs = JobsDigest("jobs".to_owned());
                self.tell(Event::CandidateBuilt { candidate, commit, tree, jobs });
            }
            Effect::StartRun { run, candidate, .. } => {
                self.running.insert(run, self.built[&candidate.0].clone());
            }
            Effect::CancelRun { run } => {
                self.cancelled.extend(self.running.remove(&run).unwrap_or_default());
            }
            Effect::Land { landing, to, pulls, .. } => match self.landings {
                Landings::Done => {
                    self.landed.extend(pulls.iter().map(|pull| pull.0));
                    self.tell(Event::Landed { landing, tip: to });
                }
                Landings::Refused => {
                    let why = Rejection::Policy { message: "no".to_owned() };
                    self.tell(Event::LandRejected { landing, why });
                }
                Landings::Lost => self.seen.push(effect),
            },
            Effect::Audit { landing, .. } => {
                self.tell(Event::Audited { landing, finding: Finding::AsTested });
            }
            Effect::ReadTarget { reading, .. } => {
                self.heads += 1;
                let tip = Commit { commit: sha(self.heads), tree: sha(self.heads) };
                let history = History { landing: Ancestry::NotAsked, last: Ancestry::Contained };
                self.tell(Event::TargetRead { reading, tip, history });
            }
            Effect::Refuse(refusal) => self.refusals.push(refusal),
            Effect::AskRun { .. }
            | Effect::DropCandidate { .. }
            | Effect::AbandonLanding { .. }
            | Effect::Publish { .. }
            | Effect::FetchPull { .. }
            | Effect::WakeAt(_)
            | Effect::Alarm(_) => self.seen.push(effect),
        }
    }

    /// A pull request is opened, ready but not approved.
    fn open(&mut self, pull: i64) {
        self.heads += 1;
        let facts = unapproved(PullNumber(pull), sha(self.heads));
        self.facts.insert(pull, facts.clone());
        self.tell(Event::PullSeen(facts));
    }

    fn change(&mut self, pull: i64, change: impl FnOnce(&mut PullFacts)) {
        let facts = self.facts.get_mut(&pull).unwrap();
        facts.version += 1;
        change(facts);
        let facts = facts.clone();
        self.tell(Event::PullSeen(facts));
    }

    fn approve(&mut self, pull: i64) {
        self.change(pull, |facts| facts.approved = Some(facts.head.clone()));
    }

    fn push(&mut self, pull: i64) {
        self.heads += 1;
        let head = sha(self.heads);
        self.change(pull, |facts| facts.head = head);
    }

    fn enqueue(&mut self, pull: i64) {
        self.open(pull);
        self.approve(pull);
        self.command(pull, enqueue());
    }

    fn command(&mut self, pull: i64, action: PullAction) {
        let action = Action::Pull { pull: PullNumber(pull), head: None, action };
        self.tell(Event::Command(Command { by: maintainer(), action }));
    }

    fn authorise(&mut self, pull: i64, head: CommitSha) {
        let (head, action) = (Some(head), PullAction::Authorise);
        let action = Action::Pull { pull: PullNumber(pull), head, action };
        self.tell(Event::Command(Command { by: maintainer(), action }));
    }

    /// Lets so much time pass.
    fn pass(&mut self, secs: i64) {
        self.now = Timestamp(self.now.0 + secs * 1_000);
        self.tell(Event::Tick);
    }

    fn command_queue(&mut self, action: QueueAction) {
        let action = Action::Queue(action);
        self.tell(Event::Command(Command { by: maintainer(), action }));
    }

    fn finish(&mut self, pulls: &[i64], result: RunResult) {
        let run = self.run_of(pulls);
        self.running.remove(&run);
        self.tell(Event::RunFinished { run, result });
    }

    fn run_of(&self, pulls: &[i64]) -> RunId {
        let found = self.running.iter().find(|(_, tested)| *tested == pulls);
        *found.unwrap_or_else(|| panic!("{pulls:?} is not in {:?}", self.running)).0
    }

    /// Who is being tested, by what each candidate adds.
    fn tested(&self) -> Vec<Vec<i64>> {
        self.running.values().cloned().collect()
    }

    fn why(&self, pull: i64) -> String {
        self.queue.status(PullNumber(pull)).unwrap().why
    }
}

fn maintainer() -> Actor {
    Actor { name: "mia".to_owned(), permission: Permission::Maintain }
}

fn enqueue() -> PullAction {
    PullAction::Enqueue { target: branch(), priority: None, origin: Origin::Person }
}
