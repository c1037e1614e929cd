//! Where the target is: read when in doubt, and read back after every landing.

use super::{
    bugs::{Bug, planted},
    candidate::Base,
    effect::{Effect, Refusal},
    entry::{Audit, Phase},
    event::{Ancestry, Commit, Finding, History},
    gate::{Alarm, Mode},
    id::{EntryId, LandingId, ReadingId},
    landing::ANSWER_WAIT_MAX,
    queue::{MergeQueue, Outbox},
};
use crate::{names::CommitSha, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The question about the target that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reading {
    pub id: ReadingId,
    pub since: Timestamp,
    /// The commit of the landing that is asked about.
    pub landing: Option<CommitSha>,
    /// The target may have moved since the question was sent: it is asked once more.
    pub is_outdated: bool,
}

/// A landing that nobody has read back yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Unaudited {
    pub parent: CommitSha,
    pub landed: Commit,
    pub since: Timestamp,
}

/// Nothing more lands while so many landings have not been read back.
pub const UNAUDITED_MAX: usize = 8;

impl MergeQueue {
    /// The target may have moved.
    pub(super) fn hear_of_target(&mut self, out: &mut Outbox) {
        match &mut self.reading {
            Some(reading) => reading.is_outdated = true,
            None => self.read_target(out),
        }
    }

    /// Asks where the target is; an older question is not listened to any more.
    pub(super) fn read_target(&mut self, out: &mut Outbox) {
        let id = self.next_id();
        let landing = self.landing.as_ref().map(|landing| landing.to.commit.clone());
        let (since, about) = (self.now, landing.clone());
        self.reading = Some(Reading { id, since, landing, is_outdated: false });
        let last = self.tip.commit.clone();
        out.push(Effect::ReadTarget { reading: id, landing: about, last });
    }

    pub(super) fn take_reading(
        &mut self,
        id: ReadingId,
        tip: Commit,
        history: History,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let reading = self.reading.take_if(|reading| reading.id == id);
        let is_outdated = reading.ok_or(Refusal::UnknownReading(id))?.is_outdated;
        match self.landing {
            None => self.follow_target(tip, history.last, out),
            Some(_) => self.resolve_landing(tip, history, out),
        }
        if is_outdated && self.reading.is_none() {
            self.read_target(out);
        }
        Ok(())
    }

    /// Asks again what should have been answered long ago.
    pub(super) fn chase(&mut self, out: &mut Outbox) {
        if self.reading.as_ref().is_some_and(|it| self.is_overdue(it.since, ANSWER_WAIT_MAX)) {
            self.read_target(out);
        }
        self.chase_landing(out);
        self.audit_again(ANSWER_WAIT_MAX, out);
        self.ask_builds(out);
        self.ask_runs(out);
    }

    pub(super) fn is_overdue(&self, since: Timestamp, wait: Duration) -> bool {
        self.now.since(since) >= wait
    }

    /// Somebody else moved the target: nothing that was tested on it says anything any more.
    pub(super) fn follow_target(&mut self, tip: Commit, last: Ancestry, out: &mut Outbox) {
        if tip == self.tip {
            return;
        }
        let from = std::mem::replace(&mut self.tip, tip.clone());
        if last == Ancestry::Absent {
            self.halt(Alarm::Rewound { from, to: tip }, out);
        }
        if planted(Bug::AcceptStaleResult) {
            let base = self.anchor();
            let on_target =
                self.candidates.values_mut().filter(|it| matches!(it.base, Base::Target(_)));
            on_target.for_each(|it| it.base = base.clone());
        }
        self.release_suspects(out);
        self.after_move(out);
    }

    /// Has a landing read back.
    pub(super) fn audit(
        &mut self,
        id: LandingId,
        parent: CommitSha,
        landed: Commit,
        out: &mut Outbox,
    ) {
        let (of, to) = (parent.clone(), landed.clone());
        self.unaudited.insert(id, Unaudited { parent: of, landed: to, since: self.now });
        out.push(Effect::Audit { landing: id, parent, landed });
    }

    /// Asks again for audits that were asked for so long ago.
    pub(super) fn audit_again(&mut self, wait: Duration, out: &mut Outbox) {
        let overdue: Vec<_> = self
            .unaudited
            .iter()
            .filter(|(_, it)| self.is_overdue(it.since, wait) && !planted(Bug::ForgetAudit))
            .map(|(id, it)| (*id, it.parent.clone(), it.landed.clone()))
            .collect();
        for (id, parent, landed) in overdue {
            self.audit(id, parent, landed, out);
        }
    }

    pub(super) fn take_audit(
        &mut self,
        id: LandingId,
        finding: Finding,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let tested = self.unaudited.remove(&id).ok_or(Refusal::UnknownLanding(id))?.landed;
        match finding {
            Finding::AsTested => self.note_audit(id, Audit::AsTested, out),
            Finding::Differs { found } => {
                self.note_audit(id, Audit::Differs, out);
                self.halt(Alarm::LandedDiffers { landing: id, tested, found }, out);
            }
        }
        Ok(())
    }

    /// What is known to differ stays so, whatever is read later.
    pub(super) fn note_audit(&mut self, id: LandingId, audit: Audit, out: &mut Outbox) {
        for entry in &self.over {
            if let Some(Phase::Merged(merge)) =
                self.entries.get_mut(entry).map(|entry| &mut entry.phase)
                && merge.landing == id
                && merge.audit == Audit::Awaited
            {
                merge.audit = audit;
                out.touched.insert(*entry);
            }
        }
    }

    pub(super) fn halt(&mut self, alarm: Alarm, out: &mut Outbox) {
        out.push(Effect::Alarm(alarm.clone()));
        self.gate.mode = Mode::Halted(alarm);
        out.touched.extend(self.living());
    }

    /// The entries that are not over.
    pub(super) fn living(&self) -> Vec<EntryId> {
        self.by_pull.values().copied().collect()
    }
}
