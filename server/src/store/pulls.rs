//! Observed: pull requests as the code host described them last.
//!
//! Campaigns that track the same pull request share its row.

use super::{
    Conn, StoreError,
    error::Found,
    sql_types::{Db, Word, integer, timestamptz},
};
use chrono::{DateTime, Utc};
use diesel::{
    OptionalExtension, QueryableByName,
    sql_types::{
        Array, BigInt, Bool, Double, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid,
    },
};
use diesel_async::RunQueryDsl;
use drover::{
    changeset::{Closer, Pull, PullState, missing::Missing},
    id::{ChangesetId, PullId, RepoId},
    names::{BranchName, CommitSha, PullNumber},
    time::Timestamp,
};
use std::time::Duration;

/// A close of ours whose answer was lost may still arrive for so long.
const CLOSE_LATE: Duration = Duration::from_secs(60 * 60);

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

/// When a code host was asked, by the database's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskedAt(DateTime<Utc>);

/// The time before a code host is asked: what it says then does not undo what is written
/// meanwhile.
pub async fn asked_at(conn: &mut Conn) -> Result<AskedAt, StoreError> {
    let row: ClockRow =
        diesel::sql_query("SELECT clock_timestamp() AS at").get_result(conn).await?;
    Ok(AskedAt(row.at))
}

/// Writes down what a write of ours gave. Who closed it is kept while it is closed; a close that
/// Drover did not set out on ([`mark_closing`]) is a person's.
pub async fn upsert(conn: &mut Conn, seen: &SeenPull) -> Result<PullId, StoreError> {
    let stored = store(conn, std::slice::from_ref(seen), None).await?;
    let row = stored.into_iter().next().ok_or(StoreError::NotFound { what: "pull request" })?;
    Ok(row.id.0)
}

/// Writes down what was read of many, except for what was written since they were asked for;
/// gives those that are other than before.
pub async fn record_seen(
    conn: &mut Conn,
    seen: &[SeenPull],
    asked_at: AskedAt,
) -> Result<Vec<PullId>, StoreError> {
    let stored = store(conn, seen, Some(asked_at)).await?;
    Ok(stored.into_iter().filter(|row| row.changed).map(|row| row.id.0).collect())
}

async fn store(
    conn: &mut Conn,
    seen: &[SeenPull],
    asked_at: Option<AskedAt>,
) -> Result<Vec<StoredRow>, StoreError> {
    let texts = |text: fn(&SeenPull) -> &str| seen.iter().map(text).collect::<Vec<&str>>();
    let rows = diesel::sql_query(
        "WITH seen AS (
             SELECT DISTINCT ON (repo, number) * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $12)
                 AS it (repo, number, state, title, body, base, branch, head, url, next_sync_at,
                        merged_at)
         ), stored AS (
             INSERT INTO pulls (id, repository_id, number, state, title, body, base, branch, head,
                                url, next_sync_at, merged_at, closed_by)
             SELECT gen_random_uuid(), repo, number, state, title, body, base, branch, head, url,
                    next_sync_at, merged_at, CASE state WHEN 'closed' THEN 'person' END
             FROM seen
             ON CONFLICT (repository_id, number) DO UPDATE
             SET state = excluded.state, title = excluded.title, body = excluded.body,
                 base = excluded.base, branch = excluded.branch, head = excluded.head,
                 url = excluded.url, synced_at = clock_timestamp(),
                 next_sync_at = excluded.next_sync_at, merged_at = excluded.merged_at,
                 missing_since = NULL, missing_times = 0,
                 closed_by = CASE WHEN excluded.state = 'closed' THEN coalesce(pulls.closed_by,
                     CASE WHEN pulls.closing_since > now() - make_interval(secs => $13)
                          THEN 'drover' ELSE 'person' END) END
             WHERE $11 IS NULL OR pulls.synced_at <= $11
             RETURNING id, repository_id, number
         ), watchers AS (
             SELECT pg_notify('drover', 'changeset:' || c.id),
                    pg_notify('drover', 'campaign:' || c.campaign_id)
             FROM changesets c JOIN stored ON stored.id = c.pull_id
         )
         SELECT stored.id, (SELECT count(*) FROM watchers),
                (before.state, before.title, before.body, before.base, before.head)
                    IS DISTINCT FROM (seen.state, seen.title, seen.body, seen.base, seen.head)
                AS changed
         FROM stored
         JOIN seen ON seen.repo = stored.repository_id AND seen.number = stored.number
         LEFT JOIN pulls before ON before.id = stored.id",
    )
    .bind::<Array<SqlUuid>, _>(seen.iter().map(|it| it.repo.0).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(seen.iter().map(|it| it.pull.number.0).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(texts(|it| it.pull.state.word()))
    .bind::<Array<Text>, _>(texts(|it| &it.pull.title))
    .bind::<Array<Text>, _>(texts(|it| &it.pull.body))
    .bind::<Array<Text>, _>(texts(|it| it.pull.base.as_str()))
    .bind::<Array<Text>, _>(texts(|it| it.branch.as_str()))
    .bind::<Array<Text>, _>(texts(|it| it.pull.head.as_str()))
    .bind::<Array<Text>, _>(texts(|it| &it.url))
    .bind::<Array<Nullable<Timestamptz>>, _>(
        seen.iter().map(|it| it.next_sync_at.map(timestamptz)).collect::<Vec<_>>(),
    )
    .bind::<Nullable<Timestamptz>, _>(asked_at.map(|at| at.0))
    .bind::<Array<Nullable<Timestamptz>>, _>(
        seen.iter().map(|it| it.pull.merged_at.map(timestamptz)).collect::<Vec<_>>(),
    )
    .bind::<Double, _>(CLOSE_LATE.as_secs_f64())
    .load(conn)
    .await?;
    Ok(rows)
}

/// Notes that Drover sets out to close it, before the close is sent: it stays Drover's close when
/// the answer is lost.
pub async fn mark_closing(conn: &mut Conn, id: PullId) -> Result<(), StoreError> {
    set(conn, id, "closing_since = now()").await
}

/// Notes that Drover's close did not come about, or was taken back by a reopening.
pub async fn unmark_closing(conn: &mut Conn, id: PullId) -> Result<(), StoreError> {
    set(conn, id, "closing_since = NULL").await
}

async fn set(conn: &mut Conn, id: PullId, change: &str) -> Result<(), StoreError> {
    diesel::sql_query(format!("UPDATE pulls SET {change} WHERE id = $1"))
        .bind::<SqlUuid, _>(id.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes that the code host does not open it again, whatever is tried.
pub async fn mark_reopen_refused(conn: &mut Conn, id: PullId) -> Result<(), StoreError> {
    set(conn, id, "reopen_refused = true").await
}

/// A pull request that a look did not show although it showed its repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingPull {
    pub id: PullId,
    pub state: PullState,
    pub missing: Missing,
    pub next_sync_at: Timestamp,
}

/// Finds those of the pull requests that are stored, with how often they were missing before.
pub async fn list_missing(
    conn: &mut Conn,
    pulls: &[(RepoId, PullNumber)],
) -> Result<Vec<(PullId, PullState, Option<Missing>)>, StoreError> {
    let rows: Vec<MissingRow> = diesel::sql_query(
        "SELECT id, state, missing_since, missing_times FROM pulls
         JOIN unnest($1, $2) AS it (repo, number)
           ON repository_id = it.repo AND pulls.number = it.number ORDER BY id",
    )
    .bind::<Array<SqlUuid>, _>(pulls.iter().map(|(repo, _)| repo.0).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(pulls.iter().map(|(_, number)| number.0).collect::<Vec<_>>())
    .load(conn)
    .await?;
    let missing = |row: MissingRow| {
        let missing =
            row.missing_since.map(|Db(since)| Missing { since, times: row.missing_times.0 });
        (row.id.0, row.state.0, missing)
    };
    Ok(rows.into_iter().map(missing).collect())
}

/// Writes down that pull requests were missing once more.
pub async fn record_missing(conn: &mut Conn, missing: &[MissingPull]) -> Result<(), StoreError> {
    diesel::sql_query(
        "WITH stored AS (
             UPDATE pulls SET state = it.state, missing_since = it.since, missing_times = it.times,
                 next_sync_at = it.next_sync_at, synced_at = clock_timestamp(),
                 closed_by = CASE it.state WHEN 'closed' THEN closed_by END
             FROM unnest($1, $2, $3, $4, $5) AS it (id, state, since, times, next_sync_at)
             WHERE pulls.id = it.id RETURNING pulls.id
         )
         SELECT pg_notify('drover', 'changeset:' || c.id),
                pg_notify('drover', 'campaign:' || c.campaign_id)
         FROM changesets c JOIN stored ON stored.id = c.pull_id",
    )
    .bind::<Array<SqlUuid>, _>(missing.iter().map(|it| it.id.0).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(missing.iter().map(|it| it.state.word()).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(
        missing.iter().map(|it| timestamptz(it.missing.since)).collect::<Vec<_>>(),
    )
    .bind::<Array<Integer>, _>(
        missing.iter().map(|it| integer(it.missing.times)).collect::<Vec<_>>(),
    )
    .bind::<Array<Timestamptz>, _>(
        missing.iter().map(|it| timestamptz(it.next_sync_at)).collect::<Vec<_>>(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that Drover closed it, in the transaction that records the close.
pub async fn mark_closed_by_drover(conn: &mut Conn, id: PullId) -> Result<(), StoreError> {
    set(conn, id, "state = 'closed', closed_by = 'drover', closing_since = NULL").await
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

/// Reads one later that cannot be read now.
pub async fn postpone(conn: &mut Conn, id: PullId, until: Timestamp) -> Result<(), StoreError> {
    diesel::sql_query("UPDATE pulls SET next_sync_at = $2 WHERE id = $1")
        .bind::<SqlUuid, _>(id.0)
        .bind::<Timestamptz, _>(timestamptz(until))
        .execute(conn)
        .await?;
    Ok(())
}

/// Lists the live changesets that have or track these pull requests.
pub async fn list_watchers(
    conn: &mut Conn,
    pulls: &[PullId],
    limit: i64,
) -> Result<Vec<ChangesetId>, StoreError> {
    let rows: Vec<DueRow> = diesel::sql_query(
        "SELECT id FROM changesets
         WHERE pull_id = ANY($1) AND archived_at IS NULL AND detached_at IS NULL
         ORDER BY id LIMIT $2",
    )
    .bind::<Array<SqlUuid>, _>(pulls.iter().map(|id| id.0).collect::<Vec<_>>())
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
struct StoredRow {
    #[diesel(sql_type = SqlUuid)]
    id: Db<PullId>,
    #[diesel(sql_type = Bool)]
    changed: bool,
}

#[derive(QueryableByName)]
struct ClockRow {
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct MissingRow {
    #[diesel(sql_type = SqlUuid)]
    id: Db<PullId>,
    #[diesel(sql_type = Text)]
    state: Db<PullState>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    missing_since: Option<Db<Timestamp>>,
    #[diesel(sql_type = Integer)]
    missing_times: Db<u32>,
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
