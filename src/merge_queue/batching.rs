//! How many entries share a slot, and when a slot is opened.

#[cfg(any(test, feature = "simulation"))]
use super::bugs::{Bug, planted};
use super::{
    chance::Chance,
    config::Speculation,
    entry::{Entry, Phase, Standing},
    gate::Mode,
    id::EntryId,
    order::{Landable, Place, place},
    pull::{Origin, Priority},
    queue::{MergeQueue, Outbox, Slot},
};
use crate::{id::CampaignId, names::PullNumber, time::Timestamp};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// The line at one moment: who may go next, in order.
#[derive(Debug, Default)]
pub(super) struct Line {
    waiting: Vec<Place>,
    taken: usize,
}

impl Line {
    pub(super) fn len(&self) -> usize {
        self.waiting.len() - self.taken
    }

    pub(super) fn next_place(&self) -> Option<&Place> {
        self.waiting.get(self.taken)
    }

    fn next(&self) -> Option<EntryId> {
        self.next_place().map(|place| place.4)
    }

    /// Whether those who wait may also land.
    pub(super) fn landable(&self) -> Option<Landable> {
        self.next_place().map(|place| place.0)
    }
}

/// Full batches only when there are more entries than workers to test them singly.
pub(super) fn batch_size(waiting: usize, free: usize, batch_max: u32) -> usize {
    waiting.div_ceil(free.max(1)).clamp(1, batch_max as usize)
}

/// A slot that is needed at least as probably as not is opened beyond the window.
const LIKELY: Chance = Chance::percent(50);

/// For how many slots the workers suffice: each wants one test, and some more for every slot
/// ahead of it that may fail.
pub(super) fn window(workers: u32, fails: Chance) -> usize {
    let wanted = |slots: u64| {
        let bets = slots * slots * u64::from(fails.in_parts_per_million()) * BETS_PERCENT;
        slots + bets / 100_000_000
    };
    let fits = (1..=u64::from(workers)).take_while(|slots| wanted(*slots) <= u64::from(workers));
    fits.count().max(1)
}

/// The further tests of a slot for each one ahead of it and for a failure that is certain.
const BETS_PERCENT: u64 = 205;

impl MergeQueue {
    /// Everybody who waits, in the order of being served.
    pub(super) fn whole_line(&self) -> Vec<EntryId> {
        self.places(|_| true).into_iter().map(|(.., id)| id).collect()
    }

    fn places(&self, counts: impl Fn(&Entry) -> bool) -> Vec<Place> {
        let mut places: Vec<_> = self
            .entries
            .values()
            .filter(|entry| matches!(entry.phase, Phase::Queued { .. }) && counts(entry))
            .map(|entry| self.place_of(entry))
            .collect();
        places.sort_unstable();
        #[cfg(any(test, feature = "simulation"))]
        if planted(Bug::DecideByHiddenState) && !places.is_empty() {
            let by = usize::try_from(super::bugs::planting::hidden()).unwrap_or(0);
            let by = by % places.len();
            places.rotate_left(by);
        }
        places
    }

    pub(super) fn place_of(&self, entry: &Entry) -> Place {
        let landable = match self.gate.freeze_of(entry, self.now) {
            None => Landable::Now,
            Some(_) => Landable::Later,
        };
        place(entry, landable, self.config.ageing, self.now)
    }

    /// Everybody who may be tested now, in the order of being served.
    pub(super) fn line(&self) -> Line {
        if self.gate.mode != Mode::Open {
            return Line::default();
        }
        let mut in_flight = self.campaigns_in_flight();
        let places = self.places(|entry| {
            self.gate.may_test(entry, self.now) && self.clashing_with(entry).is_none()
        });
        let mut waiting: Vec<_> = places
            .into_iter()
            .filter(|place| self.campaign_lets_pass(place.4, &mut in_flight))
            .collect();
        // Frozen entries are tested when nobody who may land waits.
        let first = waiting.first().map(|place| place.0);
        waiting.retain(|place| Some(place.0) == first);
        Line { waiting, taken: 0 }
    }

    /// Whoever is ahead, and does not merge with the entry.
    pub(super) fn clashing_with(&self, entry: &Entry) -> Option<PullNumber> {
        let is_ahead = |pull: &&PullNumber| {
            let other = self.by_pull.get(pull).and_then(|id| self.entries.get(id));
            other.is_some_and(|it| {
                matches!(it.phase, Phase::InPipeline { .. } | Phase::Landing { .. })
            })
        };
        entry.record.clashes.iter().find(is_ahead).copied()
    }

    /// Opens a slot at the end of the pipeline; `free` candidates may still be started.
    pub(super) fn open_slot(
        &mut self,
        line: &mut Line,
        free: usize,
        worth: Chance,
        speculation: Speculation,
        out: &mut Outbox,
    ) -> Opened {
        let Some(first) = line.next() else { return Opened::NobodyWaits };
        let room = self.window().saturating_sub(self.undecided_slots());
        if room == 0 && worth < LIKELY {
            return Opened::NobodyWaits;
        }
        let slots = if self.estimates.is_quiet() { 1 } else { room.clamp(1, free) };
        let size = batch_size(line.len(), slots, speculation.batch_max);
        if let Some(until) = self.patient_until(first, line.len(), speculation) {
            return Opened::NotBefore(until);
        }
        let mut members = vec![first];
        line.taken += 1;
        while members.len() < size
            && let Some(next) = line.next()
            && members.iter().all(|member| self.may_share(*member, next))
        {
            members.push(next);
            line.taken += 1;
        }
        let id = self.next_id();
        for member in &members {
            self.set_phase(*member, Phase::InPipeline { slot: id }, out);
        }
        self.slots.push(Slot { id, members });
        Opened::Slot
    }

    fn is_patient(&self, entry: &Entry) -> bool {
        self.estimates.is_quiet() && entry.priority != Priority::Critical
    }

    fn window(&self) -> usize {
        window(self.config.workers, self.estimates.fails)
    }

    /// The slots of the pipeline on which a test is going on.
    fn undecided_slots(&self) -> usize {
        let tested: BTreeSet<_> = self
            .candidates
            .values()
            .filter(|it| it.is_in_pipeline_tests())
            .filter_map(|it| it.slot())
            .collect();
        tested.len()
    }

    /// Until when an entry waits for company: behind a test, while the queue is quiet. Then what
    /// a batch saves counts for more than the wait of the few who do not find it idle.
    fn patient_until(
        &self,
        first: EntryId,
        waiting: usize,
        speculation: Speculation,
    ) -> Option<Timestamp> {
        let entry = self.entries.get(&first)?;
        let Phase::Queued { since } = entry.phase else { return None };
        let is_idle = self.undecided_slots() == 0;
        let is_full = waiting >= speculation.batch_max as usize;
        if is_idle || is_full || !self.is_patient(entry) {
            return None;
        }
        let typical = self.estimates.typical()?.as_millis();
        let share = u128::from(speculation.patience.in_parts_per_million());
        let millis = u64::try_from(typical * share / 1_000_000).ok()?;
        let until = since + Duration::from_millis(millis);
        (self.now < until).then_some(until)
    }

    /// Entries that need a test of their own share no slot; people share none with campaigns, nor
    /// what is critical with what is not, so that nobody waits for less urgent company.
    fn may_share(&self, first: EntryId, next: EntryId) -> bool {
        let (Some(first), Some(next)) = (self.entries.get(&first), self.entries.get(&next)) else {
            return false;
        };
        let goes_alone = |entry: &Entry| match entry.record.standing {
            Standing::Untested => self.is_canary(entry),
            Standing::Cleared => false,
            Standing::Apart => true,
        };
        let kind = |entry: &Entry| {
            let is_critical = entry.priority == Priority::Critical;
            (matches!(entry.origin, Origin::Person), is_critical, entry.record.standing)
        };
        !first.record.failed_with.contains(&next.number())
            && !goes_alone(first)
            && !goes_alone(next)
            && kind(first) == kind(next)
    }

    fn campaigns_in_flight(&self) -> BTreeMap<CampaignId, u32> {
        let mut in_flight = BTreeMap::new();
        for entry in self.entries.values().filter(|entry| entry.is_in_flight()) {
            if let Origin::Campaign(campaign) = entry.origin {
                *in_flight.entry(campaign).or_insert(0) += 1;
            }
        }
        in_flight
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opened {
    Slot,
    NobodyWaits,
    NotBefore(Timestamp),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_grow_with_the_line_and_shrink_with_free_workers() {
        let rows = [
            ((1, 8), 1),
            ((8, 8), 1),
            ((9, 8), 2),
            ((40, 8), 4),
            ((3, 1), 3),
            ((100, 0), 4),
            ((0, 4), 1),
        ];
        for ((waiting, free), expected) in rows {
            assert_eq!(batch_size(waiting, free, 4), expected, "{waiting} wait, {free} free");
        }
    }
}
