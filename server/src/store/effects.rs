//! Writes to code hosts, by the effect protocol: record the intent → write once → record.
//!
//! A changeset has one unresolved write at most. One that a crash or a cut connection left
//! behind must be probed and resolved before anything new is sent.

use super::{
    Conn, StoreError,
    error::Found,
    jobs::{self, ClaimedJob, Fence},
    sql_types::Db,
};
use diesel::{
    OptionalExtension, QueryableByName,
    sql_types::{BigInt, Double, Integer, Jsonb, Text, Timestamptz, Uuid as SqlUuid},
};
use diesel_async::{AsyncConnection, RunQueryDsl};
use drover::{changeset::words::Words, id::ChangesetId, time::Timestamp};
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;

/// A write whose answer was lost may still arrive for so long.
const LATE: Duration = Duration::from_secs(24 * 60 * 60);
/// The updates whose words are remembered, at most.
const SENT_WORDS_MAX: i64 = 20;

/// A write to a code host.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    pub id: EffectId,
    pub changeset: ChangesetId,
    /// What is written, such as `push` or `open_pull`.
    pub kind: String,
    pub request: Value,
    pub created_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EffectId(pub Uuid);

/// The answer to who wants to write.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub enum Begin {
    /// The intent is recorded: write once, then [`finish`].
    Intended(EffectId),
    /// What became of an earlier write is not known: probe it first.
    Unresolved(Effect),
}

/// Records the intent to write, if the job is held and nothing is unresolved.
pub async fn begin(
    conn: &mut Conn,
    job: &ClaimedJob,
    changeset: ChangesetId,
    kind: &str,
    request: &Value,
) -> Result<Begin, StoreError> {
    conn.transaction(async |conn| {
        jobs::hold(conn, job.fence).await?;
        if let Some(effect) = find_unresolved(conn, changeset).await? {
            return Ok(Begin::Unresolved(effect));
        }
        let row: IdRow = diesel::sql_query(
            "INSERT INTO effects (changeset_id, job_id, fence, attempt, kind, request)
             VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
        )
        .bind::<SqlUuid, _>(changeset.0)
        .bind::<SqlUuid, _>(job.id.0)
        .bind::<BigInt, _>(job.fence.token)
        .bind::<Integer, _>(super::sql_types::integer(job.attempt))
        .bind::<Text, _>(kind)
        .bind::<Jsonb, _>(request)
        .get_result(conn)
        .await?;
        Ok(Begin::Intended(EffectId(row.id)))
    })
    .await
}

/// What is known about a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The code host did it.
    Done,
    /// The code host did not do it.
    Failed,
    /// No answer, or none that says which: it must be probed.
    Unknown,
}

/// Records what became of a write. Only who holds the job may say so.
pub async fn finish(
    conn: &mut Conn,
    fence: Fence,
    id: EffectId,
    outcome: Outcome,
    detail: &Value,
) -> Result<(), StoreError> {
    let state = match outcome {
        Outcome::Done => "done",
        Outcome::Failed => "failed",
        Outcome::Unknown => "unknown",
    };
    conn.transaction(async |conn| {
        jobs::hold(conn, fence).await?;
        diesel::sql_query(
            "UPDATE effects SET state = $2, outcome = $3,
                 finished_at = CASE WHEN $2 = 'unknown' THEN NULL ELSE now() END
             WHERE id = $1 AND state IN ('intended', 'unknown') RETURNING id",
        )
        .bind::<SqlUuid, _>(id.0)
        .bind::<Text, _>(state)
        .bind::<Jsonb, _>(detail)
        .get_result::<IdRow>(conn)
        .await
        .found("unresolved write")
        .map(|_| ())
    })
    .await
}

/// What was sent of an update and is no person's words: since the wish was in place last, and for
/// [`LATE`] where the answer was lost and the words were not seen. The newest last.
pub async fn list_sent_words(
    conn: &mut Conn,
    changeset: ChangesetId,
) -> Result<Vec<Words>, StoreError> {
    let rows: Vec<WordsRow> = diesel::sql_query(
        "SELECT words FROM (
             SELECT e.request -> 'words' AS words, e.created_at, e.id
             FROM effects e JOIN changesets c ON c.id = e.changeset_id
             WHERE e.changeset_id = $1 AND e.request ? 'words'
               AND (e.state <> 'failed' OR e.outcome ? 'probed')
               AND (e.created_at > coalesce(c.reached_at, '-infinity')
                    OR e.state = 'failed' AND e.created_at > now() - make_interval(secs => $2))
             ORDER BY e.created_at DESC, e.id LIMIT $3
         ) newest ORDER BY created_at, id",
    )
    .bind::<SqlUuid, _>(changeset.0)
    .bind::<Double, _>(LATE.as_secs_f64())
    .bind::<BigInt, _>(SENT_WORDS_MAX)
    .load(conn)
    .await?;
    // Words of another version of Drover that cannot be read are nobody's.
    let words = |row: WordsRow| serde_json::from_value(row.words).ok();
    Ok(rows.into_iter().filter_map(words).collect())
}

/// Finds the write of a changeset whose outcome is not known.
pub async fn find_unresolved(
    conn: &mut Conn,
    changeset: ChangesetId,
) -> Result<Option<Effect>, StoreError> {
    let row: Option<Row> = diesel::sql_query(
        "SELECT id, changeset_id, kind, request, created_at FROM effects
         WHERE changeset_id = $1 AND state IN ('intended', 'unknown')",
    )
    .bind::<SqlUuid, _>(changeset.0)
    .get_result(conn)
    .await
    .optional()?;
    Ok(row.map(Effect::from))
}

/// Lists writes that have been unresolved for longer than `age`, the oldest first.
pub async fn list_unresolved(
    conn: &mut Conn,
    age: Duration,
    limit: i64,
) -> Result<Vec<Effect>, StoreError> {
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT id, changeset_id, kind, request, created_at FROM effects
         WHERE state IN ('intended', 'unknown')
           AND created_at < now() - make_interval(secs => $1)
         ORDER BY created_at, id LIMIT $2",
    )
    .bind::<Double, _>(age.as_secs_f64())
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(Effect::from).collect())
}

#[derive(QueryableByName)]
struct IdRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

#[derive(QueryableByName)]
struct WordsRow {
    #[diesel(sql_type = Jsonb)]
    words: Value,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    changeset_id: Db<ChangesetId>,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Jsonb)]
    request: Value,
    #[diesel(sql_type = Timestamptz)]
    created_at: Db<Timestamp>,
}

impl From<Row> for Effect {
    fn from(row: Row) -> Self {
        let Row { id, changeset_id, kind, request, created_at } = row;
        Self {
            id: EffectId(id),
            changeset: changeset_id.0,
            kind,
            request,
            created_at: created_at.0,
        }
    }
}
