//! The lane beside the pipeline: who broke it? Each suspect is tested alone on the target.
//!
//! A suspect that passes is cleared: it goes back to the front of the line, and by itself. One
//! that fails is tested again; the runs of the same commit add up until they eject it.

use super::{
    bugs::{Bug, planted},
    campaign::Outcome,
    candidate::{Base, Purpose, Stage},
    config::{Policy, Speculation},
    entry::{Entry, Isolation, Phase, Standing},
    evidence::convict,
    id::{CandidateId, EntryId, RunId},
    order::Place,
    queue::{MergeQueue, Outbox, Slot},
};
use std::collections::{BTreeSet, VecDeque};

impl MergeQueue {
    pub(super) fn suspect(&mut self, id: EntryId, out: &mut Outbox) {
        self.set_phase(id, Phase::Suspect(Isolation::Waiting), out);
    }

    pub(super) fn suspect_together(&mut self, members: &[EntryId], out: &mut Outbox) {
        let pulls: BTreeSet<_> =
            members.iter().filter_map(|id| self.entries.get(id)).map(Entry::number).collect();
        for id in members {
            if let Some(entry) = self.entries.get_mut(id) {
                entry.record.failed_with.extend(&pulls);
            }
            self.suspect(*id, out);
        }
    }

    /// A run that tested this entry alone has failed.
    pub(super) fn convict_entry(
        &mut self,
        id: EntryId,
        run: RunId,
        speculation: Speculation,
        out: &mut Outbox,
    ) {
        let enough = self.estimates.failures_to_eject(speculation.ejection);
        let Some(entry) = self.entries.get_mut(&id) else { return };
        match convict(&mut entry.record, run, enough) {
            Some(exit) => {
                self.count_for_campaign(id, Outcome::Failed);
                self.set_phase(id, Phase::Ejected(exit), out);
            }
            None if planted(Bug::ForgetSuspect) => (),
            None => self.suspect(id, out),
        }
    }

    pub(super) fn close_isolation(&mut self, id: CandidateId, entry: EntryId, out: &mut Outbox) {
        let Policy::Speculative(speculation) = self.config.policy else { return };
        let Some(candidate) = self.candidates.get(&id) else { return };
        match candidate.stage {
            Stage::Failed { run } => {
                self.drop_candidate(id, out);
                if let Some(entry) = self.entries.get_mut(&entry) {
                    entry.record.failures_in_lane += 1;
                    entry.record.broke_at = None;
                }
                self.convict_entry(entry, run, speculation, out);
            }
            Stage::Passed { .. } => {
                self.clear(entry);
                if self.can_land_at_once(&candidate_base(self, id), entry) {
                    self.promote(id, entry, out);
                } else {
                    self.drop_candidate(id, out);
                    self.requeue(entry, out);
                }
            }
            Stage::Planned | Stage::Building { .. } | Stage::Built(_) | Stage::Testing { .. } => (),
        }
    }

    fn clear(&mut self, id: EntryId) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.record.standing = Standing::Cleared;
            entry.record.broke_at = None;
            entry.record.failures.clear();
            entry.record.landed_since.clear();
            self.estimates.note_flakes(std::mem::take(&mut entry.record.failures_in_lane));
        }
    }

    /// A passing isolation run is a landable candidate while its base is the target and nothing
    /// in the pipeline would have to start over for it.
    fn can_land_at_once(&self, base: &Base, entry: EntryId) -> bool {
        self.slots.is_empty()
            && self.landing.is_none()
            && *base == Base::Target(self.tip.commit.clone())
            && !self.is_frozen(entry)
    }

    fn promote(&mut self, id: CandidateId, entry: EntryId, out: &mut Outbox) {
        let slot = self.next_id();
        self.slots.push(Slot { id: slot, members: vec![entry] });
        if let Some(candidate) = self.candidates.get_mut(&id) {
            candidate.purpose = Purpose::Pipeline(slot);
        }
        self.set_phase(entry, Phase::InPipeline { slot }, out);
    }

    /// Suspects that wait for a test, in the order of being served.
    pub(super) fn waiting_suspects(&self) -> Suspects {
        let waiting = self.entries.values().filter(|entry| {
            entry.phase == Phase::Suspect(Isolation::Waiting) && self.gate.may_test(entry, self.now)
        });
        let (broken, sound): (Vec<_>, Vec<_>) =
            waiting.partition(|entry| entry.record.broke_at.is_some());
        let places = |entries: Vec<&Entry>| {
            let mut places: Vec<_> = entries.into_iter().map(|it| self.place_of(it)).collect();
            places.sort_unstable();
            places.into()
        };
        Suspects { sound: places(sound), broken: places(broken) }
    }

    pub(super) fn isolate(&mut self, id: EntryId, out: &mut Outbox) {
        let base = Base::Target(self.tip.commit.clone());
        if let Some(candidate) = self.plan_candidate(base, &[id], Purpose::Isolation(id), out) {
            self.set_phase(id, Phase::Suspect(Isolation::Testing { candidate }), out);
        }
    }

    /// The target is another one now: what the lane is testing is tested anew.
    pub(super) fn release_suspects(&mut self, out: &mut Outbox) {
        self.drop_all(|candidate| matches!(candidate.purpose, Purpose::Isolation(_)), out);
        let suspects: Vec<_> = self
            .entries
            .values()
            .filter(|entry| matches!(entry.phase, Phase::Suspect(Isolation::Testing { .. })))
            .map(|entry| entry.id)
            .collect();
        for id in suspects {
            self.suspect(id, out);
        }
    }
}

/// Who waits for the isolation lane.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    sound: VecDeque<Place>,
    /// The machinery broke with these: they wait until nobody else wants a worker, since each of
    /// them may cost all workers.
    broken: VecDeque<Place>,
}

impl Suspects {
    /// The next one that is served before this place in line.
    pub(super) fn next_before(&mut self, place: Option<&Place>) -> Option<EntryId> {
        let is_first = |it: &mut Place| place.is_none_or(|place| *it < *place);
        self.sound.pop_front_if(is_first).map(|place| place.4)
    }

    pub(super) fn next(&mut self) -> Option<EntryId> {
        self.sound.pop_front().map(|place| place.4)
    }

    pub(super) fn next_of_all(&mut self) -> Option<EntryId> {
        self.next().or_else(|| self.broken.pop_front().map(|place| place.4))
    }
}

fn candidate_base(queue: &MergeQueue, id: CandidateId) -> Base {
    queue.candidates.get(&id).map_or_else(|| queue.anchor(), |it| it.base.clone())
}
