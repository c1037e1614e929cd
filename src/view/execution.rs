//! The running of a spec, as it is watched.

use super::Page;
use crate::{
    diff::DiffStat,
    id::{CampaignSpecId, ExecutionId, WorkspaceId},
    names::{BranchName, CampaignName, NamespaceName, RepoName},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionPage {
    pub id: ExecutionId,
    pub spec: CampaignSpecId,
    pub namespace: NamespaceName,
    pub campaign: CampaignName,
    pub state: ExecutionState,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// Things to know that stop nothing: a query without a match or with half an answer,
    /// containers replaced by the sandbox.
    pub warnings: Vec<String>,
    pub counts: WorkspaceCounts,
    pub workspaces: Page<WorkspaceRow>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecutionState {
    /// Finding the repositories.
    Resolving,
    Running,
    Done,
    /// Nothing could be run at all: why, and what to do.
    Failed {
        reason: String,
    },
    Cancelled,
}

impl ExecutionState {
    #[must_use]
    pub fn is_over(&self) -> bool {
        match self {
            Self::Resolving | Self::Running => false,
            Self::Done | Self::Failed { .. } | Self::Cancelled => true,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkspaceCounts {
    pub waiting: u32,
    pub running: u32,
    pub changed: u32,
    pub unchanged: u32,
    pub skipped: u32,
    pub failed: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkspaceRow {
    pub id: WorkspaceId,
    pub repo: RepoName,
    /// `None`: the default branch of a repository that could not be read.
    pub branch: Option<BranchName>,
    pub state: WorkspaceState,
    pub steps_total: u32,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkspaceState {
    Waiting,
    Cloning,
    /// The step that runs, from 1.
    Step {
        step: u32,
    },
    /// Finished with a diff.
    Changed {
        stat: DiffStat,
    },
    /// Finished without a diff: no changeset.
    Unchanged,
    /// Why, with the exit code where there is one.
    Failed {
        step: Option<u32>,
        reason: String,
    },
    /// A query matches a repository in which nothing can be done: why.
    Skipped {
        reason: String,
    },
    Cancelled,
}

/// A piece of a workspace's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPage {
    pub lines: Vec<LogLine>,
    /// Pass it back as `after` to read on.
    pub next: i64,
    /// Whether the workspace may still write lines.
    pub open: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    pub at: Timestamp,
    /// The step that wrote it, from 1; 0 for Drover's own words.
    pub step: u32,
    pub stream: LogStream,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogStream {
    /// Drover's own words about the workspace.
    Drover,
    Stdout,
    Stderr,
}
