//! Everything about a changeset that decisions are made from, in one piece.

use super::{
    Capabilities, Closer, Desired, Filing, Observed, Ours, PullState, Reopening, Tip,
    plan::PlanInput, spec::ChangesetSpec,
};
use crate::{
    id::{CampaignId, ChangesetId, ChangesetSpecId, PullId, RepoId, UserId},
    names::PullNumber,
    time::Timestamp,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    pub id: ChangesetId,
    pub campaign: CampaignId,
    /// The person whose decision is carried out: who applied the campaign last.
    pub applied_by: UserId,
    pub repo: RepoId,
    pub spec_id: ChangesetSpecId,
    pub spec: ChangesetSpec,
    /// The wish that was in place last.
    pub previous: Option<ChangesetSpec>,
    pub desired: Desired,
    pub filing: Filing,
    pub hold: Hold,
    pub observed: Observed,
    pub ours: Ours,
    pub tip: Tip,
    /// Counts only when the pull request is closed.
    pub closed_by: Closer,
    pub reopening: Reopening,
    /// When the commit was read on which the wish is based, at the latest.
    pub based_at: Option<Timestamp>,
    pub pull: Option<PullId>,
    pub outstanding: Outstanding,
}

/// Whether a live changeset has its branch for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    Held,
    /// It is over, and another campaign has taken the branch.
    Released,
}

/// A write to the code host whose end was not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outstanding {
    Nothing,
    /// There may be a pull request that nobody knows of yet.
    Write,
}

impl Facts {
    #[must_use]
    pub fn input(&self, capabilities: Capabilities) -> PlanInput<'_> {
        PlanInput {
            previous: self.previous.as_ref(),
            current: &self.spec,
            desired: &self.desired,
            filing: self.filing,
            observed: &self.observed,
            ours: &self.ours,
            tip: &self.tip,
            closed_by: self.closed_by,
            reopening: self.reopening,
            based_at: self.based_at,
            capabilities,
        }
    }

    #[must_use]
    pub fn number(&self) -> Option<PullNumber> {
        self.observed.pull().map(|pull| pull.number)
    }

    #[must_use]
    pub fn state(&self) -> Option<PullState> {
        self.observed.pull().map(|pull| pull.state)
    }
}
