//! Branches that Drover pushes: what it knows of its own commits on them, and where they stand.

use super::{Conn, StoreError};
use diesel::sql_types::{Array, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use drover::{
    changeset::Pushed,
    id::RepoId,
    names::{BranchName, CommitSha},
};
use uuid::Uuid;

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

/// Where a branch was seen; `None` when it is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenBranch {
    pub repo: RepoId,
    pub name: BranchName,
    pub head: Option<CommitSha>,
}

/// Writes down where branches stand on the code host. One that is not there and that nothing is
/// known of needs no row.
pub async fn record_heads(conn: &mut Conn, seen: &[SeenBranch]) -> Result<(), StoreError> {
    let repos: Vec<Uuid> = seen.iter().map(|it| it.repo.0).collect();
    let names: Vec<&str> = seen.iter().map(|it| it.name.as_str()).collect();
    let heads: Vec<Option<&str>> =
        seen.iter().map(|it| it.head.as_ref().map(CommitSha::as_str)).collect();
    diesel::sql_query(
        "INSERT INTO branches (repository_id, name, head, head_read_at)
         SELECT DISTINCT ON (repo, name) repo, name, head, now()
         FROM unnest($1, $2, $3) AS seen (repo, name, head)
         WHERE head IS NOT NULL OR EXISTS (
             SELECT FROM branches b WHERE b.repository_id = repo AND b.name = seen.name)
         ON CONFLICT (repository_id, name) DO UPDATE
         SET head = excluded.head, head_read_at = now(), updated_at = now()
         WHERE branches.head IS DISTINCT FROM excluded.head OR branches.head_read_at IS NULL",
    )
    .bind::<Array<SqlUuid>, _>(repos)
    .bind::<Array<Text>, _>(names)
    .bind::<Array<Nullable<Text>>, _>(heads)
    .execute(conn)
    .await?;
    Ok(())
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
