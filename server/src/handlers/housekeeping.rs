//! What comes around by itself: pull requests to read again, writes whose outcome nobody knows,
//! rows that have expired.

use crate::{
    jobs::{self, Ask, Finish, NewJob},
    state::AppState,
    store::{Conn, StoreError, credentials, effects, janitor as rows, pulls},
};
use drover::{id::CodeHostId, job::Job};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often to look what is due.
const ROUND: Duration = Duration::from_secs(5);
/// How often to delete what has expired, in rounds.
const JANITOR_ROUNDS: u32 = 720;
/// How often to try a credential that was not accepted, in rounds.
const CREDENTIAL_ROUNDS: u32 = 6;
/// The pull requests that one round has read again, at most.
const SYNCS_MAX: i64 = 200;
/// A write that is unresolved for so long has lost its job.
const EFFECT_LOST: Duration = Duration::from_secs(120);
/// The lost writes that one round takes up, at most.
const EFFECTS_MAX: i64 = 100;

/// Queues what is due, until `stop`. Queued twice, by two servers, it runs once.
pub async fn keep_house(state: &AppState, stop: CancellationToken) {
    for round in 0_u32.. {
        if let Err(error) = look(state, round).await {
            tracing::warn!(error = %crate::commands::chain(&error), "a round of housekeeping failed");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(ROUND) => {}
        }
    }
}

async fn look(state: &AppState, round: u32) -> Result<(), StoreError> {
    let mut conn = state.store.conn().await?;
    let due = pulls::list_due(&mut conn, SYNCS_MAX).await?;
    let mut work: Vec<NewJob> =
        due.into_iter().map(|changeset| NewJob::from(Job::Sync { changeset })).collect();
    if round.is_multiple_of(CREDENTIAL_ROUNDS) {
        for host in credentials::list_refusing(&mut conn).await? {
            try_credential(state, &mut conn, host).await?;
        }
    }
    let lost = effects::list_unresolved(&mut conn, EFFECT_LOST, EFFECTS_MAX).await?;
    work.extend(lost.iter().map(|it| NewJob::from(Job::Reconcile { changeset: it.changeset })));
    if round.is_multiple_of(JANITOR_ROUNDS) {
        work.push(NewJob::from(Job::Janitor));
    }
    jobs::enqueue(&mut conn, &work, Ask::Hint).await
}

/// Asks with a credential that was not accepted whether it is now; then all that waits goes on.
async fn try_credential(
    state: &AppState,
    conn: &mut Conn,
    host: CodeHostId,
) -> Result<(), StoreError> {
    // Whatever is wrong with it stays as it is and is said where it is needed.
    let Ok(access) = state.hosts.open(conn, host).await else { return Ok(()) };
    if access.api.whoami().await.is_ok() {
        credentials::unmark_refused(conn, access.credential).await?;
        jobs::wake_waiting(conn).await?;
    }
    Ok(())
}

pub(super) async fn janitor(state: &AppState) -> anyhow::Result<Finish> {
    let mut conn = state.store.conn().await?;
    let swept = rows::sweep(&mut conn).await?;
    tracing::info!(?swept, "expired rows were deleted");
    Ok(Finish::Done)
}
