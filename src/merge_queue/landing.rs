//! Moving the target: one compare-and-swap at a time, lost answers resolved by reading.

use super::{
    bugs::{Bug, planted},
    candidate::{Base, Member, Purpose, Stage},
    chance::Seen,
    config::Speculation,
    effect::{Effect, Refusal},
    entry::{Exit, Phase, Record, Standing},
    event::{Ancestry, Commit, Finding, Rejection},
    gate::{Alarm, Mode},
    id::{CandidateId, EntryId, LandingId, ReadingId},
    queue::{MergeQueue, Outbox},
};
use crate::{
    names::{CommitSha, PullNumber},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The one request to move the target that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Landing {
    pub id: LandingId,
    pub candidate: CandidateId,
    /// Where the target has to be.
    pub expect: CommitSha,
    pub to: Commit,
    pub members: Vec<Member>,
    pub answer: Answer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Awaited {
        since: Timestamp,
    },
    /// Nobody knows: the target is being read.
    Unknown,
}

/// An answer that takes longer counts as lost.
pub const ANSWER_WAIT_MAX: Duration = Duration::from_secs(60);

impl MergeQueue {
    /// Lands the longest prefix of the pipeline that has passed, in one move.
    pub(super) fn land_prefix(&mut self, out: &mut Outbox) {
        let is_busy = self.landing.is_some() && !planted(Bug::LandTwiceAtOnce);
        let is_halted = matches!(self.gate.mode, Mode::Halted(_)) && !planted(Bug::IgnoreHalt);
        if is_busy || is_halted {
            return;
        }
        let passed = self.passed_prefix();
        let Some(last) = passed.last().copied() else { return };
        self.slots.drain(..passed.len());
        let of_passed = passed.iter().filter_map(|id| self.candidates.get(id));
        let members: Vec<_> = of_passed.flat_map(|it| it.members.clone()).collect();
        for candidate in passed.into_iter().filter(|it| *it != last) {
            self.drop_candidate(candidate, out);
        }
        self.start_landing(last, members, out);
    }

    /// The candidates that lead from the target to the last one that has passed and may land.
    fn passed_prefix(&self) -> Vec<CandidateId> {
        let (mut base, mut passed) = (self.anchor(), Vec::new());
        for slot in &self.slots {
            let found = self.candidates.values().find(|candidate| {
                candidate.slot() == Some(slot.id)
                    && (candidate.base == base || planted(Bug::LandWithoutComparingBase))
                    && (matches!(candidate.stage, Stage::Passed { .. })
                        || (planted(Bug::LandUntested) && candidate.built().is_some()))
            });
            match found {
                Some(it) if !slot.members.iter().any(|id| self.is_frozen(*id)) => {
                    passed.push(it.id);
                    base = Base::Candidate(it.id);
                }
                _ => break,
            }
        }
        passed
    }

    /// The candidate leaves the table: from here on the landing stands for it.
    pub(super) fn start_landing(
        &mut self,
        candidate: CandidateId,
        members: Vec<Member>,
        out: &mut Outbox,
    ) {
        let Some(removed) = self.candidates.remove(&candidate) else { return };
        let Some(built) = removed.built() else { return };
        let to = Commit { commit: built.commit.clone(), tree: built.tree.clone() };
        let id = self.next_id();
        for member in &members {
            self.set_phase(member.entry, Phase::Landing { landing: id }, out);
        }
        let expect = self.tip.commit.clone();
        let answer = Answer::Awaited { since: self.now };
        self.landing = Some(Landing { id, candidate, expect, to, members, answer });
        self.send_landing(out);
    }

    fn send_landing(&mut self, out: &mut Outbox) {
        let Some(landing) = &mut self.landing else { return };
        landing.answer = Answer::Awaited { since: self.now };
        let (landing, expect, to) = (landing.id, landing.expect.clone(), landing.to.clone());
        let pulls = self.landing_pulls();
        out.push(Effect::Land { landing, expect, to, pulls });
    }

    fn landing_pulls(&self) -> Vec<PullNumber> {
        let members = self.landing.iter().flat_map(|landing| &landing.members);
        members.map(|member| member.pull).collect()
    }

    fn awaited(&self, id: LandingId) -> Result<&Landing, Refusal> {
        self.landing.as_ref().filter(|it| it.id == id).ok_or(Refusal::UnknownLanding(id))
    }

    pub(super) fn take_landed(
        &mut self,
        id: LandingId,
        tip: Commit,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let tested = self.awaited(id)?.to.clone();
        if tip != tested {
            self.halt(Alarm::LandedDiffers { landing: id, tested, found: tip.clone() }, out);
        }
        self.finish_landing(tip, out);
        Ok(())
    }

    /// The entries have merged, and the target is at `tip`.
    fn finish_landing(&mut self, tip: Commit, out: &mut Outbox) {
        let Some(landing) = self.landing.take() else { return };
        self.landing = Some(landing.clone());
        let pulls = self.landing_pulls();
        self.landing = None;
        self.reading = None;
        for candidate in self.candidates.values_mut() {
            if candidate.base == Base::Candidate(landing.candidate) {
                candidate.base = Base::Target(landing.to.commit.clone());
            }
        }
        for member in &landing.members {
            self.note_outcome(member.entry, Seen::DidNot);
            self.count_for_campaign(member.entry, Seen::DidNot);
            self.set_phase(member.entry, Phase::Merged { commit: landing.to.commit.clone() }, out);
        }
        for entry in self.entries.values_mut() {
            entry.note_landed(&pulls);
        }
        self.tip = tip;
        self.unaudited.insert(landing.id, landing.to.clone());
        out.push(Effect::DropCandidate { candidate: landing.candidate });
        let (id, parent, landed) = (landing.id, landing.expect, landing.to);
        out.push(Effect::Audit { landing: id, parent, landed });
        self.after_move(out);
    }

    pub(super) fn take_rejection(
        &mut self,
        id: LandingId,
        why: Rejection,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        self.awaited(id)?;
        match why {
            // An earlier request may have landed it before somebody moved the target on.
            Rejection::NotFastForward => return self.doubt_landing(id, out),
            Rejection::Policy { message } => self.blame_for_policy(&message, out),
            Rejection::HeadChanged { pull } => {
                out.push(Effect::FetchPull { pull });
                self.fail_landing(Standing::Apart, out);
                let id = self.find(pull)?;
                self.set_phase(id, Phase::Observed, out);
                if let Some(entry) = self.entries.get_mut(&id) {
                    entry.facts.approved = None;
                }
            }
        }
        Ok(())
    }

    /// One entry that the code host refuses is ejected; of several, each tries by itself.
    fn blame_for_policy(&mut self, message: &str, out: &mut Outbox) {
        let members = self.landing.as_ref().map_or(vec![], |landing| landing.members.clone());
        self.fail_landing(Standing::Apart, out);
        if let [single] = members.as_slice() {
            let exit = Exit::Refused { message: message.to_owned() };
            self.set_phase(single.entry, Phase::Ejected(exit), out);
        }
    }

    /// Back into the line, at the old places.
    fn fail_landing(&mut self, standing: Standing, out: &mut Outbox) {
        let Some(landing) = self.landing.take() else { return };
        out.push(Effect::AbandonLanding { landing: landing.id });
        out.push(Effect::DropCandidate { candidate: landing.candidate });
        let now = self.now;
        for member in landing.members {
            let Some(entry) = self.entries.get_mut(&member.entry) else { continue };
            if entry.facts.head == member.head {
                entry.record.standing = standing;
            } else {
                entry.record = Record::default();
                entry.waiting_since = now;
            }
            self.set_phase(member.entry, Phase::Observed, out);
            self.settle_entry(member.entry, out);
        }
    }

    pub(super) fn doubt_landing(&mut self, id: LandingId, out: &mut Outbox) -> Result<(), Refusal> {
        let to = self.awaited(id)?.to.clone();
        if planted(Bug::AssumeLanded) {
            self.finish_landing(to, out);
            return Ok(());
        }
        if let Some(landing) = &mut self.landing {
            landing.answer = Answer::Unknown;
        }
        self.read_target(out);
        Ok(())
    }

    /// Asks again when the answer to a landing, or to the question about it, is overdue.
    pub(super) fn chase_landing(&mut self, out: &mut Outbox) {
        let Some(landing) = &self.landing else { return };
        let id = landing.id;
        let is_overdue = match landing.answer {
            Answer::Awaited { since } => self.now.since(since) >= ANSWER_WAIT_MAX,
            Answer::Unknown => true,
        };
        if is_overdue && let Err(refusal) = self.doubt_landing(id, out) {
            out.push(Effect::Refuse(refusal));
        }
    }

    pub(super) fn read_target(&mut self, out: &mut Outbox) {
        let reading = self.next_id();
        self.reading = Some(reading);
        let about = self.landing.as_ref().map(|landing| landing.to.commit.clone());
        out.push(Effect::ReadTarget { reading, about });
    }

    pub(super) fn take_reading(
        &mut self,
        id: ReadingId,
        tip: Commit,
        ancestry: Ancestry,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        if self.reading != Some(id) {
            return Err(Refusal::UnknownReading(id));
        }
        self.reading = None;
        match (&self.landing, ancestry) {
            (None, _) => self.follow_target(tip, out),
            (Some(landing), _) if tip.commit == landing.to.commit => self.finish_landing(tip, out),
            (Some(_), Ancestry::Contained) => self.finish_landing(tip, out),
            (Some(landing), Ancestry::Absent | Ancestry::NotAsked) => match landing.answer {
                // The request itself is still under way, and its answer says more.
                Answer::Awaited { .. } => (),
                Answer::Unknown if tip.commit == landing.expect => self.land_again(out),
                Answer::Unknown => {
                    self.fail_landing(Standing::Untested, out);
                    self.follow_target(tip, out);
                }
            },
        }
        Ok(())
    }

    /// The request did not arrive. What has changed since then decides whether it goes again.
    fn land_again(&mut self, out: &mut Outbox) {
        let members = self.landing.iter().flat_map(|landing| &landing.members);
        let still_may = |member: &Member| {
            self.entries.get(&member.entry).is_some_and(|entry| {
                entry.facts.head == member.head
                    && entry.facts.missing(self.authorisation(entry)).is_empty()
                    && !self.is_frozen(member.entry)
            })
        };
        let is_halted = matches!(self.gate.mode, Mode::Halted(_));
        if !is_halted && members.into_iter().all(still_may) {
            self.send_landing(out);
        } else {
            self.fail_landing(Standing::Untested, out);
        }
    }

    /// Somebody else moved the target: nothing that was tested on it says anything any more.
    fn follow_target(&mut self, tip: Commit, out: &mut Outbox) {
        if tip == self.tip {
            return;
        }
        self.tip = tip;
        if planted(Bug::AcceptStaleResult) {
            let base = self.anchor();
            let on_target =
                self.candidates.values_mut().filter(|it| matches!(it.base, Base::Target(_)));
            on_target.for_each(|it| it.base = base.clone());
        }
        self.release_suspects(out);
        self.after_move(out);
    }

    pub(super) fn take_audit(
        &mut self,
        id: LandingId,
        finding: Finding,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let tested = self.unaudited.remove(&id).ok_or(Refusal::UnknownLanding(id))?;
        match finding {
            Finding::AsTested => (),
            Finding::Differs { found } => {
                self.halt(Alarm::LandedDiffers { landing: id, tested, found }, out);
            }
        }
        Ok(())
    }

    fn halt(&mut self, alarm: Alarm, out: &mut Outbox) {
        out.push(Effect::Alarm(alarm.clone()));
        self.gate.mode = Mode::Halted(alarm);
        let waiting: Vec<_> = self.by_pull.values().copied().collect();
        out.touched.extend(waiting);
    }

    fn note_outcome(&mut self, id: EntryId, failing: Seen) {
        if let Some(entry) = self.entries.get(&id) {
            self.estimates.note(entry.record.standing, failing);
        }
    }

    /// Takes apart the head of the pipeline for as long as it has failed on the target itself.
    pub(super) fn break_failed(&mut self, speculation: Speculation, out: &mut Outbox) {
        while self.landing.is_none()
            && let Some(slot) = self.slots.first()
        {
            let (id, members, base) = (slot.id, slot.members.clone(), self.anchor());
            let failed = self.candidates.values().find_map(|candidate| match candidate.stage {
                Stage::Failed { run }
                    if candidate.purpose == Purpose::Pipeline(id) && candidate.base == base =>
                {
                    Some(run)
                }
                _ => None,
            });
            let Some(run) = failed else { break };
            self.slots.remove(0);
            self.drop_all(|candidate| candidate.slot() == Some(id), out);
            for (position, member) in members.iter().enumerate() {
                // One of them failed; which one is for the isolation lane to find out.
                let seen = if position == 0 { Seen::Happened } else { Seen::DidNot };
                self.note_outcome(*member, seen);
            }
            match members.as_slice() {
                [single] => self.convict_entry(*single, run, speculation, out),
                many => self.suspect_together(many, out),
            }
        }
    }
}
