//! People, organisations and the namespaces that both own.

use super::{
    Conn, StoreError,
    error::Found,
    schema::*,
    sql_types::{Db, Word},
};
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, QueryableByName,
    sql_types::{Text, Uuid as SqlUuid},
};
use diesel_async::{AsyncConnection, RunQueryDsl};
use drover::{
    id::{NamespaceId, OrganisationId, UserId},
    names::NamespaceName,
    viewer::{Namespace, Role, Viewer},
};

/// The namespaces that one viewer can act in, at most.
const NAMESPACES_MAX: i64 = 1_000;

/// Inserts a person and the namespace of the same name.
pub async fn insert_user(
    conn: &mut Conn,
    id: UserId,
    namespace: NamespaceId,
    name: &NamespaceName,
    role: Role,
) -> Result<(), StoreError> {
    conn.transaction(async |conn| {
        diesel::insert_into(users::table)
            .values((users::id.eq(id.0), users::role.eq(role.word())))
            .execute(conn)
            .await?;
        diesel::insert_into(namespaces::table)
            .values((
                namespaces::id.eq(namespace.0),
                namespaces::name.eq(name.as_str()),
                namespaces::user_id.eq(id.0),
            ))
            .execute(conn)
            .await?;
        Ok(())
    })
    .await
}

/// Inserts an organisation and the namespace of the same name.
pub async fn insert_organisation(
    conn: &mut Conn,
    id: OrganisationId,
    namespace: NamespaceId,
    name: &NamespaceName,
) -> Result<(), StoreError> {
    conn.transaction(async |conn| {
        diesel::insert_into(organisations::table)
            .values(organisations::id.eq(id.0))
            .execute(conn)
            .await?;
        diesel::insert_into(namespaces::table)
            .values((
                namespaces::id.eq(namespace.0),
                namespaces::name.eq(name.as_str()),
                namespaces::organisation_id.eq(id.0),
            ))
            .execute(conn)
            .await?;
        Ok(())
    })
    .await
}

/// Makes a person a member of an organisation, once.
pub async fn insert_member(
    conn: &mut Conn,
    organisation: OrganisationId,
    user: UserId,
) -> Result<(), StoreError> {
    diesel::insert_into(members::table)
        .values((members::organisation_id.eq(organisation.0), members::user_id.eq(user.0)))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    Ok(())
}

/// Whether anybody can sign in yet.
pub async fn any_user(conn: &mut Conn) -> Result<bool, StoreError> {
    Ok(diesel::select(diesel::dsl::exists(users::table.select(users::id))).get_result(conn).await?)
}

/// Finds a person by name, in any case of letters.
pub async fn find_user(
    conn: &mut Conn,
    name: &NamespaceName,
) -> Result<Option<UserId>, StoreError> {
    let row: Option<IdRow> = diesel::sql_query(
        "SELECT user_id AS id FROM namespaces WHERE lower(name) = lower($1) AND user_id IS NOT NULL",
    )
    .bind::<Text, _>(name.as_str())
    .get_result(conn)
    .await
    .optional()?;
    Ok(row.map(|row| row.id.0))
}

#[derive(QueryableByName)]
struct IdRow {
    #[diesel(sql_type = SqlUuid)]
    id: Db<UserId>,
}

/// Loads a person with the namespaces that the person may change.
pub async fn load_viewer(conn: &mut Conn, id: UserId) -> Result<Viewer, StoreError> {
    let person: PersonRow = diesel::sql_query(
        "SELECT u.role, n.name FROM users u JOIN namespaces n ON n.user_id = u.id WHERE u.id = $1",
    )
    .bind::<SqlUuid, _>(id.0)
    .get_result(conn)
    .await
    .found("user")?;
    let own: Vec<NamespaceRow> = diesel::sql_query(
        "SELECT n.id, n.name FROM namespaces n
         LEFT JOIN members m ON m.organisation_id = n.organisation_id AND m.user_id = $1
         WHERE n.user_id = $1 OR m.user_id = $1
         ORDER BY n.user_id IS NULL, n.name LIMIT $2",
    )
    .bind::<SqlUuid, _>(id.0)
    .bind::<diesel::sql_types::BigInt, _>(NAMESPACES_MAX)
    .load(conn)
    .await?;
    let PersonRow { role: Db(role), name: Db(name) } = person;
    Ok(Viewer { id, name, role, namespaces: own.into_iter().map(Namespace::from).collect() })
}

/// Finds a namespace by name, in any case of letters.
pub async fn find_namespace(
    conn: &mut Conn,
    name: &NamespaceName,
) -> Result<Option<Namespace>, StoreError> {
    let row: Option<NamespaceRow> =
        diesel::sql_query("SELECT id, name FROM namespaces WHERE lower(name) = lower($1)")
            .bind::<Text, _>(name.as_str())
            .get_result(conn)
            .await
            .optional()?;
    Ok(row.map(Namespace::from))
}

#[derive(QueryableByName)]
struct PersonRow {
    #[diesel(sql_type = Text)]
    role: Db<Role>,
    #[diesel(sql_type = Text)]
    name: Db<NamespaceName>,
}

#[derive(QueryableByName)]
struct NamespaceRow {
    #[diesel(sql_type = SqlUuid)]
    id: Db<NamespaceId>,
    #[diesel(sql_type = Text)]
    name: Db<NamespaceName>,
}

impl From<NamespaceRow> for Namespace {
    fn from(row: NamespaceRow) -> Self {
        let NamespaceRow { id, name } = row;
        Self { id: id.0, name: name.0 }
    }
}
