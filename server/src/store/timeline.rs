//! Who decided what: the audit log of campaigns and changesets, which only grows.

use super::{Conn, StoreError, schema::timeline, sql_types::Db};
use diesel::{
    ExpressionMethods, QueryableByName,
    sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use drover::{
    id::{CampaignId, ChangesetId, UserId},
    names::NamespaceName,
    time::Timestamp,
    view::campaign::TimelineRow,
};
use uuid::Uuid;

/// The newest rows that a page shows, at most.
const ROWS_MAX: i64 = 100;

/// One decision to be written down.
pub struct NewEvent<'a> {
    /// The person; `None` when Drover did it.
    pub actor: Option<UserId>,
    pub campaign: CampaignId,
    pub changeset: Option<ChangesetId>,
    pub text: &'a str,
    /// Facts for auditors: plan hash, commits before and after.
    pub detail: serde_json::Value,
}

pub async fn insert(conn: &mut Conn, event: NewEvent<'_>) -> Result<(), StoreError> {
    let NewEvent { actor, campaign, changeset, text, detail } = event;
    diesel::insert_into(timeline::table)
        .values((
            timeline::actor_id.eq(actor.map(|actor| actor.0)),
            timeline::campaign_id.eq(campaign.0),
            timeline::changeset_id.eq(changeset.map(|changeset| changeset.0)),
            timeline::text.eq(text),
            timeline::detail.eq(detail),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Writes the same down for many changesets in one statement.
pub async fn insert_for_all(
    conn: &mut Conn,
    actor: Option<UserId>,
    campaign: CampaignId,
    changesets: &[ChangesetId],
    text: &str,
) -> Result<(), StoreError> {
    let changesets: Vec<Uuid> = changesets.iter().map(|id| id.0).collect();
    diesel::sql_query(
        "INSERT INTO timeline (actor_id, campaign_id, changeset_id, text)
         SELECT $1, $2, id, $4 FROM unnest($3) AS it (id)",
    )
    .bind::<Nullable<SqlUuid>, _>(actor.map(|actor| actor.0))
    .bind::<SqlUuid, _>(campaign.0)
    .bind::<Array<SqlUuid>, _>(changesets)
    .bind::<Text, _>(text)
    .execute(conn)
    .await?;
    Ok(())
}

/// Lists what happened to a campaign as a whole, the newest first.
pub async fn list_of_campaign(
    conn: &mut Conn,
    campaign: CampaignId,
) -> Result<Vec<TimelineRow>, StoreError> {
    list(conn, "t.campaign_id = $1 AND t.changeset_id IS NULL", campaign.0).await
}

/// Lists what happened to a changeset, the newest first.
pub async fn list_of_changeset(
    conn: &mut Conn,
    changeset: ChangesetId,
) -> Result<Vec<TimelineRow>, StoreError> {
    list(conn, "t.changeset_id = $1", changeset.0).await
}

async fn list(conn: &mut Conn, of: &str, id: Uuid) -> Result<Vec<TimelineRow>, StoreError> {
    let rows: Vec<Row> = diesel::sql_query(format!(
        "SELECT t.at, n.name AS actor, t.text FROM timeline t
         LEFT JOIN namespaces n ON n.user_id = t.actor_id
         WHERE {of} ORDER BY t.id DESC LIMIT $2"
    ))
    .bind::<SqlUuid, _>(id)
    .bind::<BigInt, _>(ROWS_MAX)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(TimelineRow::from).collect())
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Timestamptz)]
    at: Db<Timestamp>,
    #[diesel(sql_type = Nullable<Text>)]
    actor: Option<Db<NamespaceName>>,
    #[diesel(sql_type = Text)]
    text: String,
}

impl From<Row> for TimelineRow {
    fn from(row: Row) -> Self {
        let Row { at, actor, text } = row;
        Self { at: at.0, actor: actor.map(|actor| actor.0), text }
    }
}
