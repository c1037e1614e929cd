//! Candidates are planned, built, and turn out not to merge.

use super::{
    candidate::{Base, Built, Candidate, Member, Purpose, Stage},
    effect::{Effect, Refusal},
    entry::{Phase, Standing},
    event::Against,
    id::{CandidateId, EntryId},
    pull::Authorisation,
    queue::{MergeQueue, Outbox},
};
use crate::names::{CommitSha, PullNumber};

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
        let candidate = Candidate { id, base, members, purpose, stage, timeouts: 0 };
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

    fn build_if_based(&mut self, id: CandidateId, out: &mut Outbox) {
        let Some(candidate) = self.candidates.get(&id) else { return };
        let (Stage::Planned, Some(base)) = (&candidate.stage, self.commit_of(&candidate.base))
        else {
            return;
        };
        let members = candidate.members.clone();
        out.push(Effect::BuildCandidate { candidate: id, base, members });
        if let Some(candidate) = self.candidates.get_mut(&id) {
            candidate.stage = Stage::Building;
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
        let candidate = self.building(id)?;
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
            .filter(|it| it.stage == Stage::Building)
            .ok_or(Refusal::UnknownCandidate(id))
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
        let member = candidate.members.iter().find(|member| member.pull == pull);
        let Some(entry) = member.map(|member| member.entry) else {
            return Err(Refusal::NotAMember { pull, candidate: id });
        };
        let is_try = matches!(candidate.purpose, Purpose::Try(_));
        self.drop_candidate(id, out);
        if is_try {
            out.touched.insert(entry);
            return Ok(());
        }
        self.recall(entry, out);
        match with {
            Against::Target => self.set_phase(entry, Phase::Conflicted, out),
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
