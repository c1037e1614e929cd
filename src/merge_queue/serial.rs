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
//!
//! Beyond it, too, E4 holds all the time and not only when the target moves: while an approved
//! pull request is pending, one is in tests, and while any is, anybody. By the letter, a drawn one
//! that fails, passes without an approval, conflicts or is closed would leave all others pending
//! until somebody pushes. Each draw gives one of them a status, so drawing ends.

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
    draws: u64,
}

/// Who is drawn before whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    Approved,
    Pending,
    /// The machinery broke with it, and has worked for nobody since: that of another one shows
    /// whose fault it is.
    Broken,
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
    pub(super) fn may_be_tested(&self, id: EntryId) -> bool {
        self.entries.get(&id).is_some_and(|entry| {
            entry.phase == Phase::Observed && self.authorisation(entry) == Authorisation::Authorised
        })
    }

    pub(super) fn plan_serial(&mut self, serial: Serial, out: &mut Outbox) {
        self.merge_passed(out);
        if self.landing.is_some() || self.gate.mode != Mode::Open {
            return;
        }
        self.draw(serial);
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
            }
        }
    }

    /// Draws one of those who are pending, unless one is on its way with as good a claim.
    fn draw(&mut self, serial: Serial) {
        let undecided = self.serial_tests().filter(|(_, it)| it.is_undecided()).map(|(id, _)| id);
        let going = self.serial.wanted.iter().copied().chain(undecided);
        let best_going = going.map(|id| self.claim(id)).min();
        if best_going == Some(Claim::Approved) {
            return;
        }
        let tested: BTreeSet<EntryId> = self.serial_tests().map(|(id, _)| id).collect();
        let mut pending = self.living();
        pending.retain(|id| !tested.contains(id) && self.may_be_tested(*id));
        let Some(best) = pending.iter().map(|id| self.claim(*id)).min() else { return };
        if best_going.is_some_and(|going| going <= best) {
            return;
        }
        pending.retain(|id| self.claim(*id) == best);
        self.serial.draws = self.serial.draws.wrapping_add(1);
        let drawn = mix(serial.seed ^ mix(self.serial.draws));
        let index = drawn.checked_rem(pending.len() as u64).and_then(|it| usize::try_from(it).ok());
        self.serial.wanted.extend(index.and_then(|index| pending.get(index)));
    }

    fn claim(&self, id: EntryId) -> Claim {
        let Some(entry) = self.entries.get(&id) else { return Claim::Pending };
        if entry.record.broke_at == Some(self.outage.verdicts) {
            Claim::Broken
        } else if entry.facts.is_approved() {
            Claim::Approved
        } else {
            Claim::Pending
        }
    }

    fn serial_tests(&self) -> impl Iterator<Item = (EntryId, &Candidate)> {
        self.candidates.values().filter_map(|candidate| match candidate.purpose {
            Purpose::Serial(id) => Some((id, candidate)),
            Purpose::Pipeline(_) | Purpose::Isolation(_) | Purpose::Try(_) => None,
        })
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
