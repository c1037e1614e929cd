//! What happens next, drawn from a seed.

use super::{
    super::{names::branch, random::Random},
    Violation,
    checker::Books,
    host::{Build, Faults, Host, Swap},
};
use crate::{
    id::CampaignId,
    merge_queue::{
        MergeQueue,
        candidate::JobsDigest,
        chance::Chance,
        config::{CampaignRules, Config, Ejection, Policy, Serial, Speculation},
        effect::{Effect, Refusal},
        entry::Phase,
        event::{Action, Event, Finding, QueueAction, Rejection, RunResult},
        id::RunId,
        pull::PullFacts,
    },
    names::PullNumber,
    time::Timestamp,
};
use std::{collections::BTreeMap, time::Duration};
use uuid::Uuid;

/// A queue, what is really there, and everything that is under way between them.
pub struct World {
    pub(super) random: Random,
    pub(super) now: Timestamp,
    pub queue: MergeQueue,
    pub(super) host: Host,
    pub(super) books: Books,
    pub(super) pulls: BTreeMap<PullNumber, PullFacts>,
    pub(super) last_head: u64,
    /// Asked for and not carried out yet.
    pub(super) effects: Vec<Effect>,
    /// Answers that have not arrived yet.
    pub(super) answers: Vec<Event>,
    /// Answers that have arrived, and may arrive again.
    arrived: Vec<Event>,
    /// What a restarted server would have: a snapshot, and the events since.
    snapshot: MergeQueue,
    log: Vec<(Event, Timestamp)>,
    pub steps: u64,
}

const ARRIVED_MAX: usize = 32;
const LOG_MAX: usize = 64;
/// The effects that a restarted server is not sure about.
const RESENT_MAX: usize = 4;
/// The rounds within which everything has to end once nothing goes wrong any more.
const CALM_ROUNDS_MAX: u32 = 400;
const SETTLE_ROUNDS_MAX: u32 = 2_000;

impl World {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let host = Host::new(Faults::MANY);
        let config = configuration(&mut random);
        #[expect(clippy::expect_used, reason = "the configurations drawn are valid")]
        let queue =
            MergeQueue::new(config, host.tip(), Timestamp(0)).expect("a valid configuration");
        Self {
            random,
            now: Timestamp(0),
            snapshot: queue.clone(),
            queue,
            host,
            books: Books::default(),
            pulls: BTreeMap::new(),
            last_head: 1,
            effects: vec![],
            answers: vec![],
            arrived: vec![],
            log: vec![],
            steps: 0,
        }
    }

    /// Runs until the queue was told so many events, then waits for everything to end.
    pub fn run(&mut self, steps: u64) -> Result<(), Violation> {
        let outcome = self.storm(steps).and_then(|()| self.calm());
        outcome.map_err(|rule| Violation { step: self.steps, rule })
    }

    fn storm(&mut self, steps: u64) -> Result<(), String> {
        while self.steps < steps {
            match self.random.below(100) {
                0..=34 => self.carry_out_any(),
                35..=69 => self.deliver_any()?,
                70..=72 => self.deliver_again()?,
                73 => self.lose_answer(),
                74..=85 => self.change_pull()?,
                86..=91 => self.command_pull()?,
                92 => self.command_queue()?,
                93 => self.disturb_target()?,
                94..=95 => self.pass_time()?,
                96 => self.crash()?,
                97 => self.tell_nonsense()?,
                98 => self.reconcile()?,
                _ => self.reconfigure()?,
            }
        }
        Ok(())
    }

    /// Tells the queue something, and checks everything.
    pub fn tell(&mut self, event: Event) -> Result<(), String> {
        self.steps += 1;
        let is_stale = match &event {
            Event::RunFinished { run, .. } => !self.books.awaits(*run),
            _ => false,
        };
        let untouched = is_stale.then(|| self.queue.clone());
        self.books.note_event(&event);
        let effects = self.queue.step(event.clone(), self.now);
        if let Some(mut untouched) = untouched {
            // A run that nobody ever started shows what the step does by itself.
            let never = Event::RunFinished { run: RunId(u64::MAX), result: RunResult::Infra };
            untouched.step(never, self.now);
            if untouched != self.queue {
                return Err(format!("{event:?} is stale, and changed something"));
            }
        }
        if Self::refusals(&effects).is_empty() {
            self.books.note_accepted(&event);
        }
        self.log.push((event, self.now));
        self.books.check_effects(&effects, &self.queue, self.now)?;
        self.books.check_state(&self.queue)?;
        for effect in effects {
            // Abandoning takes the request out of the outbox, in the same transaction.
            if let Effect::AbandonLanding { landing } = effect {
                let is_it =
                    |it: &Effect| matches!(it, Effect::Land { landing: id, .. } if *id == landing);
                self.effects.retain(|it| !is_it(it));
            }
            self.effects.push(effect);
        }
        if self.log.len() >= LOG_MAX {
            self.check_replay()?;
        }
        Ok(())
    }

    /// The state after a restart is the state before it.
    fn check_replay(&mut self) -> Result<(), String> {
        let text = serde_json::to_string(&self.snapshot).map_err(|error| error.to_string())?;
        let mut replayed: MergeQueue =
            serde_json::from_str(&text).map_err(|error| format!("snapshot: {error}"))?;
        for (event, at) in self.log.drain(..) {
            replayed.step(event, at);
        }
        if replayed != self.queue {
            return Err("the replayed log differs from the snapshot".to_owned());
        }
        self.snapshot = replayed;
        Ok(())
    }

    /// The server stops, starts again, and sends what it is not sure to have sent.
    fn crash(&mut self) -> Result<(), String> {
        self.check_replay()?;
        self.queue = self.snapshot.clone();
        let last = self.effects.len().saturating_sub(RESENT_MAX);
        self.effects.extend_from_within(last..);
        Ok(())
    }

    fn carry_out_any(&mut self) {
        if !self.effects.is_empty() {
            let index = self.random.below(self.effects.len());
            let effect = self.effects.swap_remove(index);
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::BuildCandidate { candidate, base, members } => {
                let event = match self.host.build(candidate.0, &base, &members) {
                    Build::Done(built) => Event::CandidateBuilt {
                        candidate,
                        commit: built.commit,
                        tree: built.tree,
                        jobs: JobsDigest(format!("jobs {}", self.random.below(2))),
                    },
                    Build::Conflict(pull, with) => {
                        Event::CandidateConflicted { candidate, pull, with }
                    }
                };
                self.answers.push(event);
            }
            Effect::StartRun { run, commit, .. } => {
                let result = self.host.test(&commit.commit, &mut self.random);
                self.answers.push(Event::RunFinished { run, result });
            }
            Effect::Land { landing, expect, to, .. } => {
                let swap = self.host.swap(&expect, &to.commit);
                let answer = match (swap, self.random.below(10)) {
                    (_, 0) => Event::LandUnknown { landing },
                    (_, 1) => return,
                    (Swap::Done, _) => Event::Landed { landing, tip: to },
                    (Swap::Refused, _) => {
                        Event::LandRejected { landing, why: Rejection::NotFastForward }
                    }
                };
                self.answers.push(answer);
            }
            Effect::ReadTarget { reading, about } => {
                let landing = self.host.ancestry(about.as_ref());
                self.answers.push(Event::TargetRead { reading, tip: self.host.tip(), landing });
            }
            Effect::Audit { landing, .. } => {
                let finding = match self.random.below(20) {
                    0 => Finding::Differs { found: self.host.tip() },
                    _ => Finding::AsTested,
                };
                self.answers.push(Event::Audited { landing, finding });
            }
            // A run that is cancelled may have ended before; its answer comes all the same.
            Effect::CancelRun { .. }
            | Effect::DropCandidate { .. }
            | Effect::AbandonLanding { .. }
            | Effect::Publish { .. }
            | Effect::FetchPull { .. }
            | Effect::WakeAt(_)
            | Effect::Alarm(_)
            | Effect::Refuse(_) => (),
        }
    }

    fn deliver_any(&mut self) -> Result<(), String> {
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

    fn deliver_again(&mut self) -> Result<(), String> {
        match self.random.pick(&self.arrived).cloned() {
            Some(answer) => self.tell(answer),
            None => Ok(()),
        }
    }

    /// Answers about builds come from jobs that are repeated until they are stored; all others
    /// may be lost.
    fn lose_answer(&mut self) {
        let index = self.random.below(self.answers.len());
        let is_lossy = self.answers.get(index).is_some_and(|answer| {
            !matches!(answer, Event::CandidateBuilt { .. } | Event::CandidateConflicted { .. })
        });
        if is_lossy {
            self.answers.swap_remove(index);
        }
    }

    fn pass_time(&mut self) -> Result<(), String> {
        self.now = self.now + Duration::from_secs(u64::from(self.random.percent(50)) * 90 + 1);
        self.tell(Event::Tick)
    }

    fn reconcile(&mut self) -> Result<(), String> {
        let pulls = self.pulls.values().cloned().collect();
        let alive: Vec<_> = self
            .books
            .live_runs()
            .into_iter()
            .filter(|run| {
                let answers = |event: &Event| {
                    matches!(event, Event::RunFinished { run: it, .. } if it == run)
                };
                let starts = |effect: &Effect| {
                    matches!(effect, Effect::StartRun { run: it, .. } if it == run)
                };
                self.answers.iter().any(answers) || self.effects.iter().any(starts)
            })
            .collect();
        self.tell(Event::Reconciled { pulls, runs: alive })
    }

    fn reconfigure(&mut self) -> Result<(), String> {
        let mut config = self.queue.config.clone();
        config.workers = u32::try_from(self.random.below(5)).unwrap_or(1);
        self.tell(Event::ConfigChanged(config))
    }

    /// Nothing goes wrong any more: everything has to end, or to say what it waits for.
    fn calm(&mut self) -> Result<(), String> {
        self.host.faults = Faults::HONEST;
        let mut config = self.queue.config.clone();
        config.workers = 2;
        self.tell(Event::ConfigChanged(config))?;
        self.thaw_all()?;
        for round in 0..CALM_ROUNDS_MAX {
            self.settle()?;
            if self.unfinished().is_none() {
                return Ok(());
            }
            self.command(Action::Queue(QueueAction::Open))?;
            let campaign = CampaignId(Uuid::nil());
            self.command(Action::Queue(QueueAction::ResumeCampaign(campaign)))?;
            self.now = self.now + Duration::from_secs(1_200);
            match round % 4 {
                0 => self.reconcile()?,
                1 => self.tell(Event::TargetHinted)?,
                _ => self.tell(Event::Tick)?,
            }
        }
        let why = self.unfinished().unwrap_or_default();
        Err(format!("something starves: {why}"))
    }

    /// Carries out and answers until there is nothing left to do.
    fn settle(&mut self) -> Result<(), String> {
        for _ in 0..SETTLE_ROUNDS_MAX {
            if self.effects.is_empty() && self.answers.is_empty() {
                return Ok(());
            }
            for effect in std::mem::take(&mut self.effects) {
                self.carry_out(effect);
            }
            for answer in std::mem::take(&mut self.answers) {
                self.tell(answer)?;
            }
        }
        Err(format!("effects go on for ever: {:?}", self.effects))
    }

    /// An entry that the queue still has to bring to an end.
    fn unfinished(&self) -> Option<String> {
        let entry = self.queue.entries.values().find(|entry| match entry.phase {
            Phase::Queued { .. }
            | Phase::InPipeline { .. }
            | Phase::Suspect(_)
            | Phase::Landing { .. } => true,
            // What waits for people has to say for what.
            Phase::Observed => match self.queue.config.policy {
                Policy::Speculative(_) => self.queue.missing(entry).is_empty(),
                Policy::Serial(_) => false,
            },
            Phase::Held { .. }
            | Phase::Conflicted
            | Phase::Ejected(_)
            | Phase::Merged { .. }
            | Phase::Withdrawn(_) => false,
        })?;
        // The serial policy waits for the next event, as its document says.
        let waits_by_design = matches!(self.queue.config.policy, Policy::Serial(_))
            && matches!(entry.phase, Phase::Queued { .. });
        (!waits_by_design).then(|| format!("{} is {:?}", entry.number(), entry.phase))
    }

    /// Whether the queue refused something in the last effects.
    #[must_use]
    pub fn refusals(effects: &[Effect]) -> Vec<&Refusal> {
        effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Refuse(refusal) => Some(refusal),
                _ => None,
            })
            .collect()
    }
}

fn configuration(random: &mut Random) -> Config {
    let workers = u32::try_from(random.below(4) + 1).unwrap_or(1);
    let batch_max = u32::try_from(random.below(3) + 1).unwrap_or(1);
    let policy = match random.below(8) {
        0 => Policy::Serial(Serial { seed: random.draw() }),
        _ => Policy::Speculative(Speculation {
            batch_max,
            ejection: match random.below(4) {
                0 => Ejection::Sparing(Chance::percent(1)),
                failures => Ejection::After(u32::try_from(failures).unwrap_or(1)),
            },
            ..Speculation::default()
        }),
    };
    let campaigns =
        CampaignRules { in_flight_max: 2, waves: vec![1, 2], ..CampaignRules::default() };
    Config { policy, campaigns, ..Config::new(branch(), workers) }
}
