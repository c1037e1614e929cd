//! Reads a pull request from the code host, and has the changesets that it concerns planned
//! again when it is other than before.

use super::retry;
use crate::{
    code_host::CodeHostError,
    jobs::{self, Ask, ClaimedJob, Finish, NewJob},
    look,
    state::AppState,
    store::{changesets, pulls, repositories},
};
use diesel_async::AsyncConnection;
use drover::{changeset::PullState, id::ChangesetId, job::Job};

pub(super) async fn sync(
    state: &AppState,
    job: &ClaimedJob,
    id: ChangesetId,
) -> anyhow::Result<Finish> {
    let mut conn = state.store.conn().await?;
    let facts = changesets::load(&mut conn, id).await?;
    let Some(pull) = facts.pull else { return Ok(Finish::Done) };
    let before = pulls::load(&mut conn, pull).await?;
    let repo = repositories::load(&mut conn, facts.repo).await?;
    let access = match state.hosts.open(&mut conn, repo.code_host).await {
        Ok(access) => access,
        Err(error) => return Ok(retry::after(&retry::of_hosts(&error), job)),
    };
    drop(conn);
    let now = match access.api.get_pull(&repo.name, before.seen.pull.number).await {
        Ok(info) => look::stored(facts.repo, &info, None),
        Err(CodeHostError::NotFound { .. }) => {
            let mut gone = before.seen.clone();
            gone.pull.state = PullState::Deleted;
            gone.next_sync_at = None;
            gone
        }
        Err(error) => return Ok(retry::after(&retry::of_code_host(error), job)),
    };
    let mut conn = state.store.conn().await?;
    conn.transaction(async |conn| {
        jobs::hold(conn, job.fence).await?;
        pulls::upsert(conn, &now).await?;
        if now.pull != before.seen.pull {
            let again = NewJob::from(Job::Reconcile { changeset: id });
            jobs::enqueue(conn, &[again], Ask::Hint).await?;
        }
        Ok::<_, crate::store::StoreError>(())
    })
    .await?;
    Ok(Finish::Done)
}
