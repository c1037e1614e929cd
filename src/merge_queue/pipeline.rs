//! The pipeline: which candidates are worth a worker?
//!
//! Slots stand in a line, and each candidate of a slot bets on how the slots ahead of it end:
//! its base is the candidate of one of them, which is to pass, and those between are to fail.
//! A candidate is needed as probably as its bet comes true. Workers go to the candidates that
//! are needed most probably, which is what decides how deep the pipeline reaches and when it
//! pays to prepare for a failure.

use super::{
    batching::{Line, Opened},
    bugs::{Bug, planted},
    candidate::{Base, Candidate, Purpose, Stage},
    chance::Chance,
    config::Speculation,
    entry::Standing,
    id::{CandidateId, EntryId, SlotId},
    queue::{MergeQueue, Outbox},
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

/// One way in which the slots ahead may end: everything up to `base` has passed, and the slots
/// between that and `slot` have failed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    /// What decides who gets a worker: how probable the way is, and what it saves to start now.
    worth: Chance,
    slot: Reverse<usize>,
    base: Base,
    needed: Chance,
    /// The share of a test by which this start is earlier than one that waits until the
    /// failures it bets on have been seen.
    saves: Chance,
}

impl Way {
    fn new(needed: Chance, saves: Chance, slot: usize, base: Base) -> Self {
        Self { worth: needed.and(saves), slot: Reverse(slot), base, needed, saves }
    }
}

/// The ways that are looked at in one step, for each worker and beyond.
const WAYS_PER_WORKER: usize = 8;

/// What a test that has just started still needs.
const ALMOST_ALL: Chance = Chance::percent(99);
/// Nobody knows how long an overdue test goes on.
const REMAINING_MIN: Chance = Chance::percent(10);

/// That a slot passes which has failed on another base: more likely than not it will not.
const AFTER_FAILURE: Chance = Chance::percent(40);

/// A line of a quarter of the workers is usual; only what is longer makes tests worth more.
const USUAL_LINE: u64 = 4;

/// What a test has to be worth: the less, the more entries wait in line. They all gain by it, and
/// a queue that falls behind with idle workers serves nobody.
fn worth_wanted(worth_min: Chance, waiting: usize, workers: u32) -> Chance {
    let workers = u64::from(workers);
    let excess = (waiting as u64).saturating_sub(workers / USUAL_LINE);
    worth_min.and(Chance::ratio(workers, workers + excess))
}

/// The candidates of each slot by what they stand on.
type Table = BTreeMap<(SlotId, Base), CandidateId>;

impl MergeQueue {
    /// Brings the pipeline in line with what is known: lands, blames, and drops what no longer
    /// matters.
    pub(super) fn settle(&mut self, speculation: Speculation, out: &mut Outbox) {
        self.prune(out);
        self.break_failed(speculation, out);
        self.prune(out);
        self.land_prefix(out);
        self.prune(out);
    }

    /// Drops candidates of the pipeline whose bet is lost.
    pub(super) fn prune(&mut self, out: &mut Outbox) {
        let order: BTreeMap<_, _> =
            self.slots.iter().enumerate().map(|(at, slot)| (slot.id, at)).collect();
        let anchor = self.anchor();
        let mut at_of_valid: BTreeMap<CandidateId, usize> = BTreeMap::new();
        let mut doomed = Vec::new();
        let first_pass = self.first_passes(&order);
        for candidate in self.candidates.values() {
            let Some(slot) = candidate.slot() else { continue };
            let at = order.get(&slot).copied();
            let base_at = match &candidate.base {
                base if *base == anchor => Some(None),
                Base::Candidate(base) => at_of_valid.get(base).map(|at| Some(*at)),
                Base::Target(_) if planted(Bug::LandWithoutComparingBase) => Some(None),
                Base::Target(_) => None,
            };
            let is_valid = match (at, base_at) {
                (Some(at), Some(base_at)) => {
                    base_at.is_none_or(|base_at| base_at < at)
                        && first_pass.get(&candidate.base).is_none_or(|first| at <= *first)
                }
                _ => false,
            };
            match at {
                Some(at) if is_valid => {
                    // Nothing may stand on what has failed.
                    if !matches!(candidate.stage, Stage::Failed { .. }) {
                        at_of_valid.insert(candidate.id, at);
                    }
                }
                _ => doomed.push(candidate.id),
            }
        }
        for id in doomed {
            self.drop_candidate(id, out);
        }
    }

    /// For each base the first slot that has passed on it: nothing may bet on its failure.
    fn first_passes(&self, order: &BTreeMap<SlotId, usize>) -> BTreeMap<Base, usize> {
        let mut first = BTreeMap::new();
        for candidate in self.candidates.values() {
            if let (Stage::Passed { .. }, Some(slot)) = (&candidate.stage, candidate.slot())
                && let Some(at) = order.get(&slot)
            {
                let known = first.entry(candidate.base.clone()).or_insert(*at);
                *known = (*known).min(*at);
            }
        }
        first
    }

    /// Gives the free workers to the tests that are needed most probably.
    pub(super) fn speculate(&mut self, speculation: Speculation, out: &mut Outbox) {
        let mut free = self.free_workers();
        if free == 0 || matches!(self.gate.mode, super::gate::Mode::Halted(_)) {
            return;
        }
        let mut line = self.line();
        let mut suspects = self.waiting_suspects();
        let mut table = self.table();
        let first = Way::new(Chance::SURE, Chance::SURE, 0, self.anchor());
        let mut ways = BinaryHeap::from([first]);
        let worth_min = worth_wanted(speculation.worth_min, line.len(), self.config.workers);
        let mut looks = WAYS_PER_WORKER * (self.config.workers as usize + 8);
        while free > 0
            && looks > 0
            && let Some(way) = ways.pop()
        {
            looks -= 1;
            if way.worth < worth_min {
                break;
            }
            let is_end = way.slot.0 >= self.slots.len();
            if way.worth < speculation.before_lane {
                free = self.isolate_up_to(free, || suspects.next(), out);
            } else if is_end {
                free = self.isolate_up_to(free, || suspects.next_before(line.next_place()), out);
            }
            if free == 0 || (is_end && !self.extend(&mut line, free, way.worth, speculation, out)) {
                continue;
            }
            free -= self.follow(way, &mut table, &mut ways, out);
        }
        self.isolate_up_to(free, || suspects.next_of_all(), out);
    }

    fn table(&self) -> Table {
        let in_pipeline = self.candidates.values().filter_map(|it| Some((it.slot()?, it)));
        in_pipeline.map(|(slot, it)| ((slot, it.base.clone()), it.id)).collect()
    }

    fn isolate_up_to(
        &mut self,
        free: usize,
        mut next: impl FnMut() -> Option<EntryId>,
        out: &mut Outbox,
    ) -> usize {
        for left in (1..=free).rev() {
            let Some(id) = next() else { return left };
            self.isolate(id, out);
        }
        0
    }

    fn extend(
        &mut self,
        line: &mut Line,
        free: usize,
        worth: Chance,
        speculation: Speculation,
        out: &mut Outbox,
    ) -> bool {
        match self.open_slot(line, free, worth, speculation, out) {
            Opened::Slot => true,
            Opened::NobodyWaits => false,
            Opened::NotBefore(until) => {
                self.ask_for_tick_at(until, out);
                false
            }
        }
    }

    /// Looks at the candidate that this way needs, plans it where it is missing, and adds the
    /// ways that go on from there. Returns how many workers that took.
    fn follow(
        &mut self,
        way: Way,
        table: &mut Table,
        ways: &mut BinaryHeap<Way>,
        out: &mut Outbox,
    ) -> usize {
        let Way { slot: Reverse(at), base, needed, saves, .. } = way;
        let Some(slot) = self.slots.get(at) else { return 0 };
        let (slot_id, members) = (slot.id, slot.members.clone());
        let passes = self.passes_given_others(slot_id, &members);
        let found = table.get(&(slot_id, base.clone())).copied();
        let (id, taken) = match found {
            Some(id) => (id, 0),
            None => {
                let purpose = Purpose::Pipeline(slot_id);
                let Some(id) = self.plan_candidate(base.clone(), &members, purpose, out) else {
                    return 0;
                };
                table.insert((slot_id, base.clone()), id);
                (id, 1)
            }
        };
        match self.candidates.get(&id).map(|it| &it.stage) {
            Some(Stage::Passed { .. }) => {
                ways.push(Way::new(needed, saves, at + 1, Base::Candidate(id)));
            }
            Some(Stage::Failed { .. }) | None => ways.push(Way::new(needed, saves, at + 1, base)),
            Some(
                Stage::Planned | Stage::Building { .. } | Stage::Built(_) | Stage::Testing { .. },
            ) => {
                let (passed, failed) = (needed.and(passes), needed.and(passes.not()));
                let lasts = self.remaining(id);
                let saves_then = if saves == Chance::SURE { lasts } else { saves.max(lasts) };
                ways.push(Way::new(passed, saves, at + 1, Base::Candidate(id)));
                ways.push(Way::new(failed, saves_then, at + 1, base));
            }
        }
        taken
    }

    /// The share of a typical test that a candidate still needs, as far as is known.
    pub(super) fn remaining(&self, id: CandidateId) -> Chance {
        let run = match self.candidates.get(&id).map(|it| &it.stage) {
            Some(Stage::Testing { run, .. }) => self.runs.get(run),
            Some(
                Stage::Planned
                | Stage::Building { .. }
                | Stage::Built(_)
                | Stage::Passed { .. }
                | Stage::Failed { .. },
            )
            | None => None,
        };
        let (Some(running), Some(typical)) = (run, self.estimates.typical_millis) else {
            return ALMOST_ALL;
        };
        let passed = self.now.since(running.since).as_millis();
        let passed = u64::try_from(passed).unwrap_or(u64::MAX);
        Chance::ratio(passed, typical).not().clamp(REMAINING_MIN, ALMOST_ALL)
    }

    /// What the slot's tests on other bases say about this one.
    fn passes_given_others(&self, slot: SlotId, members: &[EntryId]) -> Chance {
        let of_slot = self.candidates.values().filter(|it| it.slot() == Some(slot));
        let passes = self.passes_together(members);
        of_slot.fold(passes, |passes, other| match other.stage {
            Stage::Passed { .. } => self.estimates.passes(Standing::Cleared),
            Stage::Failed { .. } => passes.min(AFTER_FAILURE),
            Stage::Planned | Stage::Building { .. } | Stage::Built(_) | Stage::Testing { .. } => {
                passes
            }
        })
    }

    fn passes_together(&self, members: &[EntryId]) -> Chance {
        members
            .iter()
            .filter_map(|id| self.entries.get(id))
            .map(|entry| self.estimates.passes(entry.record.standing))
            .fold(Chance::SURE, Chance::and)
    }
}

impl Candidate {
    pub(super) fn is_in_pipeline_tests(&self) -> bool {
        self.slot().is_some() && self.is_undecided()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_the_line_the_less_a_test_has_to_be_worth() {
        let rows = [(0, 16, 12), (4, 16, 12), (20, 16, 6), (52, 16, 3), (0, 1, 12), (1, 1, 6)];
        for (waiting, workers, percent) in rows {
            let wanted = worth_wanted(Chance::percent(12), waiting, workers);
            assert_eq!(wanted, Chance::percent(percent), "{waiting} wait for {workers} workers");
        }
    }
}
