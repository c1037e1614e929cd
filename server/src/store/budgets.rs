//! The budget of writes of one credential, shared by all servers.
//!
//! Every write is counted before it is sent, under a lock on the credential's row. The limits
//! hold in *every* minute and hour, not only in those of a calendar: a write waits until the
//! one that would be one too many has left the window.

use super::{Conn, StoreError, code_hosts::WriteLimits, error::Found, sql_types::Db};
use diesel::{
    QueryableByName,
    sql_types::{BigInt, Bool, Integer, Timestamptz, Uuid as SqlUuid},
};
use diesel_async::{AsyncConnection, RunQueryDsl};
use drover::{id::CredentialId, time::Timestamp};

/// The answer to who wants to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Spend {
    /// The write is counted: send it now.
    Granted,
    /// Nothing is counted: ask again at this time of the database.
    WaitUntil(Timestamp),
}

/// Counts one write, if the limits and the code host allow it now.
pub async fn spend_write(
    conn: &mut Conn,
    credential: CredentialId,
    limits: WriteLimits,
) -> Result<Spend, StoreError> {
    conn.transaction(async |conn| {
        lock(conn, credential).await?;
        // A second statement, so that it sees what others spent while this one waited for the
        // lock; `clock_timestamp()`, because `now()` is the time before the wait.
        let row: ReadyRow = diesel::sql_query(
            "WITH clock AS (SELECT clock_timestamp() AS at),
             ready AS (
                 SELECT greatest(
                     (SELECT at FROM clock),
                     (SELECT paused_until FROM credentials WHERE id = $1),
                     (SELECT at + make_interval(secs => $4 / 1000.0) FROM write_spends
                      WHERE credential_id = $1 ORDER BY at DESC LIMIT 1),
                     (SELECT at + interval '1 minute' FROM write_spends
                      WHERE credential_id = $1 ORDER BY at DESC OFFSET $2 - 1 LIMIT 1),
                     (SELECT at + interval '1 hour' FROM write_spends
                      WHERE credential_id = $1 ORDER BY at DESC OFFSET $3 - 1 LIMIT 1)
                 ) AS at
             ), spent AS (
                 INSERT INTO write_spends (credential_id, at)
                 SELECT $1, clock.at FROM clock, ready WHERE ready.at <= clock.at
                 RETURNING id
             )
             SELECT at, EXISTS (SELECT FROM spent) AS granted FROM ready",
        )
        .bind::<SqlUuid, _>(credential.0)
        .bind::<Integer, _>(limits.per_minute)
        .bind::<Integer, _>(limits.per_hour)
        .bind::<Integer, _>(limits.gap_millis)
        .get_result(conn)
        .await?;
        // Times here have milliseconds and those of the database microseconds: round up.
        let at = Timestamp(row.at.0.0 + 1);
        Ok(if row.granted { Spend::Granted } else { Spend::WaitUntil(at) })
    })
    .await
}

/// When a credential wrote within the last hour, the oldest first.
pub async fn history(
    conn: &mut Conn,
    credential: CredentialId,
) -> Result<Vec<Timestamp>, StoreError> {
    let rows: Vec<AtRow> = diesel::sql_query(
        "SELECT at FROM write_spends
         WHERE credential_id = $1 AND at > now() - interval '1 hour'
         ORDER BY at DESC LIMIT $2",
    )
    .bind::<SqlUuid, _>(credential.0)
    .bind::<BigInt, _>(HISTORY_ROWS_MAX)
    .load(conn)
    .await?;
    Ok(rows.into_iter().rev().map(|row| row.at.0).collect())
}

/// No window is longer than an hour, and no code host allows more writes in one.
const HISTORY_ROWS_MAX: i64 = 100_000;

#[derive(QueryableByName)]
struct AtRow {
    #[diesel(sql_type = Timestamptz)]
    at: Db<Timestamp>,
}

/// How many writes a credential made within the last minute and the last hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    pub last_minute: i64,
    pub last_hour: i64,
}

pub async fn count(conn: &mut Conn, credential: CredentialId) -> Result<Spent, StoreError> {
    let row: SpentRow = diesel::sql_query(
        "SELECT count(*) FILTER (WHERE at > now() - interval '1 minute') AS last_minute,
                count(*) AS last_hour
         FROM write_spends WHERE credential_id = $1 AND at > now() - interval '1 hour'",
    )
    .bind::<SqlUuid, _>(credential.0)
    .get_result(conn)
    .await?;
    let SpentRow { last_minute, last_hour } = row;
    Ok(Spent { last_minute, last_hour })
}

async fn lock(conn: &mut Conn, credential: CredentialId) -> Result<(), StoreError> {
    diesel::sql_query("SELECT true AS locked FROM credentials WHERE id = $1 FOR UPDATE")
        .bind::<SqlUuid, _>(credential.0)
        .get_result::<LockRow>(conn)
        .await
        .found("credential")
        .map(|_| ())
}

#[derive(QueryableByName)]
struct LockRow {
    #[diesel(sql_type = Bool)]
    #[expect(dead_code, reason = "a row has a column, and only the row's presence counts")]
    locked: bool,
}

#[derive(QueryableByName)]
struct ReadyRow {
    #[diesel(sql_type = Timestamptz)]
    at: Db<Timestamp>,
    #[diesel(sql_type = Bool)]
    granted: bool,
}

#[derive(QueryableByName)]
struct SpentRow {
    #[diesel(sql_type = BigInt)]
    last_minute: i64,
    #[diesel(sql_type = BigInt)]
    last_hour: i64,
}
