//! Branches that Drover pushes: what it knows of its own commits on them, and where they stand.

use super::{Conn, StoreError};
use diesel::sql_types::{Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use drover::{
    changeset::Pushed,
    id::RepoId,
    names::{BranchName, CommitSha},
};

/// Writes down that a push is set out on, before it is sent.
pub async fn record_attempt(
    conn: &mut Conn,
    repo: RepoId,
    branch: &BranchName,
    push: &Pushed,
) -> Result<(), StoreError> {
    let Pushed { commit, content } = push;
    let columns = "attempted_commit, attempted_content";
    upsert(conn, repo, branch, columns, "", Some(commit.as_str()), Some(&content.0)).await
}

/// Writes down that a push was seen to succeed.
pub async fn record_pushed(
    conn: &mut Conn,
    repo: RepoId,
    branch: &BranchName,
    push: &Pushed,
) -> Result<(), StoreError> {
    let Pushed { commit, content } = push;
    let also = ", attempted_commit = NULL, attempted_content = NULL, head = $3, \
                head_read_at = now()";
    let columns = "pushed_commit, pushed_content";
    upsert(conn, repo, branch, columns, also, Some(commit.as_str()), Some(&content.0)).await
}

/// Writes down where the branch stands on the code host; `None` when it is not there.
pub async fn record_head(
    conn: &mut Conn,
    repo: RepoId,
    branch: &BranchName,
    head: Option<&CommitSha>,
) -> Result<(), StoreError> {
    let also = ", head_read_at = now()";
    upsert(conn, repo, branch, "head", also, head.map(CommitSha::as_str), None).await
}

/// Sets one or two columns to `$3` and `$4`.
async fn upsert(
    conn: &mut Conn,
    repo: RepoId,
    branch: &BranchName,
    columns: &str,
    also: &str,
    first: Option<&str>,
    second: Option<&str>,
) -> Result<(), StoreError> {
    let (values, set) = match columns.split_once(", ") {
        None => ("$3", format!("{columns} = $3")),
        Some((one, two)) => ("$3, $4", format!("{one} = $3, {two} = $4")),
    };
    diesel::sql_query(format!(
        "INSERT INTO branches (repository_id, name, {columns}, head_read_at)
         VALUES ($1, $2, {values}, now())
         ON CONFLICT (repository_id, name) DO UPDATE SET {set}{also}, updated_at = now()"
    ))
    .bind::<SqlUuid, _>(repo.0)
    .bind::<Text, _>(branch.as_str())
    .bind::<Nullable<Text>, _>(first)
    .bind::<Nullable<Text>, _>(second)
    .execute(conn)
    .await?;
    Ok(())
}
