//! What a plan was made from, as one hash, and which rows moved since.
//!
//! A person applies what was shown. The hash covers the spec, the spec that the campaign wanted
//! when the plan was made (so nobody undoes what somebody else has applied since), and of each
//! row what is decided, the base commit, the pull request, the tip of the branch and the
//! operations that were shown; apply is refused when any of them is another by then.

use crate::{
    changeset::{PullState, plan::Operation},
    id::{CampaignSpecId, RepoId},
    names::{BranchName, CommitSha, PullNumber, RepoName},
    view::preview::{MovedRow, PlanHash},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// What the rows of a plan were made from. The order in which they were found is no part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(RowKey, RowState)>", into = "Vec<(RowKey, RowState)>")]
pub struct PlanRows(pub BTreeMap<RowKey, RowState>);

/// What a row is about. A repository keeps its id when it gets another name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RowKey {
    pub repo: RepoId,
    pub branch: BranchName,
}

/// What one row was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowState {
    /// For people; the key says which repository it is.
    pub name: RepoName,
    /// The word of [`super::rewire::Rewiring`].
    pub decision: String,
    /// The commit on which the diff was made.
    pub base: Option<CommitSha>,
    pub pull: Option<(PullNumber, PullState)>,
    /// The tip of the branch.
    pub head: Option<CommitSha>,
    pub operations: Vec<Operation>,
}

impl From<Vec<(RowKey, RowState)>> for PlanRows {
    fn from(rows: Vec<(RowKey, RowState)>) -> Self {
        Self(rows.into_iter().collect())
    }
}

impl From<PlanRows> for Vec<(RowKey, RowState)> {
    fn from(rows: PlanRows) -> Self {
        rows.0.into_iter().collect()
    }
}

/// Hashes a plan. Every part is written with its length, so that nothing runs together.
/// `applied` is the spec that the campaign wants so far.
#[must_use]
pub fn plan_hash(
    spec: CampaignSpecId,
    applied: Option<CampaignSpecId>,
    rows: &PlanRows,
) -> PlanHash {
    let mut hasher = Sha256::new();
    let mut part = |text: &str| {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text);
    };
    part("drover plan 2");
    part(&spec.to_string());
    part(&applied.map(|spec| spec.to_string()).unwrap_or_default());
    for (RowKey { repo, branch }, state) in &rows.0 {
        let RowState { name: _, decision, base, pull, head, operations } = state;
        part(&repo.to_string());
        part(branch.as_str());
        part(decision);
        part(base.as_ref().map_or("", CommitSha::as_str));
        part(&pull.map_or_else(String::new, |(number, state)| {
            format!("{number} {}", state_words(state))
        }));
        part(head.as_ref().map_or("", CommitSha::as_str));
        part(&operation_words(operations));
    }
    PlanHash(format!("{:x}", hasher.finalize()))
}

/// The rows that differ, with what they were and are in words.
#[must_use]
pub fn moved(was: &PlanRows, is: &PlanRows) -> Vec<MovedRow> {
    let keys: BTreeSet<_> = was.0.keys().chain(is.0.keys()).collect();
    keys.into_iter()
        .filter_map(|key| {
            let (before, now) = (was.0.get(key), is.0.get(key));
            let name = now.or(before)?.name.clone();
            (!same(before, now)).then(|| MovedRow {
                repo: name,
                branch: key.branch.clone(),
                was: describe(before, now),
                is: describe(now, before),
            })
        })
        .collect()
}

/// Another name of the same repository is no difference.
fn same(one: Option<&RowState>, other: Option<&RowState>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
        (Some(one), Some(other)) => {
            let RowState { name: _, decision, base, pull, head, operations } = one;
            (decision, base, pull, head, operations)
                == (&other.decision, &other.base, &other.pull, &other.head, &other.operations)
        }
    }
}

/// What of a row is other than in the plan that it is compared with.
fn describe(row: Option<&RowState>, other: Option<&RowState>) -> String {
    let Some(row) = row else { return "not in the plan".to_owned() };
    let Some(other) = other else { return "in the plan".to_owned() };
    let RowState { name: _, decision, base, pull, head, operations } = row;
    let commit =
        |commit: &Option<CommitSha>| commit.as_ref().map_or("nothing", CommitSha::short).to_owned();
    let mut words = Vec::new();
    if *decision != other.decision {
        words.push(decision_words(decision).to_owned());
    }
    if *base != other.base {
        words.push(format!("base at {}", commit(base)));
    }
    if *pull != other.pull {
        words.push(pull.map_or_else(
            || "no pull request".to_owned(),
            |(number, state)| format!("pull request {number} {}", state_words(state)),
        ));
    }
    if *head != other.head {
        words.push(format!("branch at {}", commit(head)));
    }
    if *operations != other.operations {
        words.push(operation_words(operations));
    }
    words.join(", ")
}

/// The word of a decision, as it is said to people.
fn decision_words(decision: &str) -> &str {
    match decision {
        "create" => "new",
        "keep" => "as it is wanted",
        "update" => "to follow the new spec",
        "revive" => "to come back",
        "hold" => "kept without a new result",
        "archive" => "not wanted any more",
        "detach" => "to be detached",
        "taken" => "refused: another campaign has the branch",
        "reserved" => "refused: pull requests go into the branch",
        other => other,
    }
}

fn state_words(state: PullState) -> &'static str {
    match state {
        PullState::Draft => "is a draft",
        PullState::Open => "open",
        PullState::Closed => "closed",
        PullState::Merged => "merged",
        PullState::Deleted => "deleted",
        PullState::ReadOnly => "read-only",
    }
}

fn operation_words(operations: &[Operation]) -> String {
    if operations.is_empty() {
        return "nothing to do".to_owned();
    }
    operations.iter().map(|operation| operation.label()).collect::<Vec<_>>().join(" + ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn sha(digit: char) -> CommitSha {
        digit.to_string().repeat(40).parse().unwrap()
    }

    fn state() -> RowState {
        RowState {
            name: "a/b".parse().unwrap(),
            decision: "keep".to_owned(),
            base: Some(sha('a')),
            pull: Some((PullNumber(7), PullState::Open)),
            head: Some(sha('b')),
            operations: vec![Operation::Push, Operation::Sync],
        }
    }

    fn rows(rows: &[(u128, RowState)]) -> PlanRows {
        let key = |repo: u128| RowKey {
            repo: RepoId(Uuid::from_u128(repo)),
            branch: "x".parse().unwrap(),
        };
        PlanRows(rows.iter().map(|(repo, state)| (key(*repo), state.clone())).collect())
    }

    fn hash(rows: &PlanRows) -> PlanHash {
        plan_hash(SPEC, None, rows)
    }

    const SPEC: CampaignSpecId = CampaignSpecId(Uuid::from_u128(1));

    /// A change of one row changes the hash and is said in words.
    #[track_caller]
    fn check(change: impl Fn(&mut RowState), was: &str, is: &str) {
        let mut changed = state();
        change(&mut changed);
        let (before, now) = (rows(&[(1, state())]), rows(&[(1, changed)]));
        assert_ne!(hash(&before), hash(&now));
        let moved = moved(&before, &now);
        assert_eq!(moved.len(), 1);
        assert_eq!((moved[0].was.as_str(), moved[0].is.as_str()), (was, is));
    }

    #[test]
    fn whatever_a_row_was_made_from_moves_the_plan() {
        check(|it| it.base = Some(sha('c')), "base at aaaaaaa", "base at ccccccc");
        check(|it| it.head = None, "branch at bbbbbbb", "branch at nothing");
        check(|it| it.decision = "hold".to_owned(), "as it is wanted", "kept without a new result");
        check(|it| it.pull = None, "pull request #7 open", "no pull request");
        check(
            |it| {
                it.pull = Some((PullNumber(7), PullState::Merged));
                it.operations.clear();
            },
            "pull request #7 open, push + sync",
            "pull request #7 merged, nothing to do",
        );
    }

    #[test]
    fn another_name_of_a_repository_moves_nothing() {
        let mut renamed = state();
        renamed.name = "a/z".parse().unwrap();
        let (one, two) = (rows(&[(1, state())]), rows(&[(1, renamed)]));
        assert_eq!(hash(&one), hash(&two));
        assert_eq!(moved(&one, &two), []);
    }

    #[test]
    fn rows_that_come_and_go_move_the_plan() {
        let (one, two) = (rows(&[(1, state())]), rows(&[(1, state()), (2, state())]));
        let came = moved(&one, &two);
        assert_eq!((came[0].was.as_str(), came[0].is.as_str()), ("not in the plan", "in the plan"));
        assert_eq!(moved(&two, &one)[0].repo.as_str(), "a/b");
        assert_ne!(hash(&one), hash(&two));
    }

    #[test]
    fn the_same_rows_in_another_order_are_the_same_plan() {
        let mut other = state();
        other.head = None;
        let one = rows(&[(1, state()), (2, other.clone())]);
        let two = rows(&[(2, other), (1, state())]);
        assert_eq!(hash(&one), hash(&two));
        assert_eq!(moved(&one, &two), []);
    }

    #[test]
    fn another_spec_is_another_plan() {
        let other = CampaignSpecId(Uuid::from_u128(2));
        assert_ne!(hash(&rows(&[])), plan_hash(other, None, &rows(&[])));
    }

    #[test]
    fn what_somebody_applied_meanwhile_moves_the_plan() {
        let other = CampaignSpecId(Uuid::from_u128(2));
        let rows = rows(&[(1, state())]);
        assert_ne!(hash(&rows), plan_hash(SPEC, Some(other), &rows));
    }

    #[test]
    fn rows_survive_being_stored() {
        let rows = rows(&[(1, state())]);
        let stored = serde_json::to_string(&rows).unwrap();
        assert_eq!(serde_json::from_str::<PlanRows>(&stored).unwrap(), rows);
    }
}
