//! When the machinery breaks with one candidate and not with others, that is nobody's fault, but
//! it may not stop the others for ever.
//!
//! A candidate gets so many tries. Then its entries go to the isolation lane, where each is tested
//! alone when nobody else wants a worker; with whom the machinery breaks there once more, though
//! it worked for others in the meantime, is put aside for people to look at.

use super::{
    bugs::{Bug, planted},
    candidate::{Purpose, Stage},
    entry::{Hold, Phase, Tried},
    id::{CandidateId, EntryId},
    queue::{MergeQueue, Outbox},
};

/// The breakdowns of one candidate before it is given up.
const BREAKDOWNS_MAX: u32 = 4;

impl MergeQueue {
    /// The machinery broke while it built or tested this candidate.
    pub(super) fn note_breakdown(&mut self, id: CandidateId, out: &mut Outbox) {
        self.outage.note_breakdown(self.now);
        let Some(candidate) = self.candidates.get_mut(&id) else { return };
        candidate.breakdowns += 1;
        if candidate.breakdowns < BREAKDOWNS_MAX || planted(Bug::NeverGiveUp) {
            return;
        }
        match candidate.purpose {
            Purpose::Pipeline(slot) => {
                let found = self.slots.iter().position(|it| it.id == slot);
                let members = found.map_or(vec![], |at| self.slots.remove(at).members);
                self.drop_all(|candidate| candidate.slot() == Some(slot), out);
                for member in members {
                    self.note_broken(member);
                    self.suspect(member, out);
                }
            }
            Purpose::Isolation(entry) => self.give_up(id, entry, out),
            Purpose::Try(entry) => {
                self.drop_candidate(id, out);
                self.note_tried(entry, Tried::Broken, out);
            }
            Purpose::Serial(entry) => self.give_up_serial(id, entry, out),
        }
    }

    fn note_broken(&mut self, id: EntryId) {
        let verdicts = self.outage.verdicts;
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.record.broke_at.get_or_insert(verdicts);
        }
    }

    fn give_up(&mut self, id: CandidateId, entry: EntryId, out: &mut Outbox) {
        self.drop_candidate(id, out);
        if self.breaks_alone(entry) {
            self.set_phase(entry, Phase::Held(Hold::Machinery), out);
        } else {
            self.note_broken(entry);
            self.suspect(entry, out);
        }
    }

    /// The serial policy has no lane: the entry is pending again, and may be drawn once more.
    fn give_up_serial(&mut self, id: CandidateId, entry: EntryId, out: &mut Outbox) {
        self.drop_candidate(id, out);
        if self.breaks_alone(entry) {
            self.set_phase(entry, Phase::Held(Hold::Machinery), out);
        } else {
            self.note_broken(entry);
        }
    }

    /// Whether the machinery broke with this one before, and worked for others since.
    fn breaks_alone(&self, entry: EntryId) -> bool {
        let broke_at = self.entries.get(&entry).and_then(|entry| entry.record.broke_at);
        broke_at.is_some_and(|verdicts| verdicts < self.outage.verdicts)
    }

    /// A test of this one came to a verdict.
    pub(super) fn note_unbroken(&mut self, id: EntryId) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.record.broke_at = None;
        }
    }

    /// Builds what the machinery could not build before.
    pub(super) fn build_again(&mut self, out: &mut Outbox) {
        if self.outage.lasts(self.now) {
            return;
        }
        let planned = self.candidates.values().filter(|it| it.stage == Stage::Planned);
        for id in planned.map(|it| it.id).collect::<Vec<_>>() {
            self.build_if_based(id, out);
        }
    }
}
