//! What to do about a pull request that is there.

use super::{
    Branch, BranchSpec, ChangesetSpec, Closer, Note, Operation, Plan, PlanInput, Publication, Pull,
    PullState, Support, branch, open, wanted,
};
use crate::changeset::{Reopen, Reopening, Tip, words};

pub(super) fn follow(input: &PlanInput<'_>, spec: &BranchSpec, pull: &Pull) -> Plan {
    match pull.state {
        PullState::Merged if wants_more(input, spec, pull) => {
            renew(input, spec, pull, Note::AfterMerge { number: pull.number })
        }
        PullState::Merged => Plan::noting(Note::Merged),
        PullState::Deleted => Plan::noting(Note::Deleted),
        PullState::ReadOnly => Plan::noting(Note::ReadOnly),
        PullState::Closed => reopen(input, spec, pull),
        PullState::Draft | PullState::Open => bring_up_to_date(input, spec, pull),
    }
}

fn reopen(input: &PlanInput<'_>, spec: &BranchSpec, pull: &Pull) -> Plan {
    let asked = match (input.closed_by, input.desired.reopen) {
        (Closer::Drover, _) | (Closer::Person, Reopen::Asked) => true,
        (Closer::Person, Reopen::NotAsked) => false,
    };
    if !asked {
        return Plan::noting(Note::ClosedByPerson);
    }
    if wanted(spec, input.desired) == Some(Publication::Unpublished) {
        return Plan::noting(Note::LeftUnpublished);
    }
    match (input.capabilities.reopen, input.tip, input.reopening) {
        (Support::No, _, _) => Plan::noting(Note::ReopenUnsupported),
        (Support::Yes, Tip::Absent, _) | (Support::Yes, _, Reopening::Refused) => {
            renew(input, spec, pull, Note::InPlaceOf { number: pull.number })
        }
        (Support::Yes, Tip::Unread | Tip::At(_), Reopening::Untried) => {
            let mut plan = bring_up_to_date(input, spec, pull);
            // Before the push: GitHub reopens no pull request whose branch was replaced while it
            // was closed. What drifted waits as a whole.
            if plan.drift().is_none() {
                plan.operations.insert(0, Operation::Reopen);
                plan.reached = false;
            }
            plan
        }
    }
}

/// Whether the spec wants something that the merge did not bring.
///
/// Another content is more. The same content is more only when its diff was made on a commit that
/// was read after the merge: then somebody took the merge back. What was merged is not known when
/// neither our commits nor the spec that was in place tell it, and unknown is not "more".
fn wants_more(input: &PlanInput<'_>, spec: &BranchSpec, pull: &Pull) -> bool {
    let ours = input.ours.find(&pull.head).map(|it| it.content.clone());
    let Some(merged) = ours.or_else(|| previous(input).map(BranchSpec::content)) else {
        return false;
    };
    let base_moved = previous(input).is_some_and(|it| it.base_commit != spec.base_commit);
    let after_merge = input.based_at.zip(pull.merged_at).is_some_and(|(at, merged)| at > merged);
    merged != spec.content() || (base_moved && after_merge)
}

/// Leaves a pull request that is over behind and plans as if there had been none.
fn renew(input: &PlanInput<'_>, spec: &BranchSpec, pull: &Pull, note: Note) -> Plan {
    let head = match input.tip {
        Tip::At(head) => Some(head),
        Tip::Absent => None,
        Tip::Unread => Some(&pull.head),
    };
    let ours = input.ours.spent();
    let mut plan = open(&PlanInput { previous: None, ours: &ours, ..*input }, spec, head);
    if !plan.operations.is_empty() {
        plan.operations.insert(0, Operation::Renew);
        plan.notes.insert(0, note);
    }
    plan
}

fn bring_up_to_date(input: &PlanInput<'_>, spec: &BranchSpec, pull: &Pull) -> Plan {
    let mut plan = push(input, spec, pull);
    if plan.drift().is_some() {
        return plan;
    }
    convert(input, spec, pull, &mut plan);
    if !words::missing(previous(input), spec, pull).is_empty() {
        plan.operations.push(Operation::Update);
    }
    if plan.operations == [Operation::Push] {
        plan.operations.push(Operation::Sync);
    }
    plan.reached = plan.operations.is_empty();
    plan
}

fn push(input: &PlanInput<'_>, spec: &BranchSpec, pull: &Pull) -> Plan {
    let content = spec.content();
    let pushed_already = input.ours.pushed.as_ref().is_some_and(|it| it.content == content);
    match branch(input, spec, Some(&pull.head)) {
        Branch::Holds => Plan::default(),
        Branch::Behind(lease) => Plan { lease: Some(lease), ..Plan::of([Operation::Push]) },
        // Fixes that people push on top of what we pushed last are welcome, until there is
        // something new to push.
        Branch::Drift(head) if pushed_already => Plan::noting(Note::ForeignCommits { head }),
        Branch::Adopted(head) => Plan::noting(Note::ForeignCommits { head }),
        Branch::Drift(head) => Plan::noting(Note::Drift { head }),
    }
}

fn convert(input: &PlanInput<'_>, spec: &BranchSpec, pull: &Pull, plan: &mut Plan) {
    let is_draft = pull.state == PullState::Draft;
    match (wanted(spec, input.desired), is_draft) {
        (None, _) | (Some(Publication::Published), false) | (Some(Publication::Draft), true) => {}
        (Some(Publication::Unpublished), _) => plan.notes.push(Note::CannotUnpublish),
        (Some(Publication::Published), true) => {
            convertible(input, Operation::MarkReady, plan);
        }
        // A person may mark a draft ready while the spec still says "draft"; only a spec that
        // takes back what it said itself makes it a draft again.
        (Some(Publication::Draft), false) if takes_back(input) => {
            convertible(input, Operation::ConvertToDraft, plan);
        }
        (Some(Publication::Draft), false) => {}
    }
}

fn takes_back(input: &PlanInput<'_>) -> bool {
    let before = previous(input).and_then(|spec| wanted(spec, input.desired));
    before == Some(Publication::Published)
}

fn convertible(input: &PlanInput<'_>, operation: Operation, plan: &mut Plan) {
    match input.capabilities.conversion {
        Support::Yes => plan.operations.push(operation),
        Support::No => plan.notes.push(Note::ConversionUnsupported),
    }
}

fn previous<'a>(input: &PlanInput<'a>) -> Option<&'a BranchSpec> {
    match input.previous {
        Some(ChangesetSpec::Branch(spec)) => Some(spec),
        Some(ChangesetSpec::Existing { .. }) | None => None,
    }
}
