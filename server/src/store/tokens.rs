//! Access tokens of people and programs, and the one setup token of a new server.

use super::{
    Conn, StoreError,
    schema::{access_tokens, setup_tokens},
    sessions::Digest,
    sql_types::{Db, timestamptz},
};
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, QueryableByName,
    sql_types::{Binary, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use drover::{id::UserId, time::Timestamp};
use uuid::Uuid;

/// An access token to be stored.
pub struct NewToken<'a> {
    pub id: Uuid,
    pub user: UserId,
    pub label: &'a str,
    pub digest: &'a Digest,
    /// `None`: until it is deleted.
    pub expires_at: Option<Timestamp>,
}

pub async fn insert(conn: &mut Conn, token: &NewToken<'_>) -> Result<(), StoreError> {
    let NewToken { id, user, label, digest, expires_at } = token;
    diesel::insert_into(access_tokens::table)
        .values((
            access_tokens::id.eq(id),
            access_tokens::user_id.eq(user.0),
            access_tokens::label.eq(label),
            access_tokens::digest.eq(digest.as_slice()),
            access_tokens::expires_at.eq(expires_at.map(timestamptz)),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Finds whose token this is, and notes that it was used.
pub async fn find(conn: &mut Conn, digest: &Digest) -> Result<Option<UserId>, StoreError> {
    let row: Option<OwnerRow> = diesel::sql_query(
        "WITH live AS (
             SELECT id, user_id, used_at FROM access_tokens
             WHERE digest = $1 AND (expires_at IS NULL OR expires_at > now())
         ), touched AS (
             UPDATE access_tokens t SET used_at = now() FROM live
             WHERE t.id = live.id
               AND (live.used_at IS NULL OR live.used_at < now() - interval '1 minute')
         )
         SELECT user_id FROM live",
    )
    .bind::<Binary, _>(digest.as_slice())
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

/// Deletes the person's tokens of this label, so that a new one can take its place.
pub async fn delete(conn: &mut Conn, user: UserId, label: &str) -> Result<(), StoreError> {
    diesel::delete(
        access_tokens::table
            .filter(access_tokens::user_id.eq(user.0))
            .filter(access_tokens::label.eq(label)),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Sets the setup token of a server that has none in use; the last one set counts.
pub async fn set_setup_token(conn: &mut Conn, digest: &Digest) -> Result<(), StoreError> {
    diesel::insert_into(setup_tokens::table)
        .values(setup_tokens::digest.eq(digest.as_slice()))
        .on_conflict(setup_tokens::only_one)
        .do_update()
        .set((
            setup_tokens::digest.eq(digest.as_slice()),
            setup_tokens::used_at.eq(None::<chrono::DateTime<chrono::Utc>>),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Whether a setup token was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// It is used up now.
    Accepted,
    /// It is another one, or it was used before.
    Refused,
}

/// Uses the setup token up. Of two who try at once, one is accepted.
pub async fn use_setup_token(conn: &mut Conn, digest: &Digest) -> Result<Setup, StoreError> {
    let used = diesel::update(setup_tokens::table)
        .filter(setup_tokens::digest.eq(digest.as_slice()))
        .filter(setup_tokens::used_at.is_null())
        .set(setup_tokens::used_at.eq(diesel::dsl::now))
        .execute(conn)
        .await?;
    Ok(if used == 1 { Setup::Accepted } else { Setup::Refused })
}
