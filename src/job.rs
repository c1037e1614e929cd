//! Background work: what there is to do, and how long and how often it may be tried.
//!
//! A job carries ids and nothing else: it reads the truth when it runs. So a job that runs twice
//! does no harm, and a job that was lost is replaced by any other of the same key.

use crate::{
    changeset::retry,
    id::{CampaignId, CampaignSpecId, ChangesetId, ExecutionId, WorkspaceId},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Job {
    /// Find the repositories of a spec and make its workspaces.
    Execute { execution: ExecutionId },
    /// Run the steps in one workspace.
    Workspace { workspace: WorkspaceId },
    /// Look at what a spec is about, and plan it.
    Plan { spec: CampaignSpecId },
    /// Rewire the changesets of a campaign to a spec.
    Apply { campaign: CampaignId, spec: CampaignSpecId },
    /// Move the code host towards what is desired.
    Reconcile { changeset: ChangesetId },
    /// Read the code host again.
    Sync { changeset: ChangesetId },
    /// Delete what has expired.
    Janitor,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Waits for its time and a worker.
    Queued,
    /// A worker holds its lease.
    Running,
    Done,
    /// Was given up; a person or another job has to start it again.
    Failed,
    /// Was taken back before it ran.
    Cancelled,
}

impl JobState {
    pub const ALL: [Self; 5] =
        [Self::Queued, Self::Running, Self::Done, Self::Failed, Self::Cancelled];

    #[must_use]
    pub fn is_over(self) -> bool {
        match self {
            Self::Queued | Self::Running => false,
            Self::Done | Self::Failed | Self::Cancelled => true,
        }
    }
}

/// How long a worker may hold a job without a sign of life. The rescuer takes it back then.
pub const LEASE: Duration = Duration::from_secs(30);
/// How often a worker says that it lives: several times per lease, so that one may get lost.
pub const HEARTBEAT: Duration = Duration::from_secs(8);
/// How often a job may be taken back from workers that died before it is given up: it may be
/// what kills them.
pub const RESCUES_MAX: u32 = 5;

/// What one kind of job may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobLimits {
    /// One attempt.
    pub timeout: Duration,
    pub attempts_max: u32,
}

impl Job {
    /// The name of the kind, as it stands in the database and in logs.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Execute { .. } => "execute",
            Self::Workspace { .. } => "workspace",
            Self::Plan { .. } => "plan",
            Self::Apply { .. } => "apply",
            Self::Reconcile { .. } => "reconcile",
            Self::Sync { .. } => "sync",
            Self::Janitor => "janitor",
        }
    }

    /// Of jobs with the same key, one is queued at most. Two specs that are applied to one
    /// campaign are two jobs, in their order.
    #[must_use]
    pub fn key(self) -> String {
        let kind = self.kind();
        match self {
            Self::Execute { execution } => format!("{kind}:{execution}"),
            Self::Workspace { workspace } => format!("{kind}:{workspace}"),
            Self::Plan { spec } => format!("{kind}:{spec}"),
            Self::Apply { campaign, spec } => format!("{kind}:{campaign}:{spec}"),
            Self::Reconcile { changeset } | Self::Sync { changeset } => {
                format!("{kind}:{changeset}")
            }
            Self::Janitor => kind.to_owned(),
        }
    }

    #[must_use]
    pub fn limits(self) -> JobLimits {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        let (timeout, attempts_max) = match self {
            Self::Execute { .. } => (minutes(10), 3),
            // A step acts on nothing but its sandbox, so one that a crash cut off may start over.
            Self::Workspace { .. } => (minutes(70), 3),
            Self::Plan { .. } | Self::Apply { .. } => (minutes(10), retry::ATTEMPTS_MAX),
            Self::Reconcile { .. } => (minutes(10), retry::ATTEMPTS_MAX),
            Self::Sync { .. } => (minutes(2), retry::ATTEMPTS_MAX),
            Self::Janitor => (minutes(10), retry::ATTEMPTS_MAX),
        };
        JobLimits { timeout, attempts_max }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn all() -> [Job; 7] {
        let id = Uuid::from_u128(1);
        [
            Job::Execute { execution: ExecutionId(id) },
            Job::Workspace { workspace: WorkspaceId(id) },
            Job::Plan { spec: CampaignSpecId(id) },
            Job::Apply { campaign: CampaignId(id), spec: CampaignSpecId(id) },
            Job::Reconcile { changeset: ChangesetId(id) },
            Job::Sync { changeset: ChangesetId(id) },
            Job::Janitor,
        ]
    }

    #[test]
    fn kinds_are_the_names_that_are_stored() {
        for job in all() {
            assert_eq!(serde_json::to_value(job).unwrap()["kind"], job.kind());
        }
    }

    #[test]
    fn jobs_about_different_things_have_different_keys() {
        let keys: std::collections::BTreeSet<_> = all().into_iter().map(Job::key).collect();
        assert_eq!(keys.len(), all().len());
    }

    #[test]
    fn a_lost_heartbeat_does_not_lose_the_lease() {
        assert!(LEASE > 3 * HEARTBEAT);
    }
}
