//! The world of the performance simulation: time, workers, and what tests would say.
//!
//! A policy is told of arrivals and results, starts and cancels tests of stacks of pull
//! requests, lands and ejects. The lab keeps the truth, which only the oracle may look up.

use super::{
    random::Random,
    workload::{Arrival, Quality, Setting, Source, TestTime},
};
use std::{
    cmp::{Ordering, Reverse},
    collections::{BTreeMap, BinaryHeap},
};

/// The number of an arrival.
pub type Pull = usize;
pub type Test = u64;

pub trait Contender {
    fn arrive(&mut self, pull: Pull, lab: &mut Lab);
    fn finish(&mut self, test: Test, outcome: Outcome, lab: &mut Lab);
    /// A time that was asked for has come.
    fn wake(&mut self, lab: &mut Lab);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum End {
    Open,
    Landed { at: f64 },
    Ejected { at: f64, fault: Fault },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Innocent,
    Guilty,
}

pub struct Lab {
    pub now: f64,
    pub setting: Setting,
    pub arrivals: Vec<Arrival>,
    pub ends: Vec<End>,
    /// The conflicts that became real: both were open when the later one came.
    conflicts: Vec<Vec<Pull>>,
    pub running: BTreeMap<Test, Stack>,
    agenda: BinaryHeap<Reverse<Item>>,
    random: Random,
    next: u64,
    /// When each test started.
    pub started: Vec<f64>,
}

#[derive(Clone, Debug)]
pub struct Stack {
    pub pulls: Vec<Pull>,
    outcome: Outcome,
}

#[derive(Debug, PartialEq)]
struct Item {
    at: f64,
    order: u64,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    Arrival(Pull),
    End(Test),
    Wake,
}

impl Eq for Item {}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Item {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at.total_cmp(&other.at).then(self.order.cmp(&other.order))
    }
}

/// Overloaded policies get so much longer than the arrivals took to finish.
const PATIENCE: f64 = 3.0;

impl Lab {
    #[must_use]
    pub fn new(setting: &Setting, seed: u64) -> Self {
        let arrivals = setting.arrivals(seed);
        let agenda = arrivals.iter().enumerate().map(|(pull, arrival)| {
            Reverse(Item { at: arrival.at, order: pull as u64, what: What::Arrival(pull) })
        });
        Self {
            now: 0.0,
            setting: setting.clone(),
            ends: vec![End::Open; arrivals.len()],
            conflicts: vec![vec![]; arrivals.len()],
            running: BTreeMap::new(),
            agenda: agenda.collect(),
            random: Random::new(seed ^ 0x5EED_0F1A),
            next: arrivals.len() as u64,
            started: vec![],
            arrivals,
        }
    }

    pub fn run(&mut self, contender: &mut dyn Contender) {
        let last = self.arrivals.last().map_or(0.0, |arrival| arrival.at);
        while let Some(Reverse(item)) = self.agenda.pop() {
            if item.at > last * PATIENCE {
                return;
            }
            self.now = item.at;
            match item.what {
                What::Arrival(pull) => {
                    self.meet(pull);
                    contender.arrive(pull, self);
                }
                What::End(test) => {
                    if let Some(stack) = self.running.remove(&test) {
                        contender.finish(test, stack.outcome, self);
                    }
                }
                What::Wake => contender.wake(self),
            }
        }
    }

    fn meet(&mut self, pull: Pull) {
        for other in self.arrivals[pull].conflicts.clone() {
            if self.ends[other] == End::Open {
                self.conflicts[pull].push(other);
                self.conflicts[other].push(pull);
            }
        }
    }

    fn schedule(&mut self, at: f64, what: What) {
        self.next += 1;
        self.agenda.push(Reverse(Item { at, order: self.next, what }));
    }

    /// Tests the target with these on top. No policy may use more workers than there are.
    pub fn start(&mut self, pulls: Vec<Pull>) -> Test {
        let takes = match self.setting.tests {
            TestTime::Fixed => 1.0,
            TestTime::Varies(variation) => self.random.log_normal(variation),
        };
        let is_flaky = self.random.happens(self.setting.flakes);
        let outcome =
            if is_flaky || !self.is_sound(&pulls) { Outcome::Failed } else { Outcome::Passed };
        self.next += 1;
        let test = self.next;
        self.running.insert(test, Stack { pulls, outcome });
        assert!(
            self.running.len() <= self.setting.workers as usize,
            "{} tests at once for {} workers",
            self.running.len(),
            self.setting.workers
        );
        self.started.push(self.now);
        self.schedule(self.now + takes, What::End(test));
        test
    }

    pub fn cancel(&mut self, test: Test) {
        self.running.remove(&test);
    }

    pub fn wake_at(&mut self, at: f64) {
        self.schedule(at.max(self.now), What::Wake);
    }

    pub fn land(&mut self, pulls: &[Pull]) {
        assert!(self.is_sound(pulls), "{pulls:?} would break the target");
        for pull in pulls {
            self.ends[*pull] = End::Landed { at: self.now };
        }
    }

    pub fn eject(&mut self, pull: Pull) {
        let fault = if self.is_sound(&[pull]) { Fault::Innocent } else { Fault::Guilty };
        self.ends[pull] = End::Ejected { at: self.now, fault };
    }

    /// For whoever knows what is under way.
    pub fn eject_as_guilty(&mut self, pull: Pull) {
        self.ends[pull] = End::Ejected { at: self.now, fault: Fault::Guilty };
    }

    /// The truth about the target with these on top.
    #[must_use]
    pub fn is_sound(&self, pulls: &[Pull]) -> bool {
        pulls.iter().all(|pull| {
            self.arrivals[*pull].quality == Quality::Good
                && !self.conflicts[*pull].iter().any(|other| {
                    matches!(self.ends[*other], End::Landed { .. }) || pulls.contains(other)
                })
        })
    }

    #[must_use]
    pub fn source(&self, pull: Pull) -> Source {
        self.arrivals[pull].source
    }

    #[must_use]
    pub fn free(&self) -> usize {
        (self.setting.workers as usize).saturating_sub(self.running.len())
    }
}
