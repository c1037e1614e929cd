//! The serial policy: what Hail's document says, sentence by sentence.
//!
//! - E1 A test ends: its status is set; if it passed and the pull request is approved, merge.
//! - E2 A pull request gets a commit: its tests are cancelled, and a new one starts.
//! - E3 A pull request is reviewed: if it has passed and is approved, merge.
//! - E4 The target gets a commit: every status is pending, every test is cancelled, and one
//!   random approved pull request is tested, or one random one if none is approved.
//! - H1 `try-merge`: if it has passed and is approved, merge.
//! - H2 `retest`: its tests are cancelled, and a new one starts.
//! - H3 to H6: who is being tested, who could merge, who is approved, who has passed.
//!
//! To merge is to set every other status to pending, to cancel every other test, and to land.
//! Beyond the document, the target moves by compare-and-swap, and nothing runs for an
//! unauthorised commit. An entry's status is that of its candidate; without one it is pending.

use super::{
    candidate::{Base, Candidate, Purpose, Stage},
    config::{Policy, Serial},
    gate::Mode,
    id::{CandidateId, EntryId, RunId},
    queue::{MergeQueue, Outbox},
};
use crate::names::PullNumber;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct SerialState {
    /// To be tested as soon as there is a worker.
    wanted: BTreeSet<EntryId>,
    draws: u64,
}

impl SerialState {
    pub(super) fn forget(&mut self, id: EntryId) {
        self.wanted.remove(&id);
    }
}

impl MergeQueue {
    /// E2 and H2.
    pub(super) fn restart_serial(&mut self, id: EntryId, out: &mut Outbox) {
        if self.is_landing(id) {
            return;
        }
        self.drop_all(|candidate| candidate.is_apart_for(id), out);
        self.serial.wanted.insert(id);
        out.touched.insert(id);
    }

    pub(super) fn plan_serial(&mut self, _: Serial, out: &mut Outbox) {
        if self.landing.is_some() || self.gate.mode != Mode::Open {
            return;
        }
        for _ in 0..self.free_workers() {
            let Some(id) = self.serial.wanted.pop_first() else { return };
            let base = Base::Target(self.tip.commit.clone());
            self.plan_candidate(base, &[id], Purpose::Serial(id), out);
        }
    }

    /// E1.
    pub(super) fn close_serial(&mut self, _: CandidateId, entry: EntryId, out: &mut Outbox) {
        self.merge_if_passed(entry, out);
    }

    /// The merge sequence, as far as its conditions hold; the end of E1, E3 and H1.
    pub(super) fn merge_if_passed(&mut self, id: EntryId, out: &mut Outbox) {
        let Some(entry) = self.entries.get(&id) else { return };
        let may_land = self.landing.is_none()
            && !matches!(self.gate.mode, Mode::Halted(_))
            && !self.is_frozen(id)
            && entry.facts.missing(self.authorisation(entry)).is_empty();
        let Some(passed) = self.passed_serial(id) else { return };
        let (passed, members) = (passed.id, passed.members.clone());
        if !may_land {
            return;
        }
        self.serial.wanted.clear();
        self.drop_all(|candidate| candidate.id != passed, out);
        self.touch_all(out);
        self.start_landing(passed, members, out);
    }

    fn passed_serial(&self, id: EntryId) -> Option<&Candidate> {
        let on_target = Base::Target(self.tip.commit.clone());
        self.candidates.values().find(|candidate| {
            candidate.purpose == Purpose::Serial(id)
                && candidate.base == on_target
                && matches!(candidate.stage, Stage::Passed { .. })
        })
    }

    /// E4. The pipeline of the other policy needs nothing here: it prunes itself.
    pub(super) fn after_move(&mut self, out: &mut Outbox) {
        let Policy::Serial(serial) = self.config.policy else { return };
        self.drop_all(|_| true, out);
        self.touch_all(out);
        self.serial.wanted.clear();
        let open: Vec<_> = self.by_pull.values().copied().collect();
        let is_approved =
            |id: &EntryId| self.entries.get(id).is_some_and(|entry| entry.facts.is_approved());
        let approved: Vec<_> = open.iter().copied().filter(is_approved).collect();
        let chosen = if approved.is_empty() { open } else { approved };
        if let Some(id) = self.draw(serial, &chosen) {
            self.serial.wanted.insert(id);
        }
    }

    fn draw(&mut self, serial: Serial, among: &[EntryId]) -> Option<EntryId> {
        self.serial.draws = self.serial.draws.wrapping_add(1);
        let drawn = mix(serial.seed ^ mix(self.serial.draws));
        let index = drawn.checked_rem(among.len() as u64)?;
        among.get(usize::try_from(index).ok()?).copied()
    }

    fn touch_all(&self, out: &mut Outbox) {
        out.touched.extend(self.by_pull.values());
    }

    /// H3: the test that is going on for each pull request.
    #[must_use]
    pub fn being_tested(&self) -> BTreeMap<PullNumber, RunId> {
        let running = self.candidates.values().filter_map(|candidate| match candidate.stage {
            Stage::Testing { run, .. } => Some((candidate.members.first()?.pull, run)),
            Stage::Planned
            | Stage::Building
            | Stage::Built(_)
            | Stage::Passed { .. }
            | Stage::Failed { .. } => None,
        });
        running.collect()
    }

    /// H4: approved and passing.
    #[must_use]
    pub fn ready_for_merge(&self) -> Vec<PullNumber> {
        let passing = self.passing();
        self.approved().into_iter().filter(|pull| passing.contains(pull)).collect()
    }

    /// H5.
    #[must_use]
    pub fn approved(&self) -> Vec<PullNumber> {
        let open = self.by_pull.iter();
        open.filter(|(_, id)| self.entries.get(id).is_some_and(|it| it.facts.is_approved()))
            .map(|(pull, _)| *pull)
            .collect()
    }

    /// H6: passed on the target as it is.
    #[must_use]
    pub fn passing(&self) -> Vec<PullNumber> {
        let open = self.by_pull.iter();
        open.filter(|(_, id)| self.passed_serial(**id).is_some()).map(|(pull, _)| *pull).collect()
    }
}

/// `SplitMix64`'s finaliser: the same on every machine.
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
