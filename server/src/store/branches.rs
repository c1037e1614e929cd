//! Branches that Drover pushes: what it knows of its own commits on them, and where they stand.

use super::{Conn, StoreError, sql_types::Db};
use diesel::{
    QueryableByName,
    sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use drover::{
    changeset::Pushed,
    id::RepoId,
    names::{BranchName, CommitSha},
};
use uuid::Uuid;

/// The branches of one repository that campaigns go into that are read, at most.
const BASES_MAX: i64 = 10_000;
/// The attempts of one branch whose ends were not seen that are told apart, at most: the newest.
pub const ATTEMPTS_MAX: usize = 50;

/// Writes down that a push is set out on, before it is sent. It stays ours beside earlier ones
/// whose ends were not seen.
pub async fn record_attempt(
    conn: &mut Conn,
    repo: RepoId,
    branch: &BranchName,
    push: &Pushed,
) -> Result<(), StoreError> {
    let Pushed { commit, content } = push;
    diesel::sql_query(
        "INSERT INTO branch_attempts (repository_id, branch, commit, content)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (repository_id, branch, commit)
         DO UPDATE SET content = excluded.content, at = now()",
    )
    .bind::<SqlUuid, _>(repo.0)
    .bind::<Text, _>(branch.as_str())
    .bind::<Text, _>(commit.as_str())
    .bind::<Text, _>(&content.0)
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes down that a push was seen to succeed. Its lease tells that no earlier one can arrive
/// any more.
pub async fn record_pushed(
    conn: &mut Conn,
    repo: RepoId,
    branch: &BranchName,
    push: &Pushed,
) -> Result<(), StoreError> {
    let Pushed { commit, content } = push;
    diesel::sql_query(
        "WITH resolved AS (
             DELETE FROM branch_attempts WHERE repository_id = $1 AND branch = $2
         )
         INSERT INTO branches (repository_id, name, pushed_commit, pushed_content, head,
                               head_read_at)
         VALUES ($1, $2, $3, $4, $3, now())
         ON CONFLICT (repository_id, name) DO UPDATE
         SET pushed_commit = $3, pushed_content = $4, head = $3, head_read_at = now(),
             updated_at = now()",
    )
    .bind::<SqlUuid, _>(repo.0)
    .bind::<Text, _>(branch.as_str())
    .bind::<Text, _>(commit.as_str())
    .bind::<Text, _>(&content.0)
    .execute(conn)
    .await?;
    Ok(())
}

/// Lists the branches of a repository that live changesets go into, of all campaigns.
pub async fn list_bases(conn: &mut Conn, repo: RepoId) -> Result<Vec<BranchName>, StoreError> {
    let rows: Vec<NameRow> = diesel::sql_query(
        "SELECT DISTINCT s.base AS name FROM changesets c JOIN changeset_specs s ON s.id = c.spec_id
         WHERE c.repository_id = $1 AND s.base IS NOT NULL
           AND c.archived_at IS NULL AND c.detached_at IS NULL
         ORDER BY s.base LIMIT $2",
    )
    .bind::<SqlUuid, _>(repo.0)
    .bind::<BigInt, _>(BASES_MAX)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.name.0).collect())
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

#[derive(QueryableByName)]
struct NameRow {
    #[diesel(sql_type = Text)]
    name: Db<BranchName>,
}
