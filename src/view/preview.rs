//! What apply would do.

use super::{Page, execution::WorkspaceRow};
use crate::{
    changeset::plan::Operation,
    diff::DiffStat,
    id::{CampaignSpecId, ChangesetId, ChangesetSpecId, ExecutionId},
    names::{BranchName, CampaignName, NamespaceName, PullNumber, RepoName},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewPage {
    pub spec: CampaignSpecId,
    pub execution: ExecutionId,
    pub namespace: NamespaceName,
    pub campaign: CampaignName,
    pub description_html: String,
    pub spec_text: String,
    pub created_by: NamespaceName,
    pub created_at: Timestamp,
    /// When the spec is deleted unless it is applied.
    pub expires_at: Option<Timestamp>,
    pub standing: Standing,
    pub totals: PlanTotals,
    /// How long the pull requests will take at the pace that the code host allows, in seconds.
    pub eta_secs: u64,
    pub rows: Page<PreviewRow>,
    /// Repositories whose steps failed: they get no changeset.
    pub failed: Vec<WorkspaceRow>,
    /// The rows that moved since the plan that the viewer tried to apply.
    pub moved: Vec<MovedRow>,
    /// What somebody has applied to the campaign meanwhile.
    pub newer: Option<NewerApply>,
    /// What could not be read from the code host when the plan was made: those rows say what was
    /// known before.
    pub unread: Option<String>,
}

/// Whether the plan can be applied, and if not, why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The steps still run.
    Executing,
    /// The execution ended without a result.
    Unfinished { reason: String },
    /// Apply with this hash.
    Ready { hash: PlanHash },
    /// This very spec is what the campaign wants already.
    Applied,
    /// A newer spec of the campaign was applied.
    Superseded { by: CampaignSpecId },
}

/// A digest of the spec, the base commits and the states that a plan was made from, in
/// hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlanHash(pub String);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanTotals {
    pub publish: u32,
    pub update: u32,
    pub close: u32,
    pub other: u32,
    pub unchanged: u32,
    /// Left exactly as they are, because the spec has no new result for them.
    pub kept: u32,
    /// Wishes of which nothing is made: apply is refused as long as there are any.
    pub refused: u32,
    /// Wait for a person's choice about commits of others.
    pub drift: u32,
    pub stat: DiffStat,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewRow {
    /// `None` for a changeset that the spec wants no more.
    pub spec: Option<ChangesetSpecId>,
    /// `None` for a changeset that does not exist yet.
    pub changeset: Option<ChangesetId>,
    pub repo: RepoName,
    pub branch: BranchName,
    pub base_branch: BranchName,
    pub title: String,
    pub body_html: String,
    pub commit_message: String,
    pub pull: Option<PullNumber>,
    /// Empty: nothing to do.
    pub operations: Vec<Operation>,
    pub kind: RowKind,
    /// What to know about this row: "stays unpublished, as the spec says", "the base moved".
    pub note: Option<String>,
    pub stat: Option<DiffStat>,
}

/// What a row comes to, for counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowEffect {
    Publish,
    Update,
    Close,
    /// Nothing that people see on the code host.
    Other,
    Unchanged,
}

impl RowEffect {
    #[must_use]
    pub fn of(operations: &[Operation]) -> Self {
        let has = |wanted: &[Operation]| operations.iter().any(|it| wanted.contains(it));
        if operations.is_empty() {
            Self::Unchanged
        } else if has(&[Operation::Publish, Operation::PublishDraft]) {
            Self::Publish
        } else if has(&[Operation::Close]) {
            Self::Close
        } else if has(&[
            Operation::Push,
            Operation::Update,
            Operation::Reopen,
            Operation::MarkReady,
            Operation::ConvertToDraft,
        ]) {
            Self::Update
        } else {
            Self::Other
        }
    }
}

/// What a row is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    Wanted,
    /// There is no new result, so the changeset stays as it is.
    Kept,
    /// The spec does not want it any more.
    Dropped,
    /// Nothing can be made of the wish.
    Refused,
}

/// An apply that came between a plan and its own apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewerApply {
    pub by: NamespaceName,
    pub at: Timestamp,
    pub spec: CampaignSpecId,
}

/// A row that differs from the plan that the viewer saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedRow {
    pub repo: RepoName,
    pub branch: BranchName,
    pub was: String,
    pub is: String,
}
