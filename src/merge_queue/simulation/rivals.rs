//! The other ways to run a queue, as far as their documents say how they decide.

use super::lab::{Contender, Lab, Outcome, Pull, Test};
use std::collections::{BTreeMap, VecDeque};

/// Every pull request is tested on top of all ahead of it; a failure restarts what is behind,
/// and ejects without a second look.
pub struct Prefix {
    items: Vec<Item>,
    window: Window,
}

#[derive(Clone, Copy, Debug)]
pub enum Window {
    Fixed(usize),
    /// One more for each merge, half for each failure.
    Adaptive(usize),
}

#[derive(Clone, Copy, Debug)]
struct Item {
    pull: Pull,
    stage: ItemStage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ItemStage {
    Waiting,
    Testing(Test),
    Passed,
    Failed,
}

const ADAPTIVE_MIN: usize = 3;
const ADAPTIVE_MAX: usize = 20;

impl Prefix {
    #[must_use]
    pub fn new(window: Window) -> Self {
        Self { items: vec![], window }
    }

    fn size(&self) -> usize {
        match self.window {
            Window::Fixed(size) | Window::Adaptive(size) => size,
        }
    }

    fn plan(&mut self, lab: &mut Lab) {
        while let Some(head) = self.items.first() {
            match head.stage {
                ItemStage::Passed => lab.land(&[head.pull]),
                ItemStage::Failed => lab.eject(head.pull),
                ItemStage::Waiting | ItemStage::Testing(_) => break,
            }
            let landed = head.stage == ItemStage::Passed;
            self.items.remove(0);
            if let Window::Adaptive(size) = &mut self.window {
                *size = if landed { *size + 1 } else { *size / 2 };
                *size = (*size).clamp(ADAPTIVE_MIN, ADAPTIVE_MAX);
            }
        }
        let mut stack = vec![];
        for index in 0..self.items.len().min(self.size()) {
            let item = self.items[index];
            if item.stage == ItemStage::Failed {
                continue;
            }
            stack.push(item.pull);
            if item.stage == ItemStage::Waiting && lab.free() > 0 {
                self.items[index].stage = ItemStage::Testing(lab.start(stack.clone()));
            }
        }
    }
}

impl Contender for Prefix {
    fn arrive(&mut self, pull: Pull, lab: &mut Lab) {
        self.items.push(Item { pull, stage: ItemStage::Waiting });
        self.plan(lab);
    }

    fn finish(&mut self, test: Test, outcome: Outcome, lab: &mut Lab) {
        let is_it = |item: &Item| item.stage == ItemStage::Testing(test);
        let Some(at) = self.items.iter().position(is_it) else { return };
        match outcome {
            Outcome::Passed => self.items[at].stage = ItemStage::Passed,
            Outcome::Failed => {
                self.items[at].stage = ItemStage::Failed;
                for item in &mut self.items[at + 1..] {
                    if let ItemStage::Testing(test) = item.stage {
                        lab.cancel(test);
                    }
                    item.stage = ItemStage::Waiting;
                }
            }
        }
        self.plan(lab);
    }

    fn wake(&mut self, _: &mut Lab) {}
}

/// One batch at a time; a failed one is halved, and a single one ejected.
#[derive(Default)]
pub struct Bisecting {
    waiting: VecDeque<Pull>,
    batches: VecDeque<Vec<Pull>>,
    running: Option<(Test, Vec<Pull>)>,
}

const BISECTED_MAX: usize = 8;

impl Bisecting {
    fn plan(&mut self, lab: &mut Lab) {
        if self.running.is_some() {
            return;
        }
        if self.batches.is_empty() && !self.waiting.is_empty() {
            let size = self.waiting.len().min(BISECTED_MAX);
            self.batches.push_back(self.waiting.drain(..size).collect());
        }
        if let Some(batch) = self.batches.pop_front() {
            self.running = Some((lab.start(batch.clone()), batch));
        }
    }
}

impl Contender for Bisecting {
    fn arrive(&mut self, pull: Pull, lab: &mut Lab) {
        self.waiting.push_back(pull);
        self.plan(lab);
    }

    fn finish(&mut self, test: Test, outcome: Outcome, lab: &mut Lab) {
        let Some((_, mut batch)) = self.running.take_if(|(running, _)| *running == test) else {
            return;
        };
        match (outcome, batch.as_slice()) {
            (Outcome::Passed, all) => lab.land(all),
            (Outcome::Failed, [single]) => lab.eject(*single),
            (Outcome::Failed, _) => {
                let upper = batch.split_off(batch.len() / 2);
                self.batches.push_front(upper);
                self.batches.push_front(batch);
            }
        }
        self.plan(lab);
    }

    fn wake(&mut self, _: &mut Lab) {}
}

/// Looks up the truth: tests only what will pass, as soon as there is a worker.
#[derive(Default)]
pub struct Oracle {
    waiting: VecDeque<Pull>,
    running: BTreeMap<Test, Pull>,
}

impl Oracle {
    fn plan(&mut self, lab: &mut Lab) {
        while lab.free() > 0
            && let Some(pull) = self.waiting.pop_front()
        {
            self.running.insert(lab.start(vec![pull]), pull);
        }
    }
}

impl Contender for Oracle {
    fn arrive(&mut self, pull: Pull, lab: &mut Lab) {
        let mut all: Vec<_> = self.running.values().chain(&self.waiting).copied().collect();
        all.push(pull);
        if lab.is_sound(&all) {
            self.waiting.push_back(pull);
        } else {
            lab.eject_as_guilty(pull);
        }
        self.plan(lab);
    }

    fn finish(&mut self, test: Test, _: Outcome, lab: &mut Lab) {
        if let Some(pull) = self.running.remove(&test) {
            lab.land(&[pull]);
        }
        self.plan(lab);
    }

    fn wake(&mut self, _: &mut Lab) {}
}
