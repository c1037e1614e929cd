//! Observed: pull requests as the code host described them last.
//!
//! Campaigns that track the same pull request share its row.

use super::{
    Conn, StoreError,
    error::Found,
    sql_types::{Db, Word, timestamptz},
};
use diesel::{
    OptionalExtension, QueryableByName,
    sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use drover::{
    changeset::{Closer, Pull, PullState},
    id::{ChangesetId, PullId, RepoId},
    names::{BranchName, CommitSha, PullNumber},
    time::Timestamp,
};

/// A pull request as it was read, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenPull {
    pub repo: RepoId,
    pub pull: Pull,
    pub branch: BranchName,
    /// For people.
    pub url: String,
    /// When to read it again; `None` for one that cannot change any more.
    pub next_sync_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPull {
    pub id: PullId,
    pub seen: SeenPull,
    pub closed_by: Option<Closer>,
    pub synced_at: Timestamp,
}

/// Writes down what was read. Who closed it is kept while it is closed; a close that Drover did
/// not note by [`mark_closed_by_drover`] is a person's.
pub async fn upsert(conn: &mut Conn, seen: &SeenPull) -> Result<PullId, StoreError> {
    let SeenPull { repo, pull, branch, url, next_sync_at } = seen;
    let Pull { number, state, title, body, base, head, merged_at } = pull;
    let row: IdRow = diesel::sql_query(
        "WITH stored AS (
             INSERT INTO pulls (id, repository_id, number, state, title, body, base, branch, head,
                                url, next_sync_at, merged_at, closed_by)
             VALUES (gen_random_uuid(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
                     CASE $3 WHEN 'closed' THEN 'person' END)
             ON CONFLICT (repository_id, number) DO UPDATE
             SET state = excluded.state, title = excluded.title, body = excluded.body,
                 base = excluded.base, branch = excluded.branch, head = excluded.head,
                 url = excluded.url, synced_at = now(),
                 next_sync_at = excluded.next_sync_at, merged_at = excluded.merged_at,
                 closed_by = CASE excluded.state
                     WHEN 'closed' THEN coalesce(pulls.closed_by, 'person') END
             RETURNING id
         ), watchers AS (
             SELECT pg_notify('drover', 'changeset:' || c.id),
                    pg_notify('drover', 'campaign:' || c.campaign_id)
             FROM changesets c JOIN stored ON stored.id = c.pull_id
         )
         SELECT id, (SELECT count(*) FROM watchers) FROM stored",
    )
    .bind::<SqlUuid, _>(repo.0)
    .bind::<BigInt, _>(number.0)
    .bind::<Text, _>(state.word())
    .bind::<Text, _>(title)
    .bind::<Text, _>(body)
    .bind::<Text, _>(base.as_str())
    .bind::<Text, _>(branch.as_str())
    .bind::<Text, _>(head.as_str())
    .bind::<Text, _>(url)
    .bind::<Nullable<Timestamptz>, _>(next_sync_at.map(timestamptz))
    .bind::<Nullable<Timestamptz>, _>(merged_at.map(timestamptz))
    .get_result(conn)
    .await?;
    Ok(row.id.0)
}

/// Notes that Drover closed it, in the transaction that records the close.
pub async fn mark_closed_by_drover(conn: &mut Conn, id: PullId) -> Result<(), StoreError> {
    diesel::sql_query("UPDATE pulls SET state = 'closed', closed_by = 'drover' WHERE id = $1")
        .bind::<SqlUuid, _>(id.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes that the code host does not open it again, whatever is tried.
pub async fn mark_reopen_refused(conn: &mut Conn, id: PullId) -> Result<(), StoreError> {
    diesel::sql_query("UPDATE pulls SET reopen_refused = true WHERE id = $1")
        .bind::<SqlUuid, _>(id.0)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn load(conn: &mut Conn, id: PullId) -> Result<StoredPull, StoreError> {
    diesel::sql_query(format!("{SELECT} WHERE id = $1"))
        .bind::<SqlUuid, _>(id.0)
        .get_result::<Row>(conn)
        .await
        .map(StoredPull::from)
        .found("pull request")
}

pub async fn find(
    conn: &mut Conn,
    repo: RepoId,
    number: PullNumber,
) -> Result<Option<StoredPull>, StoreError> {
    let row: Option<Row> =
        diesel::sql_query(format!("{SELECT} WHERE repository_id = $1 AND number = $2"))
            .bind::<SqlUuid, _>(repo.0)
            .bind::<BigInt, _>(number.0)
            .get_result(conn)
            .await
            .optional()?;
    Ok(row.map(StoredPull::from))
}

/// Lists live changesets whose pull requests are due to be read again, the longest due first:
/// one changeset per pull request.
pub async fn list_due(conn: &mut Conn, limit: i64) -> Result<Vec<ChangesetId>, StoreError> {
    let rows: Vec<DueRow> = diesel::sql_query(
        "SELECT changeset_id AS id FROM (
             SELECT DISTINCT ON (p.id) p.next_sync_at, c.id AS changeset_id
             FROM pulls p JOIN changesets c ON c.pull_id = p.id
             WHERE p.next_sync_at <= now() AND c.archived_at IS NULL AND c.detached_at IS NULL
             ORDER BY p.id, c.id
         ) due ORDER BY next_sync_at, changeset_id LIMIT $1",
    )
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.id.0).collect())
}

/// Makes pull requests due at once, such as when a webhook names them.
pub async fn make_due(
    conn: &mut Conn,
    repo: RepoId,
    numbers: &[PullNumber],
) -> Result<(), StoreError> {
    diesel::sql_query(
        "UPDATE pulls SET next_sync_at = now() WHERE repository_id = $1 AND number = ANY($2)",
    )
    .bind::<SqlUuid, _>(repo.0)
    .bind::<Array<BigInt>, _>(numbers.iter().map(|number| number.0).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

const SELECT: &str = "
    SELECT id, repository_id, number, state, title, body, base, branch, head, url,
           next_sync_at, closed_by, synced_at, merged_at
    FROM pulls";

#[derive(QueryableByName)]
struct IdRow {
    #[diesel(sql_type = SqlUuid)]
    id: Db<PullId>,
}

#[derive(QueryableByName)]
struct DueRow {
    #[diesel(sql_type = SqlUuid)]
    id: Db<ChangesetId>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Db<PullId>,
    #[diesel(sql_type = SqlUuid)]
    repository_id: Db<RepoId>,
    #[diesel(sql_type = BigInt)]
    number: Db<PullNumber>,
    #[diesel(sql_type = Text)]
    state: Db<PullState>,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Text)]
    body: String,
    #[diesel(sql_type = Text)]
    base: Db<BranchName>,
    #[diesel(sql_type = Text)]
    branch: Db<BranchName>,
    #[diesel(sql_type = Text)]
    head: Db<CommitSha>,
    #[diesel(sql_type = Text)]
    url: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    next_sync_at: Option<Db<Timestamp>>,
    #[diesel(sql_type = Nullable<Text>)]
    closed_by: Option<Db<Closer>>,
    #[diesel(sql_type = Timestamptz)]
    synced_at: Db<Timestamp>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    merged_at: Option<Db<Timestamp>>,
}

impl From<Row> for StoredPull {
    fn from(row: Row) -> Self {
        let pull = Pull {
            number: row.number.0,
            state: row.state.0,
            title: row.title,
            body: row.body,
            base: row.base.0,
            head: row.head.0,
            merged_at: row.merged_at.map(|at| at.0),
        };
        Self {
            id: row.id.0,
            seen: SeenPull {
                repo: row.repository_id.0,
                pull,
                branch: row.branch.0,
                url: row.url,
                next_sync_at: row.next_sync_at.map(|at| at.0),
            },
            closed_by: row.closed_by.map(|it| it.0),
            synced_at: row.synced_at.0,
        }
    }
}
