//! What each kind of job does.
//!
//! - [`execute`]: find the repositories of a spec
//! - [`workspace`]: run its steps in one of them
//! - [`plan`]: look at what a spec is about, and plan it
//! - [`apply`]: rewire the changesets of a campaign
//! - [`reconcile`]: move one pull request towards what is desired
//! - [`sync`]: read pull requests again
//! - [`housekeeping`]: what comes around by itself
//!
//! A handler takes ids and reads the truth itself, so a job may run twice, late or after a
//! crash. It decides nothing that the domain can decide, and says how the job goes on.

mod apply;
mod execute;
mod housekeeping;
mod plan;
mod reconcile;
pub mod resolve;
mod retry;
mod sync;
mod workspace;

use crate::{
    jobs::{ClaimedJob, Finish, Limits},
    state::AppState,
};
use anyhow::Context;
use drover::job::Job;
use tokio_util::sync::CancellationToken;

pub use housekeeping::keep_house;

/// How many jobs of each kind one server works on at once.
#[must_use]
pub fn limits(workspaces_at_once: u32) -> Limits {
    Limits::from([
        ("execute", 4),
        ("workspace", workspaces_at_once),
        ("plan", 2),
        ("apply", 2),
        // Their looks are collected into one request.
        ("reconcile", 12),
        ("sync", 40),
        ("janitor", 1),
    ])
}

/// Does a job's work, within the time that its kind may take.
pub async fn handle(
    state: AppState,
    claimed: ClaimedJob,
    stop: CancellationToken,
) -> anyhow::Result<Finish> {
    let job: Job = serde_json::from_value(claimed.payload.clone())
        .with_context(|| format!("the job {} is of no kind that this server knows", claimed.id))?;
    let work = async {
        match job {
            Job::Execute { execution } => execute::execute(&state, &claimed, execution).await,
            Job::Workspace { workspace } => {
                workspace::run(&state, &claimed, workspace, &stop).await
            }
            Job::Plan { spec } => plan::make(&state, spec).await,
            Job::Apply { campaign, spec } => apply::apply(&state, campaign, spec).await,
            Job::Reconcile { changeset } => reconcile::reconcile(&state, &claimed, changeset).await,
            Job::Sync { changeset } => sync::sync(&state, &claimed, changeset).await,
            Job::Janitor => housekeeping::janitor(&state).await,
        }
    };
    let limit = job.limits().timeout;
    tokio::time::timeout(limit, work)
        .await
        .with_context(|| format!("it did not end within {} s", limit.as_secs()))?
}
