//! Candidates are planned, built, and turn out not to merge.

use super::{
    bugs::{Bug, planted},
    campaign::Outcome,
    candidate::{Base, Built, Candidate, Member, Purpose, Stage},
    effect::{Effect, Refusal},
    entry::{Phase, Standing, Tried},
    event::{Against, BuildFailure},
    id::{CandidateId, EntryId},
    pull::Authorisation,
    queue::{MergeQueue, Outbox},
};
use crate::names::{CommitSha, PullNumber};
use std::time::Duration;

/// A build that has not been answered for so long is asked for again.
pub(super) const BUILD_WAIT_MAX: Duration = Duration::from_secs(300);

impl MergeQueue {
    /// Plans a candidate, and has it built as soon as its base is. Nothing that holds an
    /// unauthorised commit is planned: pushing it would run it with our secrets.
    pub(super) fn plan_candidate(
        &mut self,
        base: Base,
        members: &[EntryId],
        purpose: Purpose,
        out: &mut Outbox,
    ) -> Option<CandidateId> {
        let members: Vec<_> = members.iter().filter_map(|id| self.pin(*id)).collect();
        if members.is_empty() {
            return None;
        }
        let id = self.next_id();
        let stage = Stage::Planned;
        let candidate =
            Candidate { id, base, members, purpose, stage, builds: 0, timeouts: 0, breakdowns: 0 };
        self.candidates.insert(id, candidate);
        self.build_if_based(id, out);
        Some(id)
    }

    fn pin(&self, id: EntryId) -> Option<Member> {
        let entry = self.entries.get(&id)?;
        match self.authorisation(entry) {
            Authorisation::Authorised => {
                let (pull, head) = (entry.number(), entry.facts.head.clone());
                Some(Member { entry: id, pull, head })
            }
            Authorisation::Unauthorised => None,
        }
    }

    pub(super) fn build_if_based(&mut self, id: CandidateId, out: &mut Outbox) {
        let Some(candidate) = self.candidates.get(&id) else { return };
        let (Stage::Planned, Some(base)) = (&candidate.stage, self.commit_of(&candidate.base))
        else {
            return;
        };
        let members = candidate.members.clone();
        out.push(Effect::BuildCandidate { candidate: id, base, members });
        if let Some(candidate) = self.candidates.get_mut(&id) {
            candidate.stage = Stage::Building { since: self.now };
            candidate.builds += 1;
        }
    }

    /// Asks again for builds whose answer may have been lost.
    pub(super) fn ask_builds(&mut self, out: &mut Outbox) {
        let overdue: Vec<_> = self
            .candidates
            .values_mut()
            .filter(|it| match it.stage {
                Stage::Building { since } => self.now.since(since) >= BUILD_WAIT_MAX,
                Stage::Planned
                | Stage::Built(_)
                | Stage::Testing { .. }
                | Stage::Passed { .. }
                | Stage::Failed { .. } => false,
            })
            .map(|candidate| {
                candidate.stage = Stage::Planned;
                candidate.id
            })
            .collect();
        for id in overdue {
            self.build_if_based(id, out);
        }
    }

    fn commit_of(&self, base: &Base) -> Option<CommitSha> {
        match base {
            Base::Target(commit) => Some(commit.clone()),
            Base::Candidate(id) => match &self.landing {
                Some(landing) if landing.candidate == *id => Some(landing.to.commit.clone()),
                _ => Some(self.candidates.get(id)?.built()?.commit.clone()),
            },
        }
    }

    pub(super) fn take_build(
        &mut self,
        id: CandidateId,
        built: Built,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let proof = self.proofs.find(&built);
        let candidate = match self.building(id) {
            Ok(candidate) => candidate,
            Err(refusal) => {
                if self.is_leftover(id) {
                    out.push(Effect::DropCandidate { candidate: id });
                }
                return Err(refusal);
            }
        };
        match (proof, candidate.purpose) {
            (Some(run), Purpose::Pipeline(_) | Purpose::Isolation(_)) => {
                candidate.stage = Stage::Passed { built, run };
                self.decide_apart(id, out);
            }
            // Whoever asks for a try, and the serial policy, want a run.
            (Some(_), Purpose::Try(_) | Purpose::Serial(_)) | (None, _) => {
                candidate.stage = Stage::Built(built);
            }
        }
        let children: Vec<_> = self
            .candidates
            .values()
            .filter(|it| it.base == Base::Candidate(id))
            .map(|it| it.id)
            .collect();
        for child in children {
            self.build_if_based(child, out);
        }
        Ok(())
    }

    fn building(&mut self, id: CandidateId) -> Result<&mut Candidate, Refusal> {
        self.candidates
            .get_mut(&id)
            .filter(|it| matches!(it.stage, Stage::Building { .. }))
            .ok_or(Refusal::UnknownCandidate(id))
    }

    /// Whether a candidate was built after it had been dropped, so that its ref stays behind.
    fn is_leftover(&self, id: CandidateId) -> bool {
        let is_landing = self.landing.as_ref().is_some_and(|landing| landing.candidate == id);
        let is_known = is_landing || self.candidates.contains_key(&id);
        id.0 <= self.last_id && !is_known && !planted(Bug::ForgetRefs)
    }

    pub(super) fn take_build_failure(
        &mut self,
        id: CandidateId,
        why: BuildFailure,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let candidate = self.building(id)?;
        match why {
            BuildFailure::Machinery => {
                candidate.stage = Stage::Planned;
                self.note_breakdown(id, out);
            }
            BuildFailure::HeadGone { pull } => {
                let entry = member_of(candidate, pull)?;
                self.drop_candidate(id, out);
                self.read_head_again(entry, out);
            }
        }
        Ok(())
    }

    /// A member does not merge. With the target: it leaves the line until it is pushed. With an
    /// entry ahead of it: it waits until that one has landed or left.
    pub(super) fn take_conflict(
        &mut self,
        id: CandidateId,
        pull: PullNumber,
        with: Against,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let candidate = self.building(id)?;
        let entry = member_of(candidate, pull)?;
        let is_try = matches!(candidate.purpose, Purpose::Try(_));
        self.drop_candidate(id, out);
        if is_try {
            self.note_tried(entry, Tried::Conflicted, out);
            return Ok(());
        }
        self.recall(entry, out);
        match with {
            Against::Target => {
                self.count_for_campaign(entry, Outcome::Failed);
                self.set_phase(entry, Phase::Conflicted, out);
            }
            Against::Pull(other) => {
                if let Some(it) = self.entries.get_mut(&entry) {
                    it.record.clashes.insert(other);
                    it.record.standing = Standing::Apart;
                }
                self.requeue(entry, out);
            }
        }
        Ok(())
    }
}

fn member_of(candidate: &Candidate, pull: PullNumber) -> Result<EntryId, Refusal> {
    let member = candidate.members.iter().find(|member| member.pull == pull);
    let not_a_member = Refusal::NotAMember { pull, candidate: candidate.id };
    member.map(|member| member.entry).ok_or(not_a_member)
}
