//! The one word that people see, computed from the facts and never stored beside them.
//!
//! Where lists filter by it, the store holds one SQL expression that says the same; the facts
//! are few and small so that a test can hold the two together over every combination.

use super::{Filing, PullState};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangesetStatus {
    /// Wanted, and not published because the spec or a person says so.
    Unpublished,
    /// Work waits in the queue.
    Queued,
    /// Work is being done.
    Processing,
    /// Work failed and is tried again by itself.
    Retrying,
    /// Work failed and waits for a person.
    Failed,
    /// Others pushed to our branch, or it was there before us: a person must choose.
    Drift,
    Draft,
    Open,
    Merged,
    Closed,
    Deleted,
    ReadOnly,
    Archived,
}

/// What a status is computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusFacts {
    pub filing: Filing,
    /// `None`: there is no pull request.
    pub pull: Option<PullState>,
    pub repository: Repository,
    pub work: Work,
}

/// Whether the repository takes writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repository {
    Writable,
    Archived,
}

/// How it stands with the work on a changeset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// The plan is empty.
    Idle,
    Queued,
    Running,
    /// Failed, and runs again by itself.
    Retrying,
    /// Failed for good.
    Failed,
    /// The plan waits for a choice about somebody's commits.
    Drift,
}

impl Work {
    pub const ALL: [Self; 6] =
        [Self::Idle, Self::Queued, Self::Running, Self::Retrying, Self::Failed, Self::Drift];
}

/// Computes the status. What is over is said first: a merged pull request is merged, even when
/// the last work on it failed.
#[must_use]
pub fn status(facts: StatusFacts) -> ChangesetStatus {
    let StatusFacts { filing, pull, repository, work } = facts;
    match (filing, pull, work) {
        (Filing::Archived, _, _) => ChangesetStatus::Archived,
        (_, Some(PullState::Merged), _) => ChangesetStatus::Merged,
        (_, Some(PullState::Deleted), _) => ChangesetStatus::Deleted,
        (_, Some(PullState::ReadOnly), _) => ChangesetStatus::ReadOnly,
        (_, _, _) if repository == Repository::Archived => ChangesetStatus::ReadOnly,
        (_, _, Work::Queued) => ChangesetStatus::Queued,
        (_, _, Work::Running) => ChangesetStatus::Processing,
        (_, _, Work::Retrying) => ChangesetStatus::Retrying,
        (_, _, Work::Failed) => ChangesetStatus::Failed,
        (_, _, Work::Drift) => ChangesetStatus::Drift,
        (_, None, Work::Idle) => ChangesetStatus::Unpublished,
        (_, Some(PullState::Draft), Work::Idle) => ChangesetStatus::Draft,
        (_, Some(PullState::Open), Work::Idle) => ChangesetStatus::Open,
        (_, Some(PullState::Closed), Work::Idle) => ChangesetStatus::Closed,
    }
}

impl ChangesetStatus {
    pub const ALL: [Self; 13] = [
        Self::Unpublished,
        Self::Queued,
        Self::Processing,
        Self::Retrying,
        Self::Failed,
        Self::Drift,
        Self::Draft,
        Self::Open,
        Self::Merged,
        Self::Closed,
        Self::Deleted,
        Self::ReadOnly,
        Self::Archived,
    ];

    /// One or two words, for badges.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Unpublished => "Unpublished",
            Self::Queued => "Queued",
            Self::Processing => "Working",
            Self::Retrying => "Retrying",
            Self::Failed => "Needs you",
            Self::Drift => "Drift",
            Self::Draft => "Draft",
            Self::Open => "Open",
            Self::Merged => "Merged",
            Self::Closed => "Closed",
            Self::Deleted => "Deleted",
            Self::ReadOnly => "Read-only",
            Self::Archived => "Archived",
        }
    }

    /// One sentence, for people who meet the word for the first time.
    #[must_use]
    pub fn explain(self) -> &'static str {
        match self {
            Self::Unpublished => "No pull request yet: the spec or a person has to publish it.",
            Self::Queued => "Drover will work on it soon.",
            Self::Processing => "Drover works on it now.",
            Self::Retrying => "The last attempt failed; Drover tries again by itself.",
            Self::Failed => "The last attempt failed, and only a person can help.",
            Self::Drift => {
                "The branch has commits that are not Drover's: adopt, overwrite or detach."
            }
            Self::Draft => "The pull request is open as a draft.",
            Self::Open => "The pull request is open.",
            Self::Merged => "The pull request is merged.",
            Self::Closed => "The pull request was closed without a merge.",
            Self::Deleted => "The code host does not know the pull request any more.",
            Self::ReadOnly => "The repository is archived; nothing can be written there.",
            Self::Archived => "No spec wants it any more; it is kept to be looked at.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(filing: Filing, pull: Option<PullState>, work: Work, expected: ChangesetStatus) {
        let repository = Repository::Writable;
        assert_eq!(
            status(StatusFacts { filing, pull, repository, work }),
            expected,
            "{filing:?} {pull:?} {work:?}"
        );
    }

    #[test]
    fn what_is_not_over_in_an_archived_repository_is_read_only() {
        let (filing, repository) = (Filing::Active, Repository::Archived);
        for work in Work::ALL {
            for pull in [None, Some(PullState::Open), Some(PullState::Closed)] {
                let facts = StatusFacts { filing, pull, repository, work };
                assert_eq!(status(facts), ChangesetStatus::ReadOnly);
            }
            let pull = Some(PullState::Merged);
            let facts = StatusFacts { filing, pull, repository, work };
            assert_eq!(status(facts), ChangesetStatus::Merged);
        }
    }

    #[test]
    fn what_is_over_is_said_first() {
        for work in Work::ALL {
            let merged = Some(PullState::Merged);
            check(Filing::Active, merged, work, ChangesetStatus::Merged);
            check(Filing::Archived, merged, work, ChangesetStatus::Archived);
            check(Filing::Active, Some(PullState::Deleted), work, ChangesetStatus::Deleted);
            check(Filing::Active, Some(PullState::ReadOnly), work, ChangesetStatus::ReadOnly);
        }
    }

    #[test]
    fn work_is_said_before_the_pull_request() {
        for pull in [None, Some(PullState::Draft), Some(PullState::Open), Some(PullState::Closed)] {
            check(Filing::Active, pull, Work::Queued, ChangesetStatus::Queued);
            check(Filing::Active, pull, Work::Running, ChangesetStatus::Processing);
            check(Filing::Active, pull, Work::Retrying, ChangesetStatus::Retrying);
            check(Filing::Active, pull, Work::Failed, ChangesetStatus::Failed);
            check(Filing::Active, pull, Work::Drift, ChangesetStatus::Drift);
        }
    }

    #[test]
    fn an_idle_changeset_is_what_its_pull_request_is() {
        check(Filing::Active, None, Work::Idle, ChangesetStatus::Unpublished);
        check(Filing::Active, Some(PullState::Draft), Work::Idle, ChangesetStatus::Draft);
        check(Filing::Active, Some(PullState::Open), Work::Idle, ChangesetStatus::Open);
        check(Filing::Active, Some(PullState::Closed), Work::Idle, ChangesetStatus::Closed);
        check(Filing::Detached, Some(PullState::Open), Work::Idle, ChangesetStatus::Open);
    }

    #[test]
    fn every_status_has_words_of_its_own() {
        let mut words: Vec<_> =
            ChangesetStatus::ALL.iter().flat_map(|it| [it.label(), it.explain()]).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), 2 * ChangesetStatus::ALL.len());
    }
}
