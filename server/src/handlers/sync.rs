//! Reads a pull request from the code host, and has the changesets that it concerns planned
//! again when it is other than before.
//!
//! Many of these jobs run at once, and their looks are one request.

use super::retry;
use crate::{
    clock,
    code_host::CodeHostError,
    jobs::{self, Ask, ClaimedJob, Finish, NewJob},
    look::{self, Target, Unseen},
    state::AppState,
    store::{changesets, pulls},
};
use anyhow::Context;
use diesel_async::AsyncConnection;
use drover::{
    changeset::{Observed, spec::ChangesetSpec},
    id::{ChangesetId, PullId},
    job::Job,
};
use std::time::Duration;

/// When a pull request is read again whose repository is not visible, or that could not be read
/// for another reason that only a person can mend.
const UNSEEN_WAIT: Duration = Duration::from_secs(24 * 60 * 60);
/// The changesets that track one pull request and are planned again, at most.
const WATCHERS_MAX: i64 = 1_000;

pub(super) async fn sync(
    state: &AppState,
    job: &ClaimedJob,
    id: ChangesetId,
) -> anyhow::Result<Finish> {
    let mut conn = state.store.conn().await?;
    let facts = changesets::load(&mut conn, id).await?;
    let (Some(pull), Observed::Pull(observed)) = (facts.pull, &facts.observed) else {
        return Ok(Finish::Done);
    };
    drop(conn);
    let head = match &facts.spec {
        ChangesetSpec::Branch(spec) => Some(spec.head.clone()),
        ChangesetSpec::Existing { .. } => None,
    };
    let target = Target { repo: facts.repo, head, base: None, number: Some(observed.number) };
    let mut look = look::look(state, &[target]).await?;
    let mut conn = state.store.conn().await?;
    conn.transaction(async |conn| {
        jobs::hold(conn, job.fence).await?;
        let changed = look.record(conn).await?;
        let watchers = pulls::list_watchers(conn, &changed, WATCHERS_MAX).await?;
        let work: Vec<NewJob> = watchers
            .into_iter()
            .map(|changeset| NewJob::from(Job::Reconcile { changeset }))
            .collect();
        jobs::enqueue(conn, &work, Ask::Hint).await
    })
    .await?;
    drop(conn);
    let seen = look.seen.pop().context("a look gives an answer for each target")?;
    match seen.sight {
        Ok(_) => Ok(Finish::Done),
        Err(error) => unseen(state, job, pull, error).await,
    }
}

/// Nothing that is stored changes when nothing was read; only when to read again does.
async fn unseen(
    state: &AppState,
    job: &ClaimedJob,
    pull: PullId,
    error: Unseen,
) -> anyhow::Result<Finish> {
    let finish = match error {
        Unseen::CodeHost(CodeHostError::Unauthorized { .. }) => retry::waits_for_credential(),
        Unseen::NoAccess(error) => retry::after(&retry::of_hosts(&error), job),
        Unseen::CodeHost(error) => retry::after(&retry::of_code_host(error), job),
        error @ Unseen::NoRepository => return Err(error.into()),
    };
    let wait = match &finish {
        Finish::Fail { .. } => Some(UNSEEN_WAIT),
        // It is not due while it waits, or the housekeeping would wake it at each round.
        Finish::Snooze { delay, .. } => Some(*delay),
        Finish::Done | Finish::Retry { .. } | Finish::Drift { .. } => None,
    };
    if let Some(wait) = wait {
        let mut conn = state.store.conn().await?;
        pulls::postpone(&mut conn, pull, clock::now() + wait).await?;
    }
    Ok(finish)
}
