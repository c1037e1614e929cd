//! Any events in any order, none of them meant for the state that it meets: the queue refuses what
//! makes no sense, stays in shape, and never panics.

use super::*;
use crate::{
    id::CampaignId,
    merge_queue::{
        chance::Chance,
        config::{CampaignRules, Canary, Ejection, Preemption, Speculation},
        entry::Phase,
        event::{Against, BuildFailure},
        gate::{Freeze, Scope, Testing},
        id::{CandidateId, FreezeId, LandingId, ReadingId},
        pull::Priority,
        simulation::{random::Random, safety::rules::check_shape},
    },
};
use std::{collections::BTreeSet, time::Duration};
use uuid::Uuid;

/// Draws events; ids are mostly those that the queue has handed out last.
struct Fuzz {
    random: Random,
    version: u64,
    last_id: u64,
}

impl Fuzz {
    fn id(&mut self) -> u64 {
        match self.random.below(20) {
            0 => u64::MAX,
            1..=5 => self.random.draw() % (self.last_id + 3),
            _ => self.last_id.saturating_sub(self.random.draw() % 8),
        }
    }

    fn pull(&mut self) -> PullNumber {
        match self.random.below(30) {
            0 => PullNumber(i64::MIN),
            1 => PullNumber(i64::MAX),
            _ => PullNumber(i64::try_from(self.random.draw() % 6).unwrap()),
        }
    }

    fn commit(&mut self) -> Commit {
        let number = self.random.draw() % 30 + 1;
        Commit { commit: sha(number), tree: sha(self.random.draw() % 3 + number) }
    }

    fn maybe<T>(&mut self, value: T) -> Option<T> {
        self.random.percent(50).then_some(value)
    }

    fn one_of<T: Clone>(&mut self, values: &[T]) -> T {
        self.random.pick(values).unwrap().clone()
    }

    fn time(&mut self) -> Timestamp {
        let soon = i64::try_from(self.random.draw() % 10_000_000).unwrap();
        match self.random.below(200) {
            0 => Timestamp(i64::MIN),
            1 => Timestamp(i64::MAX),
            2 => Timestamp(-1),
            _ => Timestamp(soon),
        }
    }

    fn chance(&mut self) -> Chance {
        let parts = u32::try_from(self.random.draw() % 1_200_000).unwrap();
        self.one_of(&[Chance::NEVER, Chance::SURE, Chance::parts_per_million(parts)])
    }

    fn number(&mut self) -> u32 {
        self.one_of(&[0, 1, 1, 2, 3, 4, 8, u32::MAX])
    }

    fn duration(&mut self) -> Duration {
        self.one_of(&[Duration::ZERO, Duration::from_secs(60), Duration::MAX])
    }

    fn facts(&mut self) -> PullFacts {
        self.version += 1;
        let head: CommitSha = self.commit().commit;
        let (target, other) = (branch(), self.commit().commit);
        PullFacts {
            number: self.pull(),
            version: self.one_of(&[self.version, self.version, 0, u64::MAX - 1]),
            approved: self.one_of(&[Some(head.clone()), Some(head.clone()), Some(other), None]),
            head,
            target: self.one_of(&[target.clone(), target, "next".parse().unwrap()]),
            readiness: self.one_of(&[Readiness::Ready, Readiness::Ready, Readiness::Draft]),
            author: self.one_of(&[Trust::Trusted, Trust::Trusted, Trust::Untrusted]),
            checks_missing: self.one_of(&[vec![], vec![], vec!["lint".to_owned()]]),
            conversations_open: self.one_of(&[0, 0, u32::MAX]),
        }
    }

    fn origin(&mut self) -> Origin {
        let campaign = Origin::Campaign(CampaignId(Uuid::nil()));
        self.one_of(&[Origin::Person, campaign])
    }

    fn config(&mut self) -> Config {
        let speculation = Speculation {
            batch_max: self.number(),
            worth_min: self.chance(),
            before_lane: self.chance(),
            patience: self.chance(),
            ejection: self.one_of(&[Ejection::After(2), Ejection::After(0)]),
        };
        let sparing = Ejection::Sparing(self.chance());
        let ejection = self.one_of(&[speculation.ejection, sparing]);
        let speculative = Policy::Speculative(Speculation { ejection, ..speculation });
        let serial = Policy::Serial(Serial { seed: self.random.draw() });
        Config {
            target: self.one_of(&[branch(), branch(), "next".parse().unwrap()]),
            workers: self.number(),
            policy: self.one_of(&[speculative, speculative, serial]),
            campaigns: CampaignRules {
                in_flight_max: self.number(),
                canary: self.one_of(&[Canary::First, Canary::None]),
                waves: self.one_of(&[vec![], vec![1, u32::MAX, 3], vec![0]]),
                failed_max: self.chance(),
                stop_after: self.number(),
            },
            ageing: self.duration(),
            preemption: self.one_of(&[Preemption::Never, Preemption::ForCritical]),
        }
    }

    fn pull_action(&mut self) -> PullAction {
        let priority = self.one_of(&Priority::ALL);
        match self.random.below(18) {
            0 => PullAction::Unqueue,
            1 => PullAction::Requeue,
            2 => PullAction::Retest,
            3 => PullAction::RetestFailed,
            4 => PullAction::Try,
            5 => PullAction::Hold { reason: String::new() },
            6 => PullAction::Release,
            7 => PullAction::Prioritise(priority),
            8 => PullAction::Authorise,
            9 => PullAction::Revoke,
            10 => PullAction::TryMerge,
            _ => {
                let (priority, origin) = (self.maybe(priority), self.origin());
                let target = self.one_of(&[branch(), branch(), "next".parse().unwrap()]);
                PullAction::Enqueue { target, priority, origin }
            }
        }
    }

    fn queue_action(&mut self) -> QueueAction {
        let least_priority = self.one_of(&Priority::ALL);
        let until = self.time();
        match self.random.below(6) {
            0 => QueueAction::Freeze(Freeze {
                scope: self.one_of(&[
                    Scope::Everything,
                    Scope::Campaigns,
                    Scope::Campaign(CampaignId(Uuid::nil())),
                ]),
                least_priority: self.maybe(least_priority),
                reason: String::new(),
                by: String::new(),
                until: self.maybe(until),
                testing: self.one_of(&[Testing::Goes, Testing::Stops]),
            }),
            1 => QueueAction::Thaw(FreezeId(self.id())),
            2 => QueueAction::Drain,
            3 => QueueAction::ResumeCampaign(CampaignId(Uuid::nil())),
            _ => QueueAction::Open,
        }
    }

    fn command(&mut self) -> Event {
        let permissions = [Permission::Read, Permission::Write, Permission::Maintain];
        let by = Actor { name: String::new(), permission: self.one_of(&permissions) };
        let (pull, head) = (self.pull(), self.commit().commit);
        let action = if self.random.percent(80) {
            let (head, action) = (self.maybe(head), self.pull_action());
            Action::Pull { pull, head, action }
        } else {
            Action::Queue(self.queue_action())
        };
        Event::Command(Command { by, action })
    }

    /// What the queue is told of its candidates and runs.
    fn answer(&mut self) -> Event {
        let (candidate, run) = (CandidateId(self.id()), RunId(self.id()));
        let (pull, built) = (self.pull(), self.commit());
        let results = [
            RunResult::Passed,
            RunResult::Passed,
            RunResult::Failed,
            RunResult::Infra,
            RunResult::TimedOut,
            RunResult::Cancelled,
        ];
        let Commit { commit, tree } = built;
        match self.random.below(10) {
            0..=3 => {
                let jobs = JobsDigest(self.one_of(&["", "jobs"]).to_owned());
                Event::CandidateBuilt { candidate, commit, tree, jobs }
            }
            4 => {
                let against = Against::Pull(self.pull());
                let with = self.one_of(&[Against::Target, against]);
                Event::CandidateConflicted { candidate, pull, with }
            }
            5 => {
                let gone = BuildFailure::HeadGone { pull };
                let why = self.one_of(&[BuildFailure::Machinery, gone]);
                Event::CandidateNotBuilt { candidate, why }
            }
            _ => Event::RunFinished { run, result: self.one_of(&results) },
        }
    }

    /// What the queue is told of the target.
    fn news(&mut self) -> Event {
        let (landing, tip, pull) = (LandingId(self.id()), self.commit(), self.pull());
        let ancestries = [Ancestry::NotAsked, Ancestry::Contained, Ancestry::Absent];
        let history = History { landing: self.one_of(&ancestries), last: self.one_of(&ancestries) };
        let differs = Finding::Differs { found: self.commit() };
        match self.random.below(8) {
            0 => Event::Landed { landing, tip },
            1 => Event::LandRejected { landing, why: Rejection::NotFastForward },
            2 => {
                let why = Rejection::Policy { message: String::new() };
                Event::LandRejected { landing, why }
            }
            3 => Event::LandRejected { landing, why: Rejection::HeadChanged { pull } },
            4 => Event::LandUnknown { landing },
            5 => Event::TargetHinted,
            6 => Event::TargetRead { reading: ReadingId(self.id()), tip, history },
            _ => {
                let finding = self.one_of(&[Finding::AsTested, Finding::AsTested, differs]);
                Event::Audited { landing, finding }
            }
        }
    }

    fn event(&mut self) -> Event {
        match self.random.below(100) {
            0..=29 => Event::PullSeen(self.facts()),
            30..=54 => self.command(),
            55..=79 => self.answer(),
            80..=91 => self.news(),
            92 => Event::PullGone { pull: self.pull() },
            93 => Event::ConfigChanged(self.config()),
            94 => {
                let pulls = (0..4).map(|_| self.facts()).collect();
                Event::Reconciled { pulls, runs: vec![RunId(self.id()), RunId(u64::MAX)] }
            }
            _ => Event::Tick,
        }
    }
}

/// The phases that a queue shows, so that the test can tell that it got anywhere.
fn phases(queue: &MergeQueue) -> impl Iterator<Item = String> {
    let name = |phase: &Phase| format!("{phase:?}").split([' ', '(']).next().unwrap().to_owned();
    queue.entries.values().map(move |entry| name(&entry.phase))
}

#[test]
fn no_sequence_of_events_makes_the_queue_panic_or_lose_its_shape() {
    let mut seen = BTreeSet::new();
    for seed in 0..400 {
        let mut fuzz = Fuzz { random: Random::new(seed), version: 0, last_id: 0 };
        let config = [fuzz.config(), Config::new(branch(), 3), Config::new(branch(), 1)];
        let mut config = fuzz.one_of(&config);
        config.target = branch();
        let tip = Commit { commit: sha(1), tree: sha(1) };
        let Ok(mut queue) = MergeQueue::new(config, tip, Timestamp(0)) else { continue };
        for step in 0..400 {
            let (event, now) = (fuzz.event(), fuzz.time().max(queue.now));
            let now = if fuzz.random.percent(2) { fuzz.time() } else { now };
            queue.step(event.clone(), now);
            fuzz.last_id = queue.last_id;
            seen.extend(phases(&queue));
            if let Err(broken) = check_shape(&queue) {
                panic!("seed {seed}, step {step}, {event:?}: {broken}");
            }
        }
        for pull in 0..6 {
            let status = queue.status(PullNumber(pull));
            assert!(status.is_none_or(|it| !it.why.is_empty()), "seed {seed}: #{pull} is silent");
        }
    }
    let all = [
        "Observed",
        "Queued",
        "Held",
        "InPipeline",
        "Suspect",
        "Landing",
        "Conflicted",
        "Ejected",
        "Merged",
        "Withdrawn",
    ];
    assert_eq!(seen, all.map(str::to_owned).into());
}
