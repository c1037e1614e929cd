//! What a person can do with a changeset now. Pages show it and commands hold to it.

use super::{Capabilities, Filing, PullState, Support, status::Work};
use crate::view::changeset::ChangesetChoice;

/// What the choices depend on.
#[derive(Clone, Copy, Debug)]
pub struct ChoiceFacts {
    pub filing: Filing,
    /// `None`: there is no pull request.
    pub pull: Option<PullState>,
    pub work: Work,
    pub publication: Decider,
    pub capabilities: Capabilities,
}

/// Who decides whether a pull request is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decider {
    /// The spec has `published`.
    Spec,
    Person,
}

/// The choices that make sense now, in the order in which they are offered.
#[must_use]
pub fn choices(facts: &ChoiceFacts) -> Vec<ChangesetChoice> {
    match facts.filing {
        Filing::Active => {
            let mut choices = about_work(facts.work);
            choices.extend(about_pull(facts));
            choices.push(ChangesetChoice::Detach);
            choices
        }
        Filing::Archived | Filing::Detached => sync(facts.pull),
    }
}

fn about_work(work: Work) -> Vec<ChangesetChoice> {
    match work {
        Work::Idle | Work::Queued | Work::Running => Vec::new(),
        Work::Retrying | Work::Failed => vec![ChangesetChoice::Retry],
        Work::Drift => vec![ChangesetChoice::Adopt, ChangesetChoice::Overwrite],
    }
}

fn about_pull(facts: &ChoiceFacts) -> Vec<ChangesetChoice> {
    let ChoiceFacts { pull, publication, capabilities, .. } = *facts;
    let mut choices = match (pull, publication) {
        (None, Decider::Person) => match capabilities.drafts {
            Support::Yes => vec![ChangesetChoice::Publish, ChangesetChoice::PublishDraft],
            Support::No => vec![ChangesetChoice::Publish],
        },
        (None, Decider::Spec) => Vec::new(),
        (Some(PullState::Draft), Decider::Person) => {
            vec![ChangesetChoice::Publish, ChangesetChoice::Close]
        }
        (Some(PullState::Draft), Decider::Spec) | (Some(PullState::Open), _) => {
            vec![ChangesetChoice::Close]
        }
        (Some(PullState::Closed), _) => match capabilities.reopen {
            Support::Yes => vec![ChangesetChoice::Reopen],
            Support::No => Vec::new(),
        },
        (Some(PullState::Merged | PullState::Deleted | PullState::ReadOnly), _) => Vec::new(),
    };
    choices.extend(sync(pull));
    choices
}

/// What is over is not read again by itself; a person may still ask.
fn sync(pull: Option<PullState>) -> Vec<ChangesetChoice> {
    pull.map(|_| ChangesetChoice::Sync).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ChangesetChoice::{
        Adopt, Close, Detach, Overwrite, Publish, PublishDraft, Reopen, Retry, Sync,
    };

    fn facts(pull: Option<PullState>, work: Work) -> ChoiceFacts {
        let (filing, publication) = (Filing::Active, Decider::Person);
        let capabilities =
            Capabilities { drafts: Support::Yes, conversion: Support::Yes, reopen: Support::Yes };
        ChoiceFacts { filing, pull, work, publication, capabilities }
    }

    #[track_caller]
    fn check(facts: &ChoiceFacts, expected: &[ChangesetChoice]) {
        assert_eq!(choices(facts), expected);
    }

    #[test]
    fn what_a_pull_request_allows_is_offered() {
        let idle = |pull| facts(pull, Work::Idle);
        check(&idle(None), &[Publish, PublishDraft, Detach]);
        check(&idle(Some(PullState::Draft)), &[Publish, Close, Sync, Detach]);
        check(&idle(Some(PullState::Open)), &[Close, Sync, Detach]);
        check(&idle(Some(PullState::Closed)), &[Reopen, Sync, Detach]);
        check(&idle(Some(PullState::Merged)), &[Sync, Detach]);
    }

    #[test]
    fn a_spec_that_decides_leaves_nothing_to_publish() {
        let decided = |pull| ChoiceFacts { publication: Decider::Spec, ..facts(pull, Work::Idle) };
        check(&decided(None), &[Detach]);
        check(&decided(Some(PullState::Draft)), &[Close, Sync, Detach]);
    }

    #[test]
    fn drift_and_failures_are_answered_first() {
        check(&facts(Some(PullState::Open), Work::Drift), &[Adopt, Overwrite, Close, Sync, Detach]);
        check(&facts(Some(PullState::Open), Work::Failed), &[Retry, Close, Sync, Detach]);
        check(&facts(Some(PullState::Merged), Work::Retrying), &[Retry, Sync, Detach]);
    }

    #[test]
    fn what_is_put_aside_can_only_be_read() {
        let aside = ChoiceFacts {
            filing: Filing::Archived,
            ..facts(Some(PullState::Closed), Work::Failed)
        };
        check(&aside, &[Sync]);
    }

    #[test]
    fn what_the_code_host_cannot_do_is_not_offered() {
        let none =
            Capabilities { drafts: Support::No, conversion: Support::No, reopen: Support::No };
        let unable = |pull| ChoiceFacts { capabilities: none, ..facts(pull, Work::Idle) };
        check(&unable(None), &[Publish, Detach]);
        check(&unable(Some(PullState::Closed)), &[Sync, Detach]);
    }
}
