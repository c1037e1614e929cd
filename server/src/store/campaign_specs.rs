//! Immutable texts of campaigns.

use super::{
    Conn, StoreError,
    error::Found,
    schema::campaign_specs,
    sql_types::{Db, integer},
};
use diesel::{
    ExpressionMethods, QueryDsl, QueryableByName,
    sql_types::{BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use drover::{
    id::{CampaignSpecId, NamespaceId, UserId},
    names::{CampaignName, NamespaceName},
    time::Timestamp,
    view::campaign::SpecRow,
    viewer::Namespace,
};

/// A spec that is never applied is deleted after so long.
pub const UNAPPLIED_DAYS: u32 = 7;
/// The specs that home shows for their author, at most.
const UNAPPLIED_ROWS_MAX: i64 = 10;

/// A spec to be stored.
pub struct NewCampaignSpec<'a> {
    pub id: CampaignSpecId,
    pub namespace: NamespaceId,
    pub author: UserId,
    pub name: &'a CampaignName,
    pub text: &'a str,
    /// As it stands in the text.
    pub description: &'a str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSpec {
    pub id: CampaignSpecId,
    pub namespace: Namespace,
    pub author: UserId,
    pub author_name: NamespaceName,
    pub name: CampaignName,
    pub text: String,
    pub description: String,
    pub created_at: Timestamp,
    /// When it is deleted; `None` once it was applied.
    pub expires_at: Option<Timestamp>,
}

pub async fn insert(conn: &mut Conn, spec: &NewCampaignSpec<'_>) -> Result<(), StoreError> {
    let NewCampaignSpec { id, namespace, author, name, text, description } = spec;
    diesel::sql_query(
        "INSERT INTO campaign_specs
             (id, namespace_id, author_id, name, text, description, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(days => $7))",
    )
    .bind::<SqlUuid, _>(id.0)
    .bind::<SqlUuid, _>(namespace.0)
    .bind::<SqlUuid, _>(author.0)
    .bind::<Text, _>(name.as_str())
    .bind::<Text, _>(text)
    .bind::<Text, _>(description)
    .bind::<Integer, _>(integer(UNAPPLIED_DAYS))
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn load(conn: &mut Conn, id: CampaignSpecId) -> Result<StoredSpec, StoreError> {
    diesel::sql_query(
        "SELECT s.id, s.namespace_id, n.name AS namespace, s.author_id, a.name AS author_name,
                s.name, s.text, s.description, s.created_at,
                CASE WHEN s.applied_at IS NULL THEN s.expires_at END AS expires_at
         FROM campaign_specs s
         JOIN namespaces n ON n.id = s.namespace_id
         JOIN namespaces a ON a.user_id = s.author_id
         WHERE s.id = $1",
    )
    .bind::<SqlUuid, _>(id.0)
    .get_result::<Row>(conn)
    .await
    .map(StoredSpec::from)
    .found("campaign spec")
}

/// Lists the specs that their author has not applied, the newest first.
pub async fn list_unapplied(conn: &mut Conn, author: UserId) -> Result<Vec<SpecRow>, StoreError> {
    let rows: Vec<UnappliedRow> = diesel::sql_query(
        "SELECT s.id, n.name AS namespace, s.name, s.created_at, s.expires_at
         FROM campaign_specs s JOIN namespaces n ON n.id = s.namespace_id
         WHERE s.author_id = $1 AND s.applied_at IS NULL AND s.expires_at > now()
         ORDER BY s.created_at DESC, s.id LIMIT $2",
    )
    .bind::<SqlUuid, _>(author.0)
    .bind::<BigInt, _>(UNAPPLIED_ROWS_MAX)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(SpecRow::from).collect())
}

/// Notes that a spec was applied, so that it stays for ever.
pub async fn mark_applied(conn: &mut Conn, id: CampaignSpecId) -> Result<(), StoreError> {
    diesel::update(campaign_specs::table.find(id.0))
        .filter(campaign_specs::applied_at.is_null())
        .set(campaign_specs::applied_at.eq(diesel::dsl::now))
        .execute(conn)
        .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Db<CampaignSpecId>,
    #[diesel(sql_type = SqlUuid)]
    namespace_id: Db<NamespaceId>,
    #[diesel(sql_type = Text)]
    namespace: Db<NamespaceName>,
    #[diesel(sql_type = SqlUuid)]
    author_id: Db<UserId>,
    #[diesel(sql_type = Text)]
    author_name: Db<NamespaceName>,
    #[diesel(sql_type = Text)]
    name: Db<CampaignName>,
    #[diesel(sql_type = Text)]
    text: String,
    #[diesel(sql_type = Text)]
    description: String,
    #[diesel(sql_type = Timestamptz)]
    created_at: Db<Timestamp>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    expires_at: Option<Db<Timestamp>>,
}

impl From<Row> for StoredSpec {
    fn from(row: Row) -> Self {
        let Row {
            id,
            namespace_id,
            namespace,
            author_id,
            author_name,
            name,
            text,
            description,
            created_at,
            expires_at,
        } = row;
        Self {
            id: id.0,
            namespace: Namespace { id: namespace_id.0, name: namespace.0 },
            author: author_id.0,
            author_name: author_name.0,
            name: name.0,
            text,
            description,
            created_at: created_at.0,
            expires_at: expires_at.map(|at| at.0),
        }
    }
}

#[derive(QueryableByName)]
struct UnappliedRow {
    #[diesel(sql_type = SqlUuid)]
    id: Db<CampaignSpecId>,
    #[diesel(sql_type = Text)]
    namespace: Db<NamespaceName>,
    #[diesel(sql_type = Text)]
    name: Db<CampaignName>,
    #[diesel(sql_type = Timestamptz)]
    created_at: Db<Timestamp>,
    #[diesel(sql_type = Timestamptz)]
    expires_at: Db<Timestamp>,
}

impl From<UnappliedRow> for SpecRow {
    fn from(row: UnappliedRow) -> Self {
        let UnappliedRow { id, namespace, name, created_at, expires_at } = row;
        Self {
            id: id.0,
            namespace: namespace.0,
            name: name.0,
            created_at: created_at.0,
            expires_at: expires_at.0,
        }
    }
}
