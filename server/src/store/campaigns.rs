//! Campaigns: named changes in namespaces.

use super::{
    Conn, StoreError,
    keyset::{self, ROWS_WANTED},
    sql_types::Db,
    status,
};
use diesel::{
    OptionalExtension, QueryableByName,
    sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use drover::{
    id::{CampaignId, CampaignSpecId, UserId},
    names::{CampaignName, NamespaceName},
    time::Timestamp,
    view::{
        Page,
        campaign::{CampaignRow, ChangesetCounts},
    },
    viewer::Namespace,
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A campaign without its changesets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Campaign {
    pub id: CampaignId,
    pub namespace: Namespace,
    pub name: CampaignName,
    /// The spec that was applied last, by whom and when.
    pub spec: CampaignSpecId,
    pub spec_text: String,
    pub description: String,
    pub applied_by: UserId,
    pub applied_by_name: NamespaceName,
    pub applied_at: Timestamp,
    /// The spec that the changesets were rewired to; differs while an apply is at work.
    pub rewired_spec: Option<CampaignSpecId>,
    pub updated_at: Timestamp,
}

/// Takes the lock of a campaign's name until the transaction ends, whether there is a campaign of
/// that name or not yet.
pub async fn lock_name(
    conn: &mut Conn,
    namespace: &Namespace,
    name: &CampaignName,
) -> Result<(), StoreError> {
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended($1 || lower($2), 0))")
        .bind::<Text, _>(namespace.id.to_string())
        .bind::<Text, _>(name.as_str())
        .execute(conn)
        .await?;
    Ok(())
}

/// Makes a spec the one that its campaign wants, and the campaign if there is none yet.
///
/// The rewiring of the changesets is left to a job, which the caller queues in the same
/// transaction.
pub async fn accept(
    conn: &mut Conn,
    new_id: CampaignId,
    spec: CampaignSpecId,
    by: UserId,
) -> Result<Accepted, StoreError> {
    super::campaign_specs::mark_applied(conn, spec).await?;
    let row: Option<IdRow> = diesel::sql_query(
        "INSERT INTO campaigns AS c (id, namespace_id, name, spec_id, applied_by, applied_at)
         SELECT $1, namespace_id, name, id, $3, now() FROM campaign_specs WHERE id = $2
         ON CONFLICT (namespace_id, lower(name)) DO UPDATE
         SET spec_id = excluded.spec_id, applied_by = excluded.applied_by, applied_at = now(),
             updated_at = now()
         WHERE c.spec_id <> excluded.spec_id
         RETURNING id",
    )
    .bind::<SqlUuid, _>(new_id.0)
    .bind::<SqlUuid, _>(spec.0)
    .bind::<SqlUuid, _>(by.0)
    .get_result(conn)
    .await
    .optional()?;
    Ok(row.map_or(Accepted::Already, |row| Accepted::Now(row.id.0)))
}

/// Whether a spec became what its campaign wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Accepted {
    Now(CampaignId),
    /// It is what the campaign wants already: nothing to do.
    Already,
}

/// Finds a campaign by its name in any case of letters.
pub async fn find(
    conn: &mut Conn,
    namespace: &NamespaceName,
    name: &CampaignName,
) -> Result<Option<Campaign>, StoreError> {
    let row: Option<Row> = diesel::sql_query(format!(
        "{SELECT} WHERE lower(n.name) = lower($1) AND lower(c.name) = lower($2)"
    ))
    .bind::<Text, _>(namespace.as_str())
    .bind::<Text, _>(name.as_str())
    .get_result(conn)
    .await
    .optional()?;
    Ok(row.map(Campaign::from))
}

pub async fn find_by_id(conn: &mut Conn, id: CampaignId) -> Result<Option<Campaign>, StoreError> {
    let row: Option<Row> = diesel::sql_query(format!("{SELECT} WHERE c.id = $1"))
        .bind::<SqlUuid, _>(id.0)
        .get_result(conn)
        .await
        .optional()?;
    Ok(row.map(Campaign::from))
}

/// Lists campaigns, those with the latest changes first.
pub async fn list(conn: &mut Conn, after: Option<&str>) -> Result<Page<CampaignRow>, StoreError> {
    let after = keyset::time_key(after)?;
    let rows: Vec<ListRow> = diesel::sql_query(
        "SELECT c.id, n.name AS namespace, c.name, s.description, c.updated_at,
                (extract(epoch FROM c.updated_at) * 1000000)::bigint AS micros
         FROM campaigns c
         JOIN namespaces n ON n.id = c.namespace_id
         JOIN campaign_specs s ON s.id = c.spec_id
         WHERE $1 IS NULL
            OR (c.updated_at, c.id) < (timestamptz 'epoch' + $1 * interval '1 microsecond', $2)
         ORDER BY c.updated_at DESC, c.id DESC LIMIT $3",
    )
    .bind::<Nullable<BigInt>, _>(after.map(|(micros, _)| micros))
    .bind::<Nullable<SqlUuid>, _>(after.map(|(_, id)| id))
    .bind::<BigInt, _>(ROWS_WANTED)
    .load(conn)
    .await?;
    let ids: Vec<CampaignId> = rows.iter().map(|row| row.id.0).collect();
    let counts = count_changesets(conn, &ids).await?;
    let mut page: Page<CampaignRow> =
        keyset::page(rows, |row| format!("{}.{}", row.micros, row.id.0));
    for row in &mut page.rows {
        row.counts = counts.get(&row.id).copied().unwrap_or_default();
    }
    Ok(page)
}

/// Counts the changesets of campaigns by status. Those put aside do not count.
pub async fn count_changesets(
    conn: &mut Conn,
    campaigns: &[CampaignId],
) -> Result<BTreeMap<CampaignId, ChangesetCounts>, StoreError> {
    let (status, from) = (status::STATUS, status::FROM);
    let rows: Vec<CountRow> = diesel::sql_query(format!(
        "SELECT campaign_id,
                count(*) FILTER (WHERE status = 'unpublished')::int AS unpublished,
                count(*) FILTER (WHERE status IN ('queued', 'processing', 'retrying'))::int
                    AS processing,
                count(*) FILTER (WHERE status = 'draft')::int AS draft,
                count(*) FILTER (WHERE status = 'open')::int AS open,
                count(*) FILTER (WHERE status = 'merged')::int AS merged,
                count(*) FILTER (WHERE status IN ('closed', 'deleted', 'read_only'))::int
                    AS closed,
                count(*) FILTER (WHERE status IN ('failed', 'drift'))::int AS needs_you
         FROM (
             SELECT c.campaign_id, {status} AS status {from}
             WHERE c.campaign_id = ANY($1) AND c.archived_at IS NULL AND c.detached_at IS NULL
         ) it
         GROUP BY campaign_id"
    ))
    .bind::<Array<SqlUuid>, _>(campaigns.iter().map(|id| id.0).collect::<Vec<Uuid>>())
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(CountRow::into_pair).collect())
}

/// What a list shows of a campaign.
#[must_use]
pub fn row(campaign: &Campaign, counts: ChangesetCounts) -> CampaignRow {
    CampaignRow {
        id: campaign.id,
        namespace: campaign.namespace.name.clone(),
        name: campaign.name.clone(),
        summary: summary(&campaign.description),
        counts,
        updated_at: campaign.updated_at,
    }
}

fn summary(description: &str) -> String {
    description.lines().next().unwrap_or_default().to_owned()
}

const SELECT: &str = "
    SELECT c.id, c.namespace_id, n.name AS namespace, c.name, c.spec_id, s.text, s.description,
           c.applied_by, a.name AS applied_by_name, c.applied_at, c.rewired_spec_id, c.updated_at
    FROM campaigns c
    JOIN namespaces n ON n.id = c.namespace_id
    JOIN campaign_specs s ON s.id = c.spec_id
    JOIN namespaces a ON a.user_id = c.applied_by";

#[derive(QueryableByName)]
struct IdRow {
    #[diesel(sql_type = SqlUuid)]
    id: Db<CampaignId>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Db<CampaignId>,
    #[diesel(sql_type = SqlUuid)]
    namespace_id: Db<drover::id::NamespaceId>,
    #[diesel(sql_type = Text)]
    namespace: Db<NamespaceName>,
    #[diesel(sql_type = Text)]
    name: Db<CampaignName>,
    #[diesel(sql_type = SqlUuid)]
    spec_id: Db<CampaignSpecId>,
    #[diesel(sql_type = Text)]
    text: String,
    #[diesel(sql_type = Text)]
    description: String,
    #[diesel(sql_type = SqlUuid)]
    applied_by: Db<UserId>,
    #[diesel(sql_type = Text)]
    applied_by_name: Db<NamespaceName>,
    #[diesel(sql_type = Timestamptz)]
    applied_at: Db<Timestamp>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    rewired_spec_id: Option<Db<CampaignSpecId>>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: Db<Timestamp>,
}

impl From<Row> for Campaign {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.0,
            namespace: Namespace { id: row.namespace_id.0, name: row.namespace.0 },
            name: row.name.0,
            spec: row.spec_id.0,
            spec_text: row.text,
            description: row.description,
            applied_by: row.applied_by.0,
            applied_by_name: row.applied_by_name.0,
            applied_at: row.applied_at.0,
            rewired_spec: row.rewired_spec_id.map(|id| id.0),
            updated_at: row.updated_at.0,
        }
    }
}

#[derive(QueryableByName)]
struct ListRow {
    #[diesel(sql_type = SqlUuid)]
    id: Db<CampaignId>,
    #[diesel(sql_type = Text)]
    namespace: Db<NamespaceName>,
    #[diesel(sql_type = Text)]
    name: Db<CampaignName>,
    #[diesel(sql_type = Text)]
    description: String,
    #[diesel(sql_type = Timestamptz)]
    updated_at: Db<Timestamp>,
    #[diesel(sql_type = BigInt)]
    micros: i64,
}

impl From<ListRow> for CampaignRow {
    fn from(row: ListRow) -> Self {
        let ListRow { id, namespace, name, description, updated_at, micros: _ } = row;
        Self {
            id: id.0,
            namespace: namespace.0,
            name: name.0,
            summary: summary(&description),
            counts: ChangesetCounts::default(),
            updated_at: updated_at.0,
        }
    }
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = SqlUuid)]
    campaign_id: Db<CampaignId>,
    #[diesel(sql_type = Integer)]
    unpublished: Db<u32>,
    #[diesel(sql_type = Integer)]
    processing: Db<u32>,
    #[diesel(sql_type = Integer)]
    draft: Db<u32>,
    #[diesel(sql_type = Integer)]
    open: Db<u32>,
    #[diesel(sql_type = Integer)]
    merged: Db<u32>,
    #[diesel(sql_type = Integer)]
    closed: Db<u32>,
    #[diesel(sql_type = Integer)]
    needs_you: Db<u32>,
}

impl CountRow {
    fn into_pair(self) -> (CampaignId, ChangesetCounts) {
        let counts = ChangesetCounts {
            unpublished: self.unpublished.0,
            processing: self.processing.0,
            draft: self.draft.0,
            open: self.open.0,
            merged: self.merged.0,
            closed: self.closed.0,
            needs_you: self.needs_you.0,
        };
        (self.campaign_id.0, counts)
    }
}
