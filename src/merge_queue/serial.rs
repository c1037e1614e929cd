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
    entry::Phase,
    gate::Mode,
    id::{EntryId, RunId},
    pull::Authorisation,
    queue::{MergeQueue, Outbox},
};
use crate::names::PullNumber;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct SerialState {
    /// To be tested as soon as there is a worker.
    wanted: BTreeSet<EntryId>,
    draw: Draw,
    draws: u64,
}

/// Whether the one that is tested next has been drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Draw {
    #[default]
    Done,
    Owed,
}

impl SerialState {
    pub(super) fn forget(&mut self, id: EntryId) {
        self.wanted.remove(&id);
    }
}

impl MergeQueue {
    /// E2 and H2.
    pub(super) fn restart_serial(&mut self, id: EntryId, out: &mut Outbox) {
        self.drop_all(|candidate| candidate.purpose == Purpose::Serial(id), out);
        if self.may_be_tested(id) {
            self.serial.wanted.insert(id);
            out.touched.insert(id);
        }
    }

    /// What people put aside, what has failed for good, and what nobody authorised is not tested.
    fn may_be_tested(&self, id: EntryId) -> bool {
        self.entries.get(&id).is_some_and(|entry| {
            entry.phase == Phase::Observed && self.authorisation(entry) == Authorisation::Authorised
        })
    }

    pub(super) fn plan_serial(&mut self, serial: Serial, out: &mut Outbox) {
        self.merge_passed(out);
        if self.landing.is_some() || self.gate.mode != Mode::Open {
            return;
        }
        if self.serial.draw == Draw::Owed && self.serial.wanted.is_empty() {
            self.draw(serial);
        }
        for _ in 0..self.free_workers() {
            let Some(id) = self.serial.wanted.pop_first() else { return };
            let base = Base::Target(self.tip.commit.clone());
            self.plan_candidate(base, &[id], Purpose::Serial(id), out);
        }
    }

    /// E1 and E3, whenever the conditions come to hold.
    fn merge_passed(&mut self, out: &mut Outbox) {
        let passed = self.candidates.values().filter_map(|it| match (&it.stage, it.purpose) {
            (Stage::Passed { .. }, Purpose::Serial(entry)) => Some(entry),
            _ => None,
        });
        for id in passed.collect::<Vec<_>>() {
            self.merge_if_passed(id, out);
        }
    }

    /// The merge sequence, as far as its conditions hold; the end of E1, E3 and H1.
    pub(super) fn merge_if_passed(&mut self, id: EntryId, out: &mut Outbox) {
        let Some(entry) = self.entries.get(&id) else { return };
        let may_land = self.landing.is_none()
            && self.may_move_target()
            && entry.phase == Phase::Observed
            && !self.is_frozen(id)
            && self.missing(entry).is_empty();
        let Some(passed) = self.passed_serial(id).filter(|_| may_land) else { return };
        let (passed, members) = (passed.id, passed.members.clone());
        self.serial.wanted.clear();
        self.drop_all(|candidate| candidate.id != passed, out);
        out.touched.extend(self.living());
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
        match self.config.policy {
            Policy::Speculative(_) => (),
            Policy::Serial(_) => {
                self.drop_all(|candidate| matches!(candidate.purpose, Purpose::Serial(_)), out);
                out.touched.extend(self.living());
                self.serial.wanted.clear();
                self.owe_draw();
            }
        }
    }

    /// The next to be tested is drawn when the step plans, from those who are there then.
    pub(super) fn owe_draw(&mut self) {
        self.serial.draw = Draw::Owed;
    }

    fn draw(&mut self, serial: Serial) {
        let mut open = self.living();
        let has_test = |id| self.candidates.values().any(|it| it.purpose == Purpose::Serial(id));
        open.retain(|id| self.may_be_tested(*id) && !has_test(*id));
        let is_approved =
            |id: &EntryId| self.entries.get(id).is_some_and(|entry| entry.facts.is_approved());
        let approved: Vec<_> = open.iter().copied().filter(is_approved).collect();
        let among = if approved.is_empty() { open } else { approved };
        self.serial.draws = self.serial.draws.wrapping_add(1);
        let drawn = mix(serial.seed ^ mix(self.serial.draws));
        let index = drawn.checked_rem(among.len() as u64).and_then(|it| usize::try_from(it).ok());
        self.serial.wanted.extend(index.and_then(|index| among.get(index)));
        self.serial.draw = Draw::Done;
    }

    /// H3: the test that is going on for each pull request.
    #[must_use]
    pub fn being_tested(&self) -> BTreeMap<PullNumber, RunId> {
        let running = self.candidates.values().filter_map(|candidate| match candidate.stage {
            Stage::Testing { run, .. } => Some((candidate.members.first()?.pull, run)),
            Stage::Planned
            | Stage::Building { .. }
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
