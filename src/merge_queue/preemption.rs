//! Critical entries may go before what is being tested, if the configuration says so.

use super::{
    chance::Chance,
    config::Preemption,
    id::EntryId,
    order::{Landable, Place},
    pull::Priority,
    queue::{MergeQueue, Outbox, Slot},
};

/// A head of the pipeline that needs no more than this share of a test goes on.
const SPARED: Chance = Chance::percent(25);

impl MergeQueue {
    /// Takes the pipeline apart in front of a critical entry that is next in line.
    pub(super) fn preempt(&mut self, out: &mut Outbox) {
        match self.config.preemption {
            Preemption::Never => return,
            Preemption::ForCritical => (),
        }
        let is_next = |place: &Place| place.0 == Landable::Now && self.is_critical(place.4);
        if !self.line().next_place().is_some_and(is_next) {
            return;
        }
        let stays = |(at, slot): (usize, &Slot)| {
            slot.members.iter().any(|id| self.is_critical(*id))
                || (at == 0 && self.is_nearly_done(slot))
        };
        let kept = self.slots.iter().enumerate().take_while(|it| stays(*it)).count();
        let behind = self.slots[kept..].iter().flat_map(|slot| &slot.members).copied();
        for id in behind.filter(|id| !self.is_critical(*id)).collect::<Vec<_>>() {
            self.recall(id, out);
            self.requeue(id, out);
        }
    }

    fn is_critical(&self, id: EntryId) -> bool {
        self.entries.get(&id).is_some_and(|entry| entry.priority == Priority::Critical)
    }

    fn is_nearly_done(&self, slot: &Slot) -> bool {
        self.hopeful(slot.id).is_some_and(|candidate| self.remaining(candidate.id) <= SPARED)
    }
}
