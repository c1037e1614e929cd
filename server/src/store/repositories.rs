//! Repositories of code hosts, as they were seen last.
//!
//! A repository is known by the number that its code host gave it. The name is what it was called
//! when it was seen last: it changes with a rename, and when another repository is seen under it,
//! the row that had it loses it.

use super::{Conn, StoreError, error::Found, sql_types::Db};
use diesel::{
    OptionalExtension, QueryableByName,
    sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use diesel_async::{AsyncConnection, RunQueryDsl};
use drover::{
    id::{CodeHostId, RepoId},
    names::{BranchName, HostRepoId, RepoName},
    time::Timestamp,
};
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    pub id: RepoId,
    pub code_host: CodeHostId,
    /// `None` for one that only an older Drover has seen.
    pub external_id: Option<HostRepoId>,
    pub name: RepoName,
    /// Since when another repository has the name, and it is not known what this one is called.
    pub name_lost_at: Option<Timestamp>,
    pub default_branch: BranchName,
    pub archive: Archive,
    pub language: Option<String>,
    pub topics: Vec<String>,
}

/// Whether a repository takes writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Archive {
    Active,
    /// It can only be read.
    Archived,
}

/// What a code host says about a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenRepository {
    pub id: HostRepoId,
    pub name: RepoName,
    pub default_branch: BranchName,
    pub archive: Archive,
    pub language: Option<String>,
    pub topics: Vec<String>,
}

/// What a look says about a repository that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryState {
    pub repo: RepoId,
    pub id: HostRepoId,
    pub name: RepoName,
    /// `None`: it is empty, and what was its default branch stays on record.
    pub default_branch: Option<BranchName>,
    pub archive: Archive,
}

const COLUMNS: &str = "id, code_host_id, external_id, name, name_lost_at, default_branch, archived,
    language, topics";

/// Writes down what a code host says about repositories and gives their rows, in the order of
/// their names.
pub async fn upsert(
    conn: &mut Conn,
    code_host: CodeHostId,
    seen: &[SeenRepository],
) -> Result<Vec<Repository>, StoreError> {
    let ids: Vec<i64> = seen.iter().map(|it| it.id.0).collect();
    let names: Vec<&str> = seen.iter().map(|it| it.name.as_str()).collect();
    let branches: Vec<&str> = seen.iter().map(|it| it.default_branch.as_str()).collect();
    let archived: Vec<bool> = seen.iter().map(|it| it.archive == Archive::Archived).collect();
    let languages: Vec<Option<&str>> = seen.iter().map(|it| it.language.as_deref()).collect();
    // Arrays of arrays must be rectangular in SQL; topics hold no line breaks.
    let topics: Vec<String> = seen.iter().map(|it| it.topics.join("\n")).collect();
    let rows: Vec<Row> = conn
        .transaction(async |conn| {
            identify(conn, code_host, &ids, &names).await?;
            let rows = diesel::sql_query(format!(
                "WITH seen AS (
                     SELECT DISTINCT ON (external_id) * FROM (
                         SELECT DISTINCT ON (lower(name)) * FROM unnest($2, $3, $4, $5, $6, $7)
                             AS it (external_id, name, default_branch, archived, language, topics)
                     ) named
                 ), stored AS (
                     INSERT INTO repositories (id, code_host_id, external_id, name, default_branch,
                                               archived, language, topics)
                     SELECT gen_random_uuid(), $1, external_id, name, default_branch, archived,
                            language, coalesce(string_to_array(nullif(topics, ''), E'\\n'), '{{}}')
                     FROM seen
                     ON CONFLICT (code_host_id, external_id) DO UPDATE
                     SET name = excluded.name, name_lost_at = NULL,
                         default_branch = excluded.default_branch, archived = excluded.archived,
                         language = excluded.language, topics = excluded.topics, seen_at = now()
                     RETURNING {COLUMNS}
                 )
                 SELECT {COLUMNS} FROM stored ORDER BY name",
            ))
            .bind::<SqlUuid, _>(code_host.0)
            .bind::<Array<BigInt>, _>(&ids)
            .bind::<Array<Text>, _>(&names)
            .bind::<Array<Text>, _>(branches)
            .bind::<Array<Bool>, _>(archived)
            .bind::<Array<Nullable<Text>>, _>(languages)
            .bind::<Array<Text>, _>(topics)
            .load(conn)
            .await?;
            Ok::<_, StoreError>(rows)
        })
        .await?;
    Ok(rows.into_iter().map(Repository::from).collect())
}

/// Takes the names from rows that are other repositories, and gives rows without a number the
/// one that was seen under their name.
async fn identify(
    conn: &mut Conn,
    code_host: CodeHostId,
    ids: &[i64],
    names: &[&str],
) -> Result<(), StoreError> {
    for change in [
        "name_lost_at = now() FROM seen
         WHERE r.name_lost_at IS NULL AND (r.external_id <> seen.id
             OR r.external_id IS NULL AND EXISTS (
                 SELECT FROM repositories other
                 WHERE other.code_host_id = $1 AND other.external_id = seen.id))",
        "external_id = seen.id FROM seen
         WHERE r.external_id IS NULL AND NOT EXISTS (
             SELECT FROM repositories other
             WHERE other.code_host_id = $1 AND other.external_id = seen.id)",
    ] {
        diesel::sql_query(format!(
            "WITH seen AS (SELECT DISTINCT ON (lower(name)) * FROM unnest($2, $3) AS it (id, name))
             UPDATE repositories r SET {change}
               AND r.code_host_id = $1 AND lower(r.name) = lower(seen.name)"
        ))
        .bind::<SqlUuid, _>(code_host.0)
        .bind::<Array<BigInt>, _>(ids)
        .bind::<Array<Text>, _>(names)
        .execute(conn)
        .await?;
    }
    Ok(())
}

/// Writes down what looks say about repositories of one code host that are known.
pub async fn record(
    conn: &mut Conn,
    code_host: CodeHostId,
    seen: &[RepositoryState],
) -> Result<(), StoreError> {
    let ids: Vec<i64> = seen.iter().map(|it| it.id.0).collect();
    let names: Vec<&str> = seen.iter().map(|it| it.name.as_str()).collect();
    let repos: Vec<Uuid> = seen.iter().map(|it| it.repo.0).collect();
    let branches: Vec<Option<&str>> =
        seen.iter().map(|it| it.default_branch.as_ref().map(BranchName::as_str)).collect();
    let archived: Vec<bool> = seen.iter().map(|it| it.archive == Archive::Archived).collect();
    conn.transaction(async |conn| {
        identify(conn, code_host, &ids, &names).await?;
        // What is so already is not written: a look changes seldom anything.
        diesel::sql_query(
            "UPDATE repositories r
             SET external_id = seen.external_id, name = seen.name, name_lost_at = NULL,
                 default_branch = coalesce(seen.default_branch, r.default_branch),
                 archived = seen.archived, seen_at = now()
             FROM (SELECT DISTINCT ON (id) * FROM unnest($1, $2, $3, $4, $5)
                       AS it (id, external_id, name, default_branch, archived)) seen
             WHERE r.id = seen.id AND coalesce(r.external_id, seen.external_id) = seen.external_id
               AND (r.external_id, r.name, r.default_branch, r.archived, r.name_lost_at)
                   IS DISTINCT FROM (seen.external_id, seen.name,
                       coalesce(seen.default_branch, r.default_branch), seen.archived, NULL)",
        )
        .bind::<Array<SqlUuid>, _>(&repos)
        .bind::<Array<BigInt>, _>(&ids)
        .bind::<Array<Text>, _>(&names)
        .bind::<Array<Nullable<Text>>, _>(&branches)
        .bind::<Array<Bool>, _>(&archived)
        .execute(conn)
        .await?;
        Ok(())
    })
    .await
}

/// Notes that the names of these rows belong to other repositories now.
pub async fn lose_names(conn: &mut Conn, repos: &[RepoId]) -> Result<(), StoreError> {
    let repos: Vec<Uuid> = repos.iter().map(|id| id.0).collect();
    diesel::sql_query(
        "UPDATE repositories SET name_lost_at = now()
         WHERE id = ANY($1) AND name_lost_at IS NULL",
    )
    .bind::<Array<SqlUuid>, _>(repos)
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn load(conn: &mut Conn, id: RepoId) -> Result<Repository, StoreError> {
    diesel::sql_query(format!("SELECT {COLUMNS} FROM repositories WHERE id = $1"))
        .bind::<SqlUuid, _>(id.0)
        .get_result::<Row>(conn)
        .await
        .map(Repository::from)
        .found("repository")
}

/// Finds a repository by name, in any case of letters.
pub async fn find(
    conn: &mut Conn,
    code_host: CodeHostId,
    name: &RepoName,
) -> Result<Option<Repository>, StoreError> {
    let row: Option<Row> = diesel::sql_query(format!(
        "SELECT {COLUMNS} FROM repositories WHERE code_host_id = $1 AND lower(name) = lower($2)
           AND name_lost_at IS NULL"
    ))
    .bind::<SqlUuid, _>(code_host.0)
    .bind::<Text, _>(name.as_str())
    .get_result(conn)
    .await
    .optional()?;
    Ok(row.map(Repository::from))
}

/// Lists those of the repositories that exist, in the order of their names.
pub async fn list(conn: &mut Conn, ids: &[RepoId]) -> Result<Vec<Repository>, StoreError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows: Vec<Row> = diesel::sql_query(format!(
        "SELECT {COLUMNS} FROM repositories WHERE id = ANY($1) ORDER BY name, id"
    ))
    .bind::<Array<SqlUuid>, _>(ids)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(Repository::from).collect())
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Db<RepoId>,
    #[diesel(sql_type = SqlUuid)]
    code_host_id: Db<CodeHostId>,
    #[diesel(sql_type = Nullable<BigInt>)]
    external_id: Option<i64>,
    #[diesel(sql_type = Text)]
    name: Db<RepoName>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    name_lost_at: Option<Db<Timestamp>>,
    #[diesel(sql_type = Text)]
    default_branch: Db<BranchName>,
    #[diesel(sql_type = Bool)]
    archived: bool,
    #[diesel(sql_type = Nullable<Text>)]
    language: Option<String>,
    #[diesel(sql_type = Array<Text>)]
    topics: Vec<String>,
}

impl From<Row> for Repository {
    fn from(row: Row) -> Self {
        let Row {
            id,
            code_host_id,
            external_id,
            name,
            name_lost_at,
            default_branch,
            archived,
            language,
            topics,
        } = row;
        let archive = if archived { Archive::Archived } else { Archive::Active };
        Self {
            id: id.0,
            code_host: code_host_id.0,
            external_id: external_id.map(HostRepoId),
            name: name.0,
            name_lost_at: name_lost_at.map(|at| at.0),
            default_branch: default_branch.0,
            archive,
            language,
            topics,
        }
    }
}
