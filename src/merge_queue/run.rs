//! Runs start, end, and are lost.

use super::{
    bugs::{Bug, planted},
    candidate::{Base, Candidate, Purpose, Stage},
    effect::{Effect, Refusal},
    event::{Commit, RunResult},
    evidence::{Verdict, judge},
    gate::Mode,
    id::{CandidateId, RunId},
    queue::{MergeQueue, Outbox, Running},
};
use crate::names::PullNumber;
use std::{collections::BTreeSet, time::Duration};

/// A run that has not ended for so long is asked whether it is still alive.
pub(super) const RUN_WAIT_MAX: Duration = Duration::from_secs(900);

impl MergeQueue {
    /// Starts a run for what is built, as far as there are workers. What the machinery broke with
    /// least often comes first, so that one candidate which breaks it does not stop the others.
    pub(super) fn start_runs(&mut self, out: &mut Outbox) {
        if matches!(self.gate.mode, Mode::Halted(_)) || self.outage.lasts(self.now) {
            return;
        }
        let runs_max = self.outage.runs_max().min(self.config.workers as usize);
        let built = self.candidates.values().filter(|it| matches!(it.stage, Stage::Built(_)));
        let mut ready: Vec<_> = built.map(|it| (it.breakdowns, it.id)).collect();
        ready.sort_unstable();
        for (_, id) in ready.into_iter().take(runs_max.saturating_sub(self.runs.len())) {
            self.start_run(id, out);
        }
    }

    fn start_run(&mut self, id: CandidateId, out: &mut Outbox) {
        let run: RunId = self.next_id();
        let Some(candidate) = self.candidates.get_mut(&id) else { return };
        let Stage::Built(built) = &candidate.stage else { return };
        let built = built.clone();
        let commit = Commit { commit: built.commit.clone(), tree: built.tree.clone() };
        candidate.stage = Stage::Testing { built, run };
        let (since, asked_at) = (self.now, self.now);
        self.runs.insert(run, Running { candidate: id, since, asked_at });
        out.touched.extend(candidate.members.iter().map(|member| member.entry));
        out.push(Effect::StartRun { run, candidate: id, commit });
    }

    /// Takes the answer of a run that is awaited. The answers of all others change nothing:
    /// a run that was cancelled, doubled or never ours is not in `runs`.
    pub(super) fn take_result(
        &mut self,
        run: RunId,
        result: RunResult,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let running = self.runs.remove(&run).ok_or(Refusal::UnknownRun(run))?;
        let Some(candidate) = self.candidates.get_mut(&running.candidate) else { return Ok(()) };
        let Stage::Testing { built, .. } = &candidate.stage else { return Ok(()) };
        let built = built.clone();
        match judge(result, candidate.timeouts) {
            Verdict::Passed => {
                self.outage.note_verdict();
                self.estimates.note_duration(self.now.since(running.since));
                candidate.stage = Stage::Passed { built: built.clone(), run };
                self.proofs.insert(&built, run, self.pulls_of(running.candidate));
                self.decide_apart(running.candidate, out);
            }
            Verdict::Failed => {
                self.outage.note_verdict();
                candidate.stage = Stage::Failed { run };
                self.decide_apart(running.candidate, out);
            }
            Verdict::AgainAfterTimeout => {
                candidate.timeouts += 1;
                candidate.stage = Stage::Built(built);
            }
            Verdict::AgainAfterInfra if planted(Bug::ForgetRerun) => (),
            Verdict::AgainAfterInfra => {
                candidate.stage = Stage::Built(built);
                self.note_breakdown(running.candidate, out);
            }
        }
        Ok(())
    }

    /// All that a candidate adds to the target: its members, and those of what it stands on.
    fn pulls_of(&self, id: CandidateId) -> BTreeSet<PullNumber> {
        let (mut pulls, mut next) = (BTreeSet::new(), Some(id));
        while let Some(id) = next.take() {
            if let Some(landing) = self.landing.as_ref().filter(|it| it.candidate == id) {
                pulls.extend(landing.members.iter().map(|member| member.pull));
            }
            if let Some(candidate) = self.candidates.get(&id) {
                pulls.extend(candidate.members.iter().map(|member| member.pull));
                next = match &candidate.base {
                    Base::Candidate(below) => Some(*below),
                    Base::Target(_) => None,
                };
            }
        }
        pulls
    }

    /// Acts on a candidate beside the pipeline that has just been decided. The pipeline, and the
    /// serial policy's tests, are settled as a whole, when the step plans.
    pub(super) fn decide_apart(&mut self, id: CandidateId, out: &mut Outbox) {
        let Some(candidate) = self.candidates.get(&id) else { return };
        out.touched.extend(candidate.members.iter().map(|member| member.entry));
        match candidate.purpose {
            Purpose::Pipeline(_) => (),
            Purpose::Serial(entry) => self.note_unbroken(entry),
            Purpose::Isolation(entry) => self.close_isolation(id, entry, out),
            Purpose::Try(entry) => self.close_try(id, entry, out),
        }
    }

    /// Runs whose answer may have been lost.
    pub(super) fn ask_runs(&mut self, out: &mut Outbox) {
        let now = self.now;
        let overdue = self.runs.iter_mut().filter(|(_, it)| now.since(it.asked_at) >= RUN_WAIT_MAX);
        for (run, running) in overdue {
            running.asked_at = now;
            out.push(Effect::AskRun { run: *run });
        }
    }

    /// Runs that a restarted executor does not know are as good as lost.
    pub(super) fn lose_runs(&mut self, alive: &[RunId], out: &mut Outbox) {
        let lost: Vec<_> = self.runs.keys().filter(|run| !alive.contains(run)).copied().collect();
        for run in lost {
            if let Err(refusal) = self.take_result(run, RunResult::Infra, out) {
                out.push(Effect::Refuse(refusal));
            }
        }
        for run in alive.iter().filter(|run| !self.runs.contains_key(run)) {
            out.push(Effect::CancelRun { run: *run });
        }
    }
}

impl Candidate {
    /// The run that decided the candidate, if one has.
    #[must_use]
    pub fn deciding_run(&self) -> Option<RunId> {
        match self.stage {
            Stage::Passed { run, .. } | Stage::Failed { run } => Some(run),
            Stage::Planned | Stage::Building { .. } | Stage::Built(_) | Stage::Testing { .. } => {
                None
            }
        }
    }
}
