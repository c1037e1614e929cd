//! What came of each repository and of each changeset, for people and for programs.

use super::{client::Client, error::CliError};
use drover::{
    changeset::{plan::Operation, status::ChangesetStatus},
    id::CampaignSpecId,
    names::{BranchName, PullNumber, RepoName},
    view::{
        changeset::ChangesetRow,
        execution::{WorkspaceRow, WorkspaceState},
        preview::{PreviewPage, PreviewRow, RowEffect},
    },
};
use serde::Serialize;
use std::collections::BTreeMap;

/// What came of running the steps in one repository.
#[derive(Debug, Serialize)]
pub(super) struct RepositoryResult<'a> {
    repo: &'a RepoName,
    /// `None`: the default branch of a repository that could not be read.
    branch: Option<&'a BranchName>,
    outcome: RepositoryOutcome,
    /// Why there is no result.
    reason: Option<&'a str>,
    /// The step that failed, from 1.
    step: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum RepositoryOutcome {
    Running,
    Changed,
    Unchanged,
    Failed,
    /// A query matches it, and nothing can be done in it.
    Skipped,
    Cancelled,
}

pub(super) fn repositories(rows: &[WorkspaceRow]) -> Vec<RepositoryResult<'_>> {
    rows.iter().map(repository).collect()
}

fn repository(row: &WorkspaceRow) -> RepositoryResult<'_> {
    let (outcome, reason, step) = match &row.state {
        WorkspaceState::Waiting | WorkspaceState::Cloning | WorkspaceState::Step { .. } => {
            (RepositoryOutcome::Running, None, None)
        }
        WorkspaceState::Changed { .. } => (RepositoryOutcome::Changed, None, None),
        WorkspaceState::Unchanged => (RepositoryOutcome::Unchanged, None, None),
        WorkspaceState::Failed { step, reason } => {
            (RepositoryOutcome::Failed, Some(reason.as_str()), *step)
        }
        WorkspaceState::Skipped { reason } => {
            (RepositoryOutcome::Skipped, Some(reason.as_str()), None)
        }
        WorkspaceState::Cancelled => (RepositoryOutcome::Cancelled, None, None),
    };
    RepositoryResult { repo: &row.repo, branch: row.branch.as_ref(), outcome, reason, step }
}

/// The repositories without a result, each once.
pub(super) fn without_result(rows: &[WorkspaceRow]) -> Vec<RepoName> {
    let mut repos: Vec<RepoName> = rows
        .iter()
        .filter(|row| match row.state {
            WorkspaceState::Failed { .. } | WorkspaceState::Cancelled => true,
            WorkspaceState::Waiting
            | WorkspaceState::Cloning
            | WorkspaceState::Step { .. }
            | WorkspaceState::Changed { .. }
            | WorkspaceState::Unchanged
            | WorkspaceState::Skipped { .. } => false,
        })
        .map(|row| row.repo.clone())
        .collect();
    repos.dedup();
    repos
}

/// What apply would do about one changeset.
#[derive(Debug, Serialize)]
pub(super) struct PlannedChangeset<'a> {
    repo: &'a RepoName,
    branch: &'a BranchName,
    base_branch: &'a BranchName,
    pull: Option<PullNumber>,
    operations: &'a [Operation],
    note: Option<&'a str>,
}

pub(super) fn planned(rows: &[PreviewRow]) -> Vec<PlannedChangeset<'_>> {
    rows.iter().map(planned_one).collect()
}

fn planned_one(row: &PreviewRow) -> PlannedChangeset<'_> {
    PlannedChangeset {
        repo: &row.repo,
        branch: &row.branch,
        base_branch: &row.base_branch,
        pull: row.pull,
        operations: &row.operations,
        note: row.note.as_deref(),
    }
}

/// The preview with all its rows.
pub(super) async fn whole_preview(
    client: &Client,
    id: CampaignSpecId,
) -> Result<PreviewPage, CliError> {
    let page = client.preview(id, None).await?;
    with_all_rows(client, page).await
}

/// The same, of which the first page was read.
pub(super) async fn with_all_rows(
    client: &Client,
    mut page: PreviewPage,
) -> Result<PreviewPage, CliError> {
    let id = page.spec;
    while let Some(after) = page.rows.next.take() {
        let more = client.preview(id, Some(&after)).await?.rows;
        page.rows.rows.extend(more.rows);
        page.rows.next = more.next;
    }
    Ok(page)
}

/// What an apply did, counted by changesets; those without a result by repositories.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Happened {
    published: u32,
    updated: u32,
    closed: u32,
    other: u32,
    unchanged: u32,
    /// Those that somebody has to look at, whatever was planned.
    needs_you: u32,
    in_work: u32,
    no_result: u32,
}

impl Happened {
    /// Holds what was planned against what there is now.
    pub(super) fn of(
        planned: &[PreviewRow],
        now: &[ChangesetRow],
        without_result: &[RepoName],
    ) -> Self {
        let statuses: BTreeMap<_, _> =
            now.iter().map(|row| ((&row.repo, &row.branch), row.status)).collect();
        let no_result = u32::try_from(without_result.len()).unwrap_or(u32::MAX);
        let mut happened = Self { no_result, ..Self::default() };
        for row in planned {
            let status = statuses.get(&(&row.repo, &row.branch));
            *happened.count(status.copied(), RowEffect::of(&row.operations)) += 1;
        }
        happened
    }

    /// What is put aside has no status any more: it was closed, or let go, as planned.
    fn count(&mut self, status: Option<ChangesetStatus>, kind: RowEffect) -> &mut u32 {
        match (status, kind) {
            (Some(ChangesetStatus::Failed | ChangesetStatus::Drift), _) => &mut self.needs_you,
            (
                Some(
                    ChangesetStatus::Queued
                    | ChangesetStatus::Processing
                    | ChangesetStatus::Retrying,
                ),
                _,
            ) => &mut self.in_work,
            (_, RowEffect::Publish) => &mut self.published,
            (_, RowEffect::Update) => &mut self.updated,
            (_, RowEffect::Close) => &mut self.closed,
            (_, RowEffect::Other) => &mut self.other,
            (_, RowEffect::Unchanged) => &mut self.unchanged,
        }
    }

    /// The counts that are not zero, in one line.
    pub(super) fn text(&self) -> String {
        let Self { published, updated, closed, other, unchanged, needs_you, in_work, no_result } =
            *self;
        let all = [
            (published, "published"),
            (updated, "updated"),
            (closed, "closed"),
            (other, "otherwise done"),
            (unchanged, "unchanged"),
            (in_work, "in work"),
            (needs_you, "need you"),
            (no_result, "without a result"),
        ];
        let some: Vec<String> =
            all.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
        if some.is_empty() { "nothing to do".to_owned() } else { some.join(", ") }
    }
}
