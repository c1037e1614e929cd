//! What a plan was made from, as one hash, and which rows moved since.
//!
//! A person applies what was shown. The hash covers the spec and, of each row, the base commit,
//! the pull request, the tip of the branch and the operations that were shown; apply is refused
//! when any of them is another by then.

use crate::{
    changeset::{PullState, plan::Operation},
    id::CampaignSpecId,
    names::{BranchName, CommitSha, PullNumber, RepoName},
    view::preview::{MovedRow, PlanHash},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// What the rows of a plan were made from. The order in which they were found is no part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Row>", into = "Vec<Row>")]
pub struct PlanRows(pub BTreeMap<(RepoName, BranchName), RowState>);

/// What one row was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowState {
    /// The commit on which the diff was made.
    pub base: Option<CommitSha>,
    pub pull: Option<(PullNumber, PullState)>,
    /// The tip of the branch.
    pub head: Option<CommitSha>,
    pub operations: Vec<Operation>,
}

/// A row with its key, as it is stored: JSON has no maps with such keys.
#[derive(Clone, Serialize, Deserialize)]
struct Row {
    repo: RepoName,
    branch: BranchName,
    state: RowState,
}

impl From<Vec<Row>> for PlanRows {
    fn from(rows: Vec<Row>) -> Self {
        Self(rows.into_iter().map(|row| ((row.repo, row.branch), row.state)).collect())
    }
}

impl From<PlanRows> for Vec<Row> {
    fn from(rows: PlanRows) -> Self {
        let row = |((repo, branch), state)| Row { repo, branch, state };
        rows.0.into_iter().map(row).collect()
    }
}

/// Hashes a plan. Every part is written with its length, so that nothing runs together.
#[must_use]
pub fn plan_hash(spec: CampaignSpecId, rows: &PlanRows) -> PlanHash {
    let mut hasher = Sha256::new();
    let mut part = |text: &str| {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text);
    };
    part("drover plan 1");
    part(&spec.to_string());
    for ((repo, branch), state) in &rows.0 {
        let RowState { base, pull, head, operations } = state;
        part(repo.as_str());
        part(branch.as_str());
        part(base.as_ref().map_or("", CommitSha::as_str));
        part(&pull.map_or_else(String::new, |(number, state)| format!("{number} {state:?}")));
        part(head.as_ref().map_or("", CommitSha::as_str));
        part(&format!("{operations:?}"));
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
            let (repo, branch) = key.clone();
            (before != now).then(|| MovedRow {
                repo,
                branch,
                was: describe(before, now),
                is: describe(now, before),
            })
        })
        .collect()
}

/// What of a row is other than in the plan that it is compared with.
fn describe(row: Option<&RowState>, other: Option<&RowState>) -> String {
    let Some(row) = row else { return "not in the plan".to_owned() };
    let Some(other) = other else { return "in the plan".to_owned() };
    let RowState { base, pull, head, operations } = row;
    let commit =
        |commit: &Option<CommitSha>| commit.as_ref().map_or("nothing", CommitSha::short).to_owned();
    let mut words = Vec::new();
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
            base: Some(sha('a')),
            pull: Some((PullNumber(7), PullState::Open)),
            head: Some(sha('b')),
            operations: vec![Operation::Push, Operation::Sync],
        }
    }

    fn rows(rows: &[(&str, RowState)]) -> PlanRows {
        let key = |repo: &str| (repo.parse().unwrap(), "x".parse().unwrap());
        PlanRows(rows.iter().map(|(repo, state)| (key(repo), state.clone())).collect())
    }

    const SPEC: CampaignSpecId = CampaignSpecId(Uuid::from_u128(1));

    /// A change of one row changes the hash and is said in words.
    #[track_caller]
    fn check(change: impl Fn(&mut RowState), was: &str, is: &str) {
        let mut changed = state();
        change(&mut changed);
        let (before, now) = (rows(&[("a/b", state())]), rows(&[("a/b", changed)]));
        assert_ne!(plan_hash(SPEC, &before), plan_hash(SPEC, &now));
        let moved = moved(&before, &now);
        assert_eq!(moved.len(), 1);
        assert_eq!((moved[0].was.as_str(), moved[0].is.as_str()), (was, is));
    }

    #[test]
    fn whatever_a_row_was_made_from_moves_the_plan() {
        check(|it| it.base = Some(sha('c')), "base at aaaaaaa", "base at ccccccc");
        check(|it| it.head = None, "branch at bbbbbbb", "branch at nothing");
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
    fn rows_that_come_and_go_move_the_plan() {
        let (one, two) = (rows(&[("a/b", state())]), rows(&[("a/b", state()), ("a/c", state())]));
        let came = moved(&one, &two);
        assert_eq!((came[0].was.as_str(), came[0].is.as_str()), ("not in the plan", "in the plan"));
        assert_eq!(moved(&two, &one)[0].repo.as_str(), "a/c");
        assert_ne!(plan_hash(SPEC, &one), plan_hash(SPEC, &two));
    }

    #[test]
    fn the_same_rows_in_another_order_are_the_same_plan() {
        let mut other = state();
        other.head = None;
        let one = rows(&[("a/b", state()), ("a/c", other.clone())]);
        let two = rows(&[("a/c", other), ("a/b", state())]);
        assert_eq!(plan_hash(SPEC, &one), plan_hash(SPEC, &two));
        assert_eq!(moved(&one, &two), []);
    }

    #[test]
    fn another_spec_is_another_plan() {
        let other = CampaignSpecId(Uuid::from_u128(2));
        assert_ne!(plan_hash(SPEC, &rows(&[])), plan_hash(other, &rows(&[])));
    }

    #[test]
    fn rows_survive_being_stored() {
        let rows = rows(&[("a/b", state())]);
        let stored = serde_json::to_string(&rows).unwrap();
        assert_eq!(serde_json::from_str::<PlanRows>(&stored).unwrap(), rows);
    }
}
