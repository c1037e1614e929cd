//! Somebody wants to know whether a pull request passes; it does not land.

use super::{
    candidate::{Base, Purpose, Stage},
    effect::Refusal,
    entry::Tried,
    gate::Mode,
    id::{CandidateId, EntryId},
    pull::Authorisation,
    queue::{MergeQueue, Outbox},
};

impl MergeQueue {
    pub(super) fn want_try(&mut self, id: EntryId) -> Result<(), Refusal> {
        let Some(entry) = self.entries.get(&id) else { return Ok(()) };
        if self.authorisation(entry) == Authorisation::Unauthorised {
            return self.not_now(id, "tried", "a maintainer has to authorise its commit first");
        }
        if self.is_landing(id) {
            return self.not_now(id, "tried", "its landing is under way");
        }
        let is_going = self.candidates.values().any(|it| it.purpose == Purpose::Try(id));
        if is_going || !self.tries.insert(id) {
            return self.not_now(id, "tried", "it is being tried already");
        }
        Ok(())
    }

    /// Tries take what workers the landing of others leaves.
    pub(super) fn start_tries(&mut self, out: &mut Outbox) {
        if self.gate.mode != Mode::Open {
            return;
        }
        for _ in 0..self.free_workers() {
            let Some(id) = self.tries.pop_first() else { return };
            let base = Base::Target(self.tip.commit.clone());
            self.plan_candidate(base, &[id], Purpose::Try(id), out);
        }
    }

    pub(super) fn close_try(&mut self, id: CandidateId, entry: EntryId, out: &mut Outbox) {
        let tried = match self.candidates.get(&id).map(|it| &it.stage) {
            Some(Stage::Passed { run, .. }) => Tried::Passed(*run),
            Some(Stage::Failed { run }) => Tried::Failed(*run),
            Some(
                Stage::Planned | Stage::Building { .. } | Stage::Built(_) | Stage::Testing { .. },
            )
            | None => return,
        };
        self.drop_candidate(id, out);
        self.note_tried(entry, tried, out);
    }

    pub(super) fn note_tried(&mut self, id: EntryId, tried: Tried, out: &mut Outbox) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.record.tried = Some(tried);
            out.touched.insert(id);
        }
    }
}
