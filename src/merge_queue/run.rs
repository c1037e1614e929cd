//! Runs start, end, and are lost.

use super::{
    bugs::{Bug, planted},
    candidate::{Candidate, Purpose, Stage},
    effect::{Effect, Refusal},
    event::{Commit, RunResult},
    evidence::{Verdict, judge},
    gate::Mode,
    id::{CandidateId, RunId},
    queue::{MergeQueue, Outbox, Running},
};

impl MergeQueue {
    /// Starts a run for what is built, as far as there are workers.
    pub(super) fn start_runs(&mut self, out: &mut Outbox) {
        if matches!(self.gate.mode, Mode::Halted(_)) || self.outage.lasts(self.now) {
            return;
        }
        let room = (self.config.workers as usize).saturating_sub(self.runs.len());
        let ready: Vec<_> = self
            .candidates
            .values()
            .filter(|it| matches!(it.stage, Stage::Built(_)))
            .map(|it| it.id)
            .take(room)
            .collect();
        for id in ready {
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
        self.runs.insert(run, Running { candidate: id, since: self.now });
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
                self.outage.end();
                self.estimates.note_duration(self.now.since(running.since));
                self.proofs.insert(&built, run, &candidate.members);
                candidate.stage = Stage::Passed { built, run };
                self.decide_apart(running.candidate, out);
            }
            Verdict::Failed => {
                self.outage.end();
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
                self.outage.note_failure(self.now);
            }
        }
        Ok(())
    }

    /// Acts on a candidate beside the pipeline that has just been decided. The pipeline is
    /// settled as a whole, when the step plans.
    pub(super) fn decide_apart(&mut self, id: CandidateId, out: &mut Outbox) {
        let Some(candidate) = self.candidates.get(&id) else { return };
        out.touched.extend(candidate.members.iter().map(|member| member.entry));
        match candidate.purpose {
            Purpose::Pipeline(_) => (),
            Purpose::Isolation(entry) => self.close_isolation(id, entry, out),
            Purpose::Try(entry) => self.close_try(id, entry, out),
            Purpose::Serial(entry) => self.close_serial(id, entry, out),
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
            Stage::Planned | Stage::Building | Stage::Built(_) | Stage::Testing { .. } => None,
        }
    }
}
