//! The machine that ships, as a contender in the lab.

use super::{
    lab::{Contender, End, Lab, Outcome, Pull, Test},
    names::{approved, branch, sha},
    random::Random,
    workload::Source,
};
use crate::{
    id::CampaignId,
    merge_queue::{
        MergeQueue,
        candidate::JobsDigest,
        config::{Config, ConfigError, Policy},
        effect::Effect,
        event::{
            Action, Actor, Command, Commit, Event, Finding, Permission, PullAction, RunResult,
        },
        id::{CandidateId, RunId},
        publish::CheckState,
        pull::Origin,
    },
    names::{CommitSha, PullNumber},
    time::Timestamp,
};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};
use uuid::Uuid;

/// One test time, in the machine's milliseconds.
pub const TEST_MILLIS: f64 = 1_000_000.0;

pub struct Ours {
    pub queue: MergeQueue,
    /// The pull requests that each commit adds to the target at which it was built.
    stacks: BTreeMap<CommitSha, Vec<Pull>>,
    trees: BTreeMap<CommitSha, u64>,
    tests: BTreeMap<RunId, Test>,
    runs: BTreeMap<Test, RunId>,
    events: VecDeque<Event>,
    commits: u64,
    /// What each pull request was told when it came, in test times from then on.
    told: BTreeMap<Pull, Told>,
}

/// An estimate, as it was told.
#[derive(Clone, Copy, Debug)]
struct Told {
    at: f64,
    from: f64,
    to: f64,
}

/// How the estimates that people were told on arrival turned out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Promises {
    pub kept: u32,
    pub early: u32,
    pub late: u32,
    /// Of all, in test times.
    pub width: f64,
}

impl Ours {
    pub fn new(lab: &Lab, policy: Policy) -> Result<Self, ConfigError> {
        let mut config = Config::new(branch(), lab.setting.workers);
        config.policy = policy;
        let queue = MergeQueue::new(config, tip(), Timestamp(0))?;
        Ok(Self {
            queue,
            stacks: BTreeMap::from([(tip().commit, vec![])]),
            trees: BTreeMap::from([(tip().commit, 0)]),
            tests: BTreeMap::new(),
            runs: BTreeMap::new(),
            events: VecDeque::new(),
            commits: 1,
            told: BTreeMap::new(),
        })
    }

    /// Holds what was told against what came of it.
    #[must_use]
    pub fn promises(&self, lab: &Lab) -> Promises {
        let mut promises = Promises::default();
        for (pull, told) in &self.told {
            let End::Landed { at } = lab.ends[*pull] else { continue };
            let took = at - told.at;
            promises.width += told.to - told.from;
            match took {
                _ if took < told.from => promises.early += 1,
                _ if took > told.to => promises.late += 1,
                _ => promises.kept += 1,
            }
        }
        promises
    }

    fn note_estimate(&mut self, pull: Pull, lab: &Lab) {
        let status = self.queue.status(number(pull));
        if let Some(estimate) = status.and_then(|status| status.estimate) {
            let in_tests = |secs: u64| time(Timestamp(0) + Duration::from_secs(secs));
            let (from, to) = (in_tests(estimate.from_secs), in_tests(estimate.to_secs));
            self.told.insert(pull, Told { at: lab.now, from, to });
        }
    }

    /// Feeds the machine until everything has been answered that needs no time.
    fn feed(&mut self, lab: &mut Lab) {
        while let Some(event) = self.events.pop_front() {
            for effect in self.queue.step(event, timestamp(lab.now)) {
                self.carry_out(effect, lab);
            }
        }
    }

    fn carry_out(&mut self, effect: Effect, lab: &mut Lab) {
        match effect {
            Effect::BuildCandidate { candidate, base, members } => {
                let added: Vec<_> = members.iter().map(|member| pull_of(member.pull)).collect();
                self.build(candidate, &base, &added);
            }
            Effect::StartRun { run, commit, .. } => {
                let test = lab.start(self.unlanded(&commit.commit, lab));
                self.tests.insert(run, test);
                self.runs.insert(test, run);
            }
            Effect::CancelRun { run } => {
                if let Some(test) = self.tests.remove(&run) {
                    self.runs.remove(&test);
                    lab.cancel(test);
                }
            }
            Effect::Land { landing, to, pulls, .. } => {
                let pulls: Vec<_> = pulls.into_iter().map(pull_of).collect();
                lab.land(&pulls);
                self.events.push_back(Event::Landed { landing, tip: to });
            }
            Effect::Audit { landing, .. } => {
                self.events.push_back(Event::Audited { landing, finding: Finding::AsTested });
            }
            Effect::Publish { pull, check, .. } if check.state == CheckState::Failure => {
                if self.queue.has_ejected(pull) {
                    lab.eject(pull_of(pull));
                }
            }
            Effect::WakeAt(at) => lab.wake_at(time(at)),
            Effect::DropCandidate { .. }
            | Effect::AbandonLanding { .. }
            | Effect::AskRun { .. }
            | Effect::ReadTarget { .. }
            | Effect::Publish { .. }
            | Effect::FetchPull { .. }
            | Effect::Alarm(_)
            | Effect::Refuse(_) => (),
        }
    }

    fn build(&mut self, candidate: CandidateId, base: &CommitSha, added: &[Pull]) {
        self.commits += 1;
        let commit: CommitSha = sha(self.commits);
        let mut stack = self.stacks.get(base).cloned().unwrap_or_default();
        stack.extend(added);
        // Merging is commutative here: a tree is known by what it holds.
        let mut tree = self.trees.get(base).copied().unwrap_or(0);
        for pull in added {
            tree = tree.wrapping_add(Random::new(*pull as u64).draw());
        }
        self.stacks.insert(commit.clone(), stack);
        self.trees.insert(commit.clone(), tree);
        let jobs = JobsDigest("jobs".to_owned());
        self.events.push_back(Event::CandidateBuilt { candidate, commit, tree: sha(tree), jobs });
    }

    fn unlanded(&self, commit: &CommitSha, lab: &Lab) -> Vec<Pull> {
        let stack = self.stacks.get(commit).into_iter().flatten().copied();
        stack.filter(|pull| lab.ends[*pull] == End::Open).collect()
    }
}

impl Contender for Ours {
    fn arrive(&mut self, pull: Pull, lab: &mut Lab) {
        let origin = match lab.source(pull) {
            Source::Person => Origin::Person,
            Source::Campaign => Origin::Campaign(CampaignId(Uuid::nil())),
        };
        self.events.push_back(seen(pull));
        self.events.push_back(enqueue(pull, origin));
        self.feed(lab);
        self.note_estimate(pull, lab);
    }

    fn finish(&mut self, test: Test, outcome: Outcome, lab: &mut Lab) {
        let Some(run) = self.runs.remove(&test) else { return };
        self.tests.remove(&run);
        let result = match outcome {
            Outcome::Passed => RunResult::Passed,
            Outcome::Failed => RunResult::Failed,
        };
        self.events.push_back(Event::RunFinished { run, result });
        self.feed(lab);
    }

    fn wake(&mut self, lab: &mut Lab) {
        self.events.push_back(Event::Tick);
        self.feed(lab);
    }
}

pub(super) fn seen(pull: Pull) -> Event {
    Event::PullSeen(approved(number(pull), sha(1_000_000_000 + pull as u64)))
}

pub(super) fn enqueue(pull: Pull, origin: Origin) -> Event {
    let by = Actor { name: "simulation".to_owned(), permission: Permission::Maintain };
    let action = PullAction::Enqueue { target: branch(), priority: None, origin };
    Event::Command(Command { by, action: Action::Pull { pull: number(pull), head: None, action } })
}

fn number(pull: Pull) -> PullNumber {
    PullNumber(i64::try_from(pull).unwrap_or(i64::MAX))
}

fn pull_of(number: PullNumber) -> Pull {
    usize::try_from(number.0).unwrap_or(0)
}

fn timestamp(at: f64) -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "simulations end long before 2^63 ms")]
    Timestamp((at * TEST_MILLIS).round() as i64)
}

fn time(at: Timestamp) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "simulations end long before 2^53 ms")]
    let millis = at.0 as f64;
    millis / TEST_MILLIS
}

fn tip() -> Commit {
    Commit { commit: sha(1), tree: sha(0) }
}
