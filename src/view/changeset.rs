//! One changeset.

use super::{campaign::TimelineRow, diff::DiffView};
use crate::{
    changeset::{choice::Shown, status::ChangesetStatus},
    diff::DiffStat,
    id::ChangesetId,
    names::{BranchName, CampaignName, CommitSha, NamespaceName, PullNumber, RepoName},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangesetRow {
    pub id: ChangesetId,
    pub repo: RepoName,
    pub branch: BranchName,
    pub title: String,
    pub status: ChangesetStatus,
    pub pull: Option<PullLink>,
    pub stat: Option<DiffStat>,
    /// What went wrong, and what happens next.
    pub problem: Option<ProblemView>,
    pub updated_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullLink {
    pub number: PullNumber,
    pub url: String,
}

/// A failure as people read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemView {
    /// What happened, to what.
    pub message: String,
    /// What happens next, or what to do: "retrying at …, attempt 2 of 10", "needs you: …".
    pub next: String,
    /// When Drover tries again by itself.
    pub retry_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangesetPage {
    pub changeset: ChangesetRow,
    pub namespace: NamespaceName,
    pub campaign: CampaignName,
    pub base_branch: BranchName,
    pub base_commit: Option<CommitSha>,
    /// The commit that Drover pushed last.
    pub head_commit: Option<CommitSha>,
    /// Markdown of the pull request's body, rendered and sanitised.
    pub body_html: String,
    pub commit_message: String,
    pub diff: Option<DiffView>,
    pub timeline: Vec<TimelineRow>,
    /// How it stands, which a choice is about.
    pub shown: Shown,
    /// What a person can do with it now.
    pub choices: Vec<ChangesetChoice>,
}

/// What a person can do with a changeset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangesetChoice {
    /// Try again now.
    Retry,
    /// Open the pull request that the spec leaves unpublished.
    Publish,
    /// The same, as a draft.
    PublishDraft,
    /// Close the pull request.
    Close,
    /// Open it again after a person closed it.
    Reopen,
    /// Drift: take the commits that others pushed as they are.
    Adopt,
    /// Drift: put Drover's commit in their place.
    Overwrite,
    /// Let the campaign forget the pull request.
    Detach,
    /// Read the pull request from the code host now.
    Sync,
}

impl ChangesetChoice {
    pub const ALL: [Self; 9] = [
        Self::Retry,
        Self::Publish,
        Self::PublishDraft,
        Self::Close,
        Self::Reopen,
        Self::Adopt,
        Self::Overwrite,
        Self::Detach,
        Self::Sync,
    ];
}
