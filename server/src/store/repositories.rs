//! Repositories of code hosts, as they were seen last.

use super::{Conn, StoreError, error::Found, sql_types::Db};
use diesel::{
    OptionalExtension, QueryableByName,
    sql_types::{Array, Bool, Nullable, Text, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use drover::{
    id::{CodeHostId, RepoId},
    names::{BranchName, RepoName},
};
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    pub id: RepoId,
    pub code_host: CodeHostId,
    pub name: RepoName,
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
    pub name: RepoName,
    pub default_branch: BranchName,
    pub archive: Archive,
    pub language: Option<String>,
    pub topics: Vec<String>,
}

const COLUMNS: &str = "id, code_host_id, name, default_branch, archived, language, topics";

/// Writes down what a code host says about repositories and gives their rows, in the order of
/// their names.
pub async fn upsert(
    conn: &mut Conn,
    code_host: CodeHostId,
    seen: &[SeenRepository],
) -> Result<Vec<Repository>, StoreError> {
    let names: Vec<&str> = seen.iter().map(|it| it.name.as_str()).collect();
    let branches: Vec<&str> = seen.iter().map(|it| it.default_branch.as_str()).collect();
    let archived: Vec<bool> = seen.iter().map(|it| it.archive == Archive::Archived).collect();
    let languages: Vec<Option<&str>> = seen.iter().map(|it| it.language.as_deref()).collect();
    // Arrays of arrays must be rectangular in SQL; topics hold no line breaks.
    let topics: Vec<String> = seen.iter().map(|it| it.topics.join("\n")).collect();
    let rows: Vec<Row> = diesel::sql_query(format!(
        "WITH seen AS (
             SELECT DISTINCT ON (lower(name)) * FROM unnest($2, $3, $4, $5, $6)
                 AS it (name, default_branch, archived, language, topics)
         ), stored AS (
             INSERT INTO repositories
                 (id, code_host_id, name, default_branch, archived, language, topics)
             SELECT gen_random_uuid(), $1, name, default_branch, archived, language,
                    coalesce(string_to_array(nullif(topics, ''), E'\\n'), '{{}}')
             FROM seen
             ON CONFLICT (code_host_id, lower(name)) DO UPDATE
             SET name = excluded.name, default_branch = excluded.default_branch,
                 archived = excluded.archived, language = excluded.language,
                 topics = excluded.topics, seen_at = now()
             RETURNING {COLUMNS}
         )
         SELECT {COLUMNS} FROM stored ORDER BY name",
    ))
    .bind::<SqlUuid, _>(code_host.0)
    .bind::<Array<Text>, _>(names)
    .bind::<Array<Text>, _>(branches)
    .bind::<Array<Bool>, _>(archived)
    .bind::<Array<Nullable<Text>>, _>(languages)
    .bind::<Array<Text>, _>(topics)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(Repository::from).collect())
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
        "SELECT {COLUMNS} FROM repositories WHERE code_host_id = $1 AND lower(name) = lower($2)"
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
    #[diesel(sql_type = Text)]
    name: Db<RepoName>,
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
        let Row { id, code_host_id, name, default_branch, archived, language, topics } = row;
        let archive = if archived { Archive::Archived } else { Archive::Active };
        Self {
            id: id.0,
            code_host: code_host_id.0,
            name: name.0,
            default_branch: default_branch.0,
            archive,
            language,
            topics,
        }
    }
}
