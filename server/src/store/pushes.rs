//! Our own commits on branches, so that they are told from those of others.

use super::{Conn, StoreError};
use diesel::sql_types::{Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use drover::{changeset::Pushed, id::RepoId, names::BranchName};

/// Writes down what will be pushed, before it is sent.
pub async fn attempt(
    conn: &mut Conn,
    repo: RepoId,
    branch: &BranchName,
    push: &Pushed,
) -> Result<(), StoreError> {
    upsert(conn, repo, branch, push, "attempted").await
}

/// Writes down what was seen at the tip of the branch after a push.
pub async fn confirm(
    conn: &mut Conn,
    repo: RepoId,
    branch: &BranchName,
    push: &Pushed,
) -> Result<(), StoreError> {
    upsert(conn, repo, branch, push, "pushed").await
}

async fn upsert(
    conn: &mut Conn,
    repo: RepoId,
    branch: &BranchName,
    push: &Pushed,
    columns: &str,
) -> Result<(), StoreError> {
    diesel::sql_query(format!(
        "INSERT INTO pushes (repository_id, branch, {columns}_commit, {columns}_content)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (repository_id, branch) DO UPDATE
         SET {columns}_commit = excluded.{columns}_commit,
             {columns}_content = excluded.{columns}_content"
    ))
    .bind::<SqlUuid, _>(repo.0)
    .bind::<Text, _>(branch.as_str())
    .bind::<Text, _>(push.commit.as_str())
    .bind::<Text, _>(&push.content.0)
    .execute(conn)
    .await?;
    Ok(())
}
