//! What a person can do with a changeset now. Pages show it and commands hold to it.

use super::{Capabilities, Filing, Observed, PullState, Support, facts::Facts, status::Work};
use crate::{names::CommitSha, view::changeset::ChangesetChoice};
use serde::{Deserialize, Serialize};
use std::fmt;

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

/// How a changeset stood when somebody chose: a page shows it, its form sends it back, and the
/// choice counts for nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// `None`: there was no pull request.
    pub pull: Option<PullState>,
    /// The commit at the tip of the branch.
    pub head: Option<CommitSha>,
}

impl Shown {
    #[must_use]
    pub fn of(facts: &Facts) -> Self {
        Self {
            pull: facts.observed.pull().map(|pull| pull.state),
            head: Observed::head(&facts.observed).cloned(),
        }
    }
}

impl Shown {
    /// As a form carries it.
    #[must_use]
    pub fn token(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads what a form carried; `None` when it carried something else.
    #[must_use]
    pub fn parse(token: &str) -> Option<Self> {
        serde_json::from_str(token).ok()
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.pull {
            None => "no pull request",
            Some(PullState::Draft) => "a draft",
            Some(PullState::Open) => "open",
            Some(PullState::Closed) => "closed",
            Some(PullState::Merged) => "merged",
            Some(PullState::Deleted) => "deleted",
            Some(PullState::ReadOnly) => "read-only",
        };
        match &self.head {
            Some(head) => write!(f, "{state}, branch at {}", head.short()),
            None => write!(f, "{state}, no branch"),
        }
    }
}

/// The changeset stands differently from what was shown, so the choice was about something else.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "Nothing was done: the changeset is not as the page showed it ({shown}), but: {now}. Look \
     again, then choose."
)]
pub struct Overtaken {
    pub shown: Shown,
    pub now: Shown,
}

/// Whether a choice is about what is there. What only reads or tries again is never too late.
pub fn still_holds(choice: ChangesetChoice, shown: &Shown, now: &Shown) -> Result<(), Overtaken> {
    match choice {
        ChangesetChoice::Retry | ChangesetChoice::Sync => return Ok(()),
        ChangesetChoice::Publish
        | ChangesetChoice::PublishDraft
        | ChangesetChoice::Close
        | ChangesetChoice::Reopen
        | ChangesetChoice::Adopt
        | ChangesetChoice::Overwrite
        | ChangesetChoice::Detach => {}
    }
    if shown == now {
        return Ok(());
    }
    Err(Overtaken { shown: shown.clone(), now: now.clone() })
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
    fn a_choice_counts_only_for_what_was_shown() {
        let at = |pull, digit: &str| Shown { pull, head: digit.repeat(40).parse().ok() };
        let (open, moved) = (at(Some(PullState::Open), "a"), at(Some(PullState::Open), "b"));
        let closed = at(Some(PullState::Closed), "a");
        for choice in ChangesetChoice::ALL {
            let always = matches!(choice, Retry | Sync);
            assert_eq!(still_holds(choice, &open, &open), Ok(()));
            assert_eq!(still_holds(choice, &open, &moved).is_ok(), always, "{choice:?}");
            assert_eq!(still_holds(choice, &open, &closed).is_ok(), always, "{choice:?}");
        }
        let error = still_holds(Overwrite, &open, &Shown { pull: None, head: None }).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Nothing was done: the changeset is not as the page showed it (open, branch at \
             aaaaaaa), but: no pull request, no branch. Look again, then choose."
        );
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
