//! The operations that move what is observed towards what is desired.
//!
//! [`plan`] is a pure function. The preview shows what it gives; the reconciler performs the
//! first operation, records what it observed and plans again, so a crash at any point is just
//! "plan again". It never asks what was planned before.
//!
//! - A branch moves only from a commit that is ours. Where others pushed, Drover waits for a
//!   choice ([`Note::Drift`]); the lease of the push makes sure even when they push right now.
//! - A field is written when the spec changed it and the code host has something else, so what
//!   people edit on the code host lives until a spec says something new.
//! - What a person closed stays closed until somebody asks for it. What is deleted or read-only
//!   is left alone.
//! - What is merged is left alone until the spec wants something that the merge did not bring:
//!   then a new pull request is made. So it is where the code host opens a closed one no more.
//! - Nothing waits: where the code host needs time to notice a push, a sync is scheduled.

mod notes;
mod pull;
#[cfg(test)]
mod tests;

pub use notes::Note;

use super::{
    Capabilities, Closer, Desired, DriftChoice, Filing, Intent, Observed, Ours, Publication, Pull,
    PullState, Reopening, Support, Tip,
    spec::{BranchSpec, ChangesetSpec},
};
use crate::{names::CommitSha, time::Timestamp};
use serde::{Deserialize, Serialize};

/// One step of the reconciler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Read a pull request that the campaign tracks for the first time.
    Import,
    /// Commit the diff and push the branch.
    Push,
    /// Leave a pull request that is over behind, for a new one.
    Renew,
    /// Open the pull request.
    Publish,
    PublishDraft,
    Close,
    Reopen,
    MarkReady,
    ConvertToDraft,
    /// Write title, body or base.
    Update,
    Archive,
    Detach,
    /// Read the pull request soon, when the code host has noticed. It is scheduled together with
    /// the push before it, not waited for.
    Sync,
}

impl Operation {
    /// What it does, in a few small words.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Push => "push",
            Self::Renew => "start anew",
            Self::Publish => "publish",
            Self::PublishDraft => "publish as a draft",
            Self::Close => "close",
            Self::Reopen => "reopen",
            Self::MarkReady => "mark ready",
            Self::ConvertToDraft => "make a draft",
            Self::Update => "update",
            Self::Archive => "archive",
            Self::Detach => "detach",
            Self::Sync => "sync",
        }
    }
}

/// All that a plan is made from.
#[derive(Clone, Copy, Debug)]
pub struct PlanInput<'a> {
    /// The spec that was in place last ([`Plan::reached`]), with the words of ours that the pull
    /// request has had since ([`words::in_place`]). `None` before the first.
    ///
    /// [`words::in_place`]: super::words::in_place
    pub previous: Option<&'a ChangesetSpec>,
    pub current: &'a ChangesetSpec,
    pub desired: &'a Desired,
    pub filing: Filing,
    pub observed: &'a Observed,
    pub ours: &'a Ours,
    /// Where the branch stands; counts only when the pull request is over.
    pub tip: &'a Tip,
    /// Who closed the pull request; counts only when it is closed.
    pub closed_by: Closer,
    pub reopening: Reopening,
    /// When the commit was read on which the current spec is based. `None`: long ago.
    pub based_at: Option<Timestamp>,
    pub capabilities: Capabilities,
}

/// What is to be done, in this order, and what is to be known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Empty: nothing to do.
    pub operations: Vec<Operation>,
    pub notes: Vec<Note>,
    /// What the branch must be at when it is pushed. There when [`Operation::Push`] is.
    pub lease: Option<Lease>,
    /// Whether the current spec is in place: record it as the previous one.
    pub reached: bool,
}

/// Where a branch must stand for a push to go through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lease {
    /// There is no branch of the name.
    Absent,
    At(CommitSha),
}

/// Plans one changeset.
#[must_use]
pub fn plan(input: &PlanInput<'_>) -> Plan {
    match (input.desired.intent, input.filing) {
        (Intent::Detach, Filing::Detached) | (Intent::Archive, Filing::Archived) => Plan::default(),
        (Intent::Detach, Filing::Active | Filing::Archived) => Plan::of([Operation::Detach]),
        (Intent::Archive, Filing::Active | Filing::Detached) => archive(input),
        (Intent::Close, _) => close(input.observed),
        // Put aside or let go: apply brings it back before anything is done.
        (Intent::Publish, Filing::Archived | Filing::Detached) => Plan::default(),
        (Intent::Publish, Filing::Active) => match input.current {
            ChangesetSpec::Existing { .. } => import(input.observed),
            ChangesetSpec::Branch(spec) => publish(input, spec),
        },
    }
}

impl Plan {
    pub(super) fn of(operations: impl Into<Vec<Operation>>) -> Self {
        Self { operations: operations.into(), ..Self::default() }
    }

    pub(super) fn noting(note: Note) -> Self {
        Self { notes: vec![note], ..Self::default() }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// The commit of somebody else at which the plan waits for a choice.
    #[must_use]
    pub fn drift(&self) -> Option<&CommitSha> {
        self.notes.iter().find_map(Note::drift)
    }
}

/// Closes what a campaign opened itself, and puts the changeset aside when that is done.
fn archive(input: &PlanInput<'_>) -> Plan {
    let mut plan = match input.current {
        ChangesetSpec::Branch(_) => close(input.observed),
        ChangesetSpec::Existing { .. } => Plan::default(),
    };
    plan.operations.push(Operation::Archive);
    plan
}

fn close(observed: &Observed) -> Plan {
    match observed {
        Observed::Unpublished { .. } => Plan::default(),
        Observed::Pull(pull) => match pull.state {
            PullState::Draft | PullState::Open => Plan::of([Operation::Close]),
            PullState::Closed | PullState::Merged => Plan::default(),
            PullState::Deleted => Plan::noting(Note::Deleted),
            PullState::ReadOnly => Plan::noting(Note::ReadOnly),
        },
    }
}

/// A pull request that others made is read and left as it is.
fn import(observed: &Observed) -> Plan {
    match observed {
        Observed::Unpublished { .. } => Plan::of([Operation::Import]),
        Observed::Pull(_) => Plan { reached: true, ..Plan::default() },
    }
}

fn publish(input: &PlanInput<'_>, spec: &BranchSpec) -> Plan {
    match input.observed {
        Observed::Unpublished { head } => open(input, spec, head.as_ref()),
        Observed::Pull(pull) => pull::follow(input, spec, pull),
    }
}

/// How far the pull request is wanted: the spec decides, and a person where it says nothing.
fn wanted(spec: &BranchSpec, desired: &Desired) -> Option<Publication> {
    spec.published.or(desired.publication)
}

/// Opens a pull request where there is none.
fn open(input: &PlanInput<'_>, spec: &BranchSpec, head: Option<&CommitSha>) -> Plan {
    let operation = match (wanted(spec, input.desired), input.capabilities.drafts) {
        (None, _) => return Plan::noting(Note::WaitsForPerson),
        (Some(Publication::Unpublished), _) => return Plan::noting(Note::LeftUnpublished),
        (Some(Publication::Draft), Support::No) => return Plan::noting(Note::DraftUnsupported),
        (Some(Publication::Draft), Support::Yes) => Operation::PublishDraft,
        (Some(Publication::Published), _) => Operation::Publish,
    };
    match branch(input, spec, head) {
        Branch::Holds => Plan::of([operation]),
        Branch::Behind(lease) => {
            Plan { lease: Some(lease), ..Plan::of([Operation::Push, operation]) }
        }
        Branch::Adopted(head) => {
            Plan { notes: vec![Note::ForeignCommits { head }], ..Plan::of([operation]) }
        }
        Branch::Drift(head) => Plan::noting(Note::Drift { head }),
    }
}

/// How a branch stands to the commit that the spec wants.
enum Branch {
    /// Our commit with the right content is at the tip.
    Holds,
    /// It must be pushed, and may be when the branch still stands there.
    Behind(Lease),
    /// Somebody's commit is at the tip, and nothing of ours must be put in its place.
    Adopted(CommitSha),
    /// Somebody's commit is in the way.
    Drift(CommitSha),
}

fn branch(input: &PlanInput<'_>, spec: &BranchSpec, head: Option<&CommitSha>) -> Branch {
    let Some(head) = head else { return Branch::Behind(Lease::Absent) };
    if let Some(ours) = input.ours.find(head) {
        let holds = ours.content == spec.content();
        return if holds { Branch::Holds } else { Branch::Behind(Lease::At(head.clone())) };
    }
    match &input.desired.drift {
        DriftChoice::Adopt { head: chosen } if chosen == head => Branch::Adopted(head.clone()),
        DriftChoice::Overwrite { head: chosen } if chosen == head => {
            Branch::Behind(Lease::At(head.clone()))
        }
        // A choice for a commit that has been replaced since is no choice for this one.
        DriftChoice::Wait | DriftChoice::Adopt { .. } | DriftChoice::Overwrite { .. } => {
            Branch::Drift(head.clone())
        }
    }
}
