//! Secrets to act on code hosts: sealed bytes that only [`crate::secret`] can open.

use super::{
    Conn, StoreError,
    error::Found,
    schema::credentials,
    sql_types::{Db, timestamptz},
};
use diesel::{
    ExpressionMethods, OptionalExtension, QueryableByName,
    sql_types::{Binary, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use drover::{
    id::{CodeHostId, CredentialId, UserId},
    time::Timestamp,
};

/// A stored secret, still sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    pub id: CredentialId,
    pub code_host: CodeHostId,
    /// The person whose secret it is; none for the one that the server uses for everybody.
    pub user: Option<UserId>,
    pub label: String,
    pub sealed: Vec<u8>,
    /// Which key opens it.
    pub key_id: String,
}

/// Stores a secret in the place of the one that its owner had for this code host.
pub async fn upsert(conn: &mut Conn, credential: &Credential) -> Result<CredentialId, StoreError> {
    let Credential { id, code_host, user, label, sealed, key_id } = credential;
    let row: IdRow = diesel::sql_query(
        "INSERT INTO credentials (id, code_host_id, user_id, label, sealed, key_id)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (code_host_id, user_id) DO UPDATE
         SET label = excluded.label, sealed = excluded.sealed, key_id = excluded.key_id,
             paused_until = NULL, refused_at = NULL, updated_at = now()
         RETURNING id",
    )
    .bind::<SqlUuid, _>(id.0)
    .bind::<SqlUuid, _>(code_host.0)
    .bind::<Nullable<SqlUuid>, _>(user.map(|user| user.0))
    .bind::<Text, _>(label)
    .bind::<Binary, _>(sealed)
    .bind::<Text, _>(key_id)
    .get_result(conn)
    .await?;
    Ok(row.id.0)
}

/// Finds the credential to act for a person: the person's own, otherwise the server's.
pub async fn find_for(
    conn: &mut Conn,
    code_host: CodeHostId,
    user: Option<UserId>,
) -> Result<Option<Credential>, StoreError> {
    let row: Option<Row> = diesel::sql_query(
        "SELECT id, code_host_id, user_id, label, sealed, key_id FROM credentials
         WHERE code_host_id = $1 AND (user_id IS NULL OR user_id = $2)
         ORDER BY user_id IS NULL LIMIT 1",
    )
    .bind::<SqlUuid, _>(code_host.0)
    .bind::<Nullable<SqlUuid>, _>(user.map(|user| user.0))
    .get_result(conn)
    .await
    .optional()?;
    Ok(row.map(Credential::from))
}

pub async fn load(conn: &mut Conn, id: CredentialId) -> Result<Credential, StoreError> {
    diesel::sql_query(
        "SELECT id, code_host_id, user_id, label, sealed, key_id FROM credentials WHERE id = $1",
    )
    .bind::<SqlUuid, _>(id.0)
    .get_result::<Row>(conn)
    .await
    .map(Credential::from)
    .found("credential")
}

/// Notes that the code host wants nothing from this credential before `until`.
pub async fn pause(conn: &mut Conn, id: CredentialId, until: Timestamp) -> Result<(), StoreError> {
    diesel::sql_query(
        "UPDATE credentials SET paused_until = greatest(paused_until, $2) WHERE id = $1",
    )
    .bind::<SqlUuid, _>(id.0)
    .bind::<Timestamptz, _>(timestamptz(until))
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that the code host does not accept this credential.
pub async fn mark_refused(conn: &mut Conn, id: CredentialId) -> Result<(), StoreError> {
    set_refused(conn, id, "coalesce(refused_at, now())").await
}

/// Notes that the code host accepts this credential again.
pub async fn unmark_refused(conn: &mut Conn, id: CredentialId) -> Result<(), StoreError> {
    set_refused(conn, id, "NULL").await
}

async fn set_refused(conn: &mut Conn, id: CredentialId, at: &str) -> Result<(), StoreError> {
    diesel::sql_query(format!("UPDATE credentials SET refused_at = {at} WHERE id = $1"))
        .bind::<SqlUuid, _>(id.0)
        .execute(conn)
        .await?;
    Ok(())
}

/// Since when the code host does not accept this credential; `None` while it does.
pub async fn refused_at(
    conn: &mut Conn,
    id: CredentialId,
) -> Result<Option<Timestamp>, StoreError> {
    let row: Option<RefusedRow> = diesel::sql_query(
        "SELECT code_host_id, refused_at FROM credentials
         WHERE id = $1 AND refused_at IS NOT NULL",
    )
    .bind::<SqlUuid, _>(id.0)
    .get_result(conn)
    .await
    .optional()?;
    Ok(row.map(|row| row.refused_at.0))
}

/// Lists the code hosts that do not accept the server's credential.
pub async fn list_refusing(conn: &mut Conn) -> Result<Vec<CodeHostId>, StoreError> {
    let rows: Vec<RefusedRow> = diesel::sql_query(
        "SELECT code_host_id, refused_at FROM credentials
         WHERE refused_at IS NOT NULL AND user_id IS NULL ORDER BY refused_at, id LIMIT 100",
    )
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.code_host_id.0).collect())
}

pub async fn delete(conn: &mut Conn, id: CredentialId) -> Result<(), StoreError> {
    diesel::delete(credentials::table).filter(credentials::id.eq(id.0)).execute(conn).await?;
    Ok(())
}

#[derive(QueryableByName)]
struct IdRow {
    #[diesel(sql_type = SqlUuid)]
    id: Db<CredentialId>,
}

#[derive(QueryableByName)]
struct RefusedRow {
    #[diesel(sql_type = SqlUuid)]
    code_host_id: Db<CodeHostId>,
    #[diesel(sql_type = Timestamptz)]
    refused_at: Db<Timestamp>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Db<CredentialId>,
    #[diesel(sql_type = SqlUuid)]
    code_host_id: Db<CodeHostId>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    user_id: Option<Db<UserId>>,
    #[diesel(sql_type = Text)]
    label: String,
    #[diesel(sql_type = Binary)]
    sealed: Vec<u8>,
    #[diesel(sql_type = Text)]
    key_id: String,
}

impl From<Row> for Credential {
    fn from(row: Row) -> Self {
        let Row { id, code_host_id, user_id, label, sealed, key_id } = row;
        let (id, code_host, user) = (id.0, code_host_id.0, user_id.map(|user| user.0));
        Self { id, code_host, user, label, sealed, key_id }
    }
}
