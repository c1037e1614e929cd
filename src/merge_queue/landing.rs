//! Moving the target: one compare-and-swap at a time, lost answers resolved by reading.

use super::{
    bugs::{Bug, planted},
    campaign::Outcome,
    candidate::{Base, Member, Purpose, Stage},
    chance::Seen,
    config::Speculation,
    effect::{Effect, Refusal},
    entry::{Audit, Exit, Merge, Phase, Record, Standing},
    event::{Ancestry, Commit, History, Rejection},
    gate::{Alarm, Mode},
    id::{CandidateId, EntryId, LandingId},
    queue::{MergeQueue, Outbox},
    target::{Reading, UNAUDITED_MAX},
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

/// How entries go on after a landing that failed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Regroup {
    AsBefore,
    /// Each by itself.
    Apart,
}

/// An answer that takes longer counts as lost.
pub const ANSWER_WAIT_MAX: Duration = Duration::from_secs(60);

impl MergeQueue {
    /// Lands the longest prefix of the pipeline that has passed, in one move.
    pub(super) fn land_prefix(&mut self, out: &mut Outbox) {
        let is_busy = self.landing.is_some() && !planted(Bug::LandTwiceAtOnce);
        if is_busy || !self.may_move_target() {
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

    /// Not after an alarm, and not while too many landings wait to be read back.
    pub(super) fn may_move_target(&self) -> bool {
        let is_halted = matches!(self.gate.mode, Mode::Halted(_)) && !planted(Bug::IgnoreHalt);
        !is_halted && self.unaudited.len() < UNAUDITED_MAX
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
        let tested = match self.awaited(id) {
            Ok(landing) => landing.to.clone(),
            Err(refusal) => {
                // A request that was given up has arrived after all, or this is old news.
                self.hear_of_target(out);
                return Err(refusal);
            }
        };
        self.finish_landing(tip.clone(), out);
        if tip != tested {
            self.note_audit(id, Audit::Differs, out);
            self.halt(Alarm::LandedDiffers { landing: id, tested, found: tip }, out);
        }
        Ok(())
    }

    /// The entries have merged, and the target is at `tip`.
    fn finish_landing(&mut self, tip: Commit, out: &mut Outbox) {
        let pulls = self.landing_pulls();
        let Some(landing) = self.landing.take() else { return };
        for candidate in self.candidates.values_mut() {
            if candidate.base == Base::Candidate(landing.candidate) {
                candidate.base = Base::Target(landing.to.commit.clone());
            }
        }
        for member in landing.members {
            self.note_outcome(member.entry, Seen::DidNot);
            self.count_for_campaign(member.entry, Outcome::Merged);
            let (commit, audit) = (landing.to.commit.clone(), Audit::Awaited);
            let merge = Merge { landing: landing.id, head: member.head, commit, audit };
            self.set_phase(member.entry, Phase::Merged(merge), out);
        }
        for entry in self.entries.values_mut() {
            entry.note_landed(&pulls);
        }
        self.estimates.note_landed(self.now, pulls.len());
        self.tip = tip;
        out.push(Effect::DropCandidate { candidate: landing.candidate });
        self.audit(landing.id, landing.expect, landing.to, out);
        if self.reading.is_some() {
            // What it was to find out about the target may have come before the landing.
            self.read_target(out);
        }
        self.after_move(out);
    }

    pub(super) fn take_rejection(
        &mut self,
        id: LandingId,
        why: Rejection,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let landing = self.awaited(id)?;
        match why {
            // An earlier request may have landed it before somebody moved the target on.
            Rejection::NotFastForward => return self.doubt_landing(id, out),
            Rejection::Policy { message } => self.blame_for_policy(&message, out),
            Rejection::HeadChanged { pull } => {
                let member = landing.members.iter().find(|member| member.pull == pull);
                let entry = member.ok_or(Refusal::NotLanding { pull, landing: id })?.entry;
                self.fail_landing(Regroup::AsBefore, out);
                self.read_head_again(entry, out);
            }
        }
        Ok(())
    }

    /// The head that was pinned is not the pull request's any more: nothing is known until it
    /// has been read.
    pub(super) fn read_head_again(&mut self, id: EntryId, out: &mut Outbox) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        out.push(Effect::FetchPull { pull: entry.number() });
        if entry.is_over() || matches!(entry.phase, Phase::Landing { .. }) {
            return;
        }
        entry.facts.approved = None;
        self.stop_tests(id, out);
        self.settle_entry(id, out);
    }

    /// One entry that the code host refuses is ejected; of several, each tries by itself.
    fn blame_for_policy(&mut self, message: &str, out: &mut Outbox) {
        let members = self.landing.as_ref().map_or(vec![], |landing| landing.members.clone());
        self.fail_landing(Regroup::Apart, out);
        if let [single] = members.as_slice()
            && let Some(entry) = self.entries.get(&single.entry)
            && entry.facts.head == single.head
            && !entry.is_over()
        {
            let exit = Exit::Refused { message: message.to_owned() };
            self.stop_tests(single.entry, out);
            self.count_for_campaign(single.entry, Outcome::Failed);
            self.set_phase(single.entry, Phase::Ejected(exit), out);
        }
    }

    /// Back into the line, at the old places.
    fn fail_landing(&mut self, regroup: Regroup, out: &mut Outbox) {
        let Some(landing) = self.landing.take() else { return };
        out.push(Effect::AbandonLanding { landing: landing.id });
        out.push(Effect::DropCandidate { candidate: landing.candidate });
        for member in landing.members {
            let Some(entry) = self.entries.get_mut(&member.entry) else { continue };
            if entry.facts.head != member.head {
                entry.record = Record::default();
                entry.waiting_since = None;
            } else if regroup == Regroup::Apart {
                entry.record.standing = Standing::Apart;
            }
            let leaving = entry.leaving.take();
            self.set_phase(member.entry, Phase::Observed, out);
            match leaving {
                Some(why) => {
                    self.withdraw(member.entry, why, out);
                    // It may have come back since, as something new.
                    out.push(Effect::FetchPull { pull: member.pull });
                }
                None => self.settle_entry(member.entry, out),
            }
        }
        self.after_move(out);
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
        let is_asked = |reading: &Reading| reading.landing.as_ref() == Some(&to.commit);
        if !self.reading.as_ref().is_some_and(is_asked) {
            self.read_target(out);
        }
        Ok(())
    }

    /// An answer that is overdue is as good as lost.
    pub(super) fn chase_landing(&mut self, out: &mut Outbox) {
        let Some(landing) = &self.landing else { return };
        let id = landing.id;
        let is_overdue = match landing.answer {
            Answer::Awaited { since } => self.is_overdue(since, ANSWER_WAIT_MAX),
            Answer::Unknown => self.reading.is_none(),
        };
        if is_overdue && let Err(refusal) = self.doubt_landing(id, out) {
            out.push(Effect::Refuse(refusal));
        }
    }

    /// The target was read while a landing is under way.
    pub(super) fn resolve_landing(&mut self, tip: Commit, history: History, out: &mut Outbox) {
        let Some(landing) = &self.landing else { return };
        let has_landed = tip.commit == landing.to.commit || history.landing == Ancestry::Contained;
        match landing.answer {
            Answer::Awaited { .. } | Answer::Unknown if has_landed => self.finish_landing(tip, out),
            // The request itself is still under way, and its answer says more.
            Answer::Awaited { .. } => (),
            Answer::Unknown if tip.commit == landing.expect => self.land_again(out),
            Answer::Unknown => {
                self.fail_landing(Regroup::AsBefore, out);
                self.follow_target(tip, history.last, out);
            }
        }
    }

    /// The request did not arrive. What has changed since then decides whether it goes again.
    fn land_again(&mut self, out: &mut Outbox) {
        let members = self.landing.iter().flat_map(|landing| &landing.members);
        let still_may = |member: &Member| {
            self.entries.get(&member.entry).is_some_and(|entry| {
                entry.facts.head == member.head
                    && entry.leaving.is_none()
                    && self.missing(entry).is_empty()
                    && !self.is_frozen(member.entry)
            })
        };
        let is_halted = matches!(self.gate.mode, Mode::Halted(_));
        if !is_halted && members.into_iter().all(still_may) {
            self.send_landing(out);
        } else {
            self.fail_landing(Regroup::AsBefore, out);
        }
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
