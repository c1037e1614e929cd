//! What happens next, drawn from a seed.

use super::{
    super::{names::branch, random::Random},
    Violation,
    books::Books,
    host::{Faults, Host},
};
use crate::{
    merge_queue::{
        MergeQueue,
        chance::Chance,
        config::{CampaignRules, Config, Ejection, Policy, Preemption, Serial, Speculation},
        effect::{Effect, Refusal},
        event::{Action, Command, Event, QueueAction, RunResult},
        id::RunId,
        pull::PullFacts,
    },
    names::PullNumber,
    time::Timestamp,
};
use std::{collections::BTreeMap, time::Duration};

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
    pub(super) arrived: Vec<Event>,
    /// What a restarted server would have: a snapshot, and the log.
    snapshot: MergeQueue,
    log: Vec<(Event, Timestamp, Vec<Effect>)>,
    /// How much of the log the snapshot holds.
    in_snapshot: usize,
    pub steps: u64,
}

const SNAPSHOT_EVERY: usize = 64;
/// The effects that a restarted server is not sure about.
const RESENT_MAX: usize = 4;

impl World {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let host = Host::new(Faults::some(&mut random));
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
            in_snapshot: 0,
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
            self.note_accepted(&event);
            self.books.check_use(&event, &effects)?;
        }
        self.log.push((event, self.now, effects.clone()));
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
        if self.log.len() - self.in_snapshot >= SNAPSHOT_EVERY {
            self.check_replay()?;
        }
        Ok(())
    }

    /// What the queue was told, and what it asked for.
    #[must_use]
    pub fn story(&self) -> String {
        let told = self
            .log
            .iter()
            .map(|(event, at, effects)| format!("{}: {event:?}\n{}", at.0, lines(effects)));
        told.collect()
    }

    fn note_accepted(&mut self, event: &Event) {
        self.books.note_accepted(event);
        if let Event::Command(Command { action: Action::Queue(action), .. }) = event {
            let id = self.queue.gate.freezes.last_key_value().map(|(id, _)| *id);
            self.books.note_queue_action(action, id);
        }
    }

    /// A clock that is behind is noticed, and what comes with it counts all the same.
    pub(super) fn tell_late(&mut self, event: Event) -> Result<(), String> {
        let before = self.queue.now;
        let effects = self.queue.clone().step(event.clone(), Timestamp(before.0 - 5_000));
        let is_noticed = |it: &&Refusal| matches!(it, Refusal::TimeWentBack { .. });
        if !Self::refusals(&effects).iter().any(is_noticed) {
            return Err("time went back, and nobody noticed".to_owned());
        }
        self.tell(event)
    }

    /// The state after a restart is the state before it, and what it asks for is the same.
    fn check_replay(&mut self) -> Result<(), String> {
        let text = serde_json::to_string(&self.snapshot).map_err(|error| error.to_string())?;
        let mut replayed: MergeQueue =
            serde_json::from_str(&text).map_err(|error| format!("snapshot: {error}"))?;
        for (event, at, effects) in &self.log[self.in_snapshot..] {
            if replayed.step(event.clone(), *at) != *effects {
                return Err("the replayed log asks for something else".to_owned());
            }
        }
        if replayed != self.queue {
            return Err("the replayed log differs from the snapshot".to_owned());
        }
        self.in_snapshot = self.log.len();
        self.snapshot = replayed;
        Ok(())
    }

    /// The server stops, starts again, and sends what it is not sure to have sent. Answers that
    /// came in between are lost.
    fn crash(&mut self) -> Result<(), String> {
        self.check_replay()?;
        self.queue = self.snapshot.clone();
        let last = self.effects.len().saturating_sub(RESENT_MAX);
        self.effects.extend_from_within(last..);
        for _ in 0..self.random.below(3) {
            self.lose_answer();
        }
        Ok(())
    }

    /// Mostly seconds, sometimes long enough for waits to end, seldom a day.
    fn pass_time(&mut self) -> Result<(), String> {
        let secs = match self.random.below(40) {
            0..=19 => 1,
            20..=35 => 91,
            36..=38 => 3_600,
            _ => 100_000,
        };
        self.now = self.now + Duration::from_secs(secs);
        self.tell(Event::Tick)
    }

    pub(super) fn reconcile(&mut self) -> Result<(), String> {
        let pulls = self.pulls.values().cloned().collect();
        let mut alive = self.books.live_runs();
        alive.retain(|run| self.is_under_way(*run));
        self.tell(Event::Reconciled { pulls, runs: alive })
    }

    fn reconfigure(&mut self) -> Result<(), String> {
        let mut config = self.queue.config.clone();
        match self.random.below(8) {
            0 => config.policy = configuration(&mut self.random).policy,
            1 => config.preemption = configuration(&mut self.random).preemption,
            _ => config.workers = u32::try_from(self.random.below(5)).unwrap_or(1),
        }
        self.tell(Event::ConfigChanged(config))
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

    pub(super) fn thaw_all(&mut self) -> Result<(), String> {
        let freezes: Vec<_> = self.queue.gate.freezes.keys().copied().collect();
        for id in freezes {
            self.command(Action::Queue(QueueAction::Thaw(id)))?;
        }
        Ok(())
    }
}

fn lines(effects: &[Effect]) -> String {
    effects.iter().map(|effect| format!("    {effect:?}\n")).collect()
}

fn configuration(random: &mut Random) -> Config {
    let workers = u32::try_from(random.below(4) + 1).unwrap_or(1);
    let batch_max = u32::try_from(random.below(3) + 1).unwrap_or(1);
    let policy = match random.below(6) {
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
    let preemption = if random.percent(25) { Preemption::ForCritical } else { Preemption::Never };
    Config { policy, campaigns, preemption, ..Config::new(branch(), workers) }
}
