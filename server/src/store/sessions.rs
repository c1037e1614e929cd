//! Sessions of browsers: only the digest of the cookie's secret is stored.

use super::{Conn, StoreError, schema::sessions, sql_types::Db};
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, QueryableByName,
    sql_types::{Binary, Integer, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use drover::id::UserId;

/// A session ends when it is not used for so long …
pub const SESSION_IDLE_SECS_MAX: i32 = 12 * 60 * 60;
/// … and after so long in any case.
pub const SESSION_SECS_MAX: i32 = 7 * 24 * 60 * 60;
/// A session's last use is written down no more often, so that reading pages writes little.
const SESSION_TOUCH_SECS: i32 = 60;

/// SHA-256 of a secret.
pub type Digest = [u8; 32];

pub async fn insert(conn: &mut Conn, digest: &Digest, user: UserId) -> Result<(), StoreError> {
    diesel::sql_query(
        "INSERT INTO sessions (digest, user_id, expires_at)
         VALUES ($1, $2, now() + make_interval(secs => $3))",
    )
    .bind::<Binary, _>(digest.as_slice())
    .bind::<SqlUuid, _>(user.0)
    .bind::<Integer, _>(SESSION_SECS_MAX)
    .execute(conn)
    .await?;
    Ok(())
}

/// Finds whose session this is, and notes that it was used.
pub async fn find(conn: &mut Conn, digest: &Digest) -> Result<Option<UserId>, StoreError> {
    let row: Option<OwnerRow> = diesel::sql_query(
        "WITH live AS (
             SELECT digest, user_id, seen_at FROM sessions
             WHERE digest = $1 AND expires_at > now()
               AND seen_at > now() - make_interval(secs => $2)
         ), touched AS (
             UPDATE sessions s SET seen_at = now() FROM live
             WHERE s.digest = live.digest
               AND live.seen_at < now() - make_interval(secs => $3)
         )
         SELECT user_id FROM live",
    )
    .bind::<Binary, _>(digest.as_slice())
    .bind::<Integer, _>(SESSION_IDLE_SECS_MAX)
    .bind::<Integer, _>(SESSION_TOUCH_SECS)
    .get_result(conn)
    .await
    .optional()?;
    Ok(row.map(|row| row.user_id.0))
}

#[derive(QueryableByName)]
struct OwnerRow {
    #[diesel(sql_type = SqlUuid)]
    user_id: Db<UserId>,
}

/// Ends one session.
pub async fn delete(conn: &mut Conn, digest: &Digest) -> Result<(), StoreError> {
    diesel::delete(sessions::table.filter(sessions::digest.eq(digest.as_slice())))
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends all sessions of a person.
pub async fn delete_all(conn: &mut Conn, user: UserId) -> Result<(), StoreError> {
    diesel::delete(sessions::table.filter(sessions::user_id.eq(user.0))).execute(conn).await?;
    Ok(())
}
