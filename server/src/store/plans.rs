//! Plans as they were decided: their rows for previews, and what they were made from, so that
//! apply can name the rows that moved since.

use super::{Conn, StoreError, sql_types::Db};
use diesel::{
    OptionalExtension, QueryableByName,
    sql_types::{Array, Bool, Integer, Jsonb, Nullable, Text, Uuid as SqlUuid},
};
use diesel_async::{AsyncConnection, RunQueryDsl};
use drover::{
    campaign::plan_hash::PlanRows,
    changeset::spec::ChangesetSpec,
    id::{CampaignSpecId, ChangesetSpecId},
    view::{PAGE_ROWS_MAX, Page, preview::PlanHash},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// A row of a plan as a preview lists it, and the spec whose words it shows.
pub struct PlanRow<R> {
    pub words: ChangesetSpecId,
    pub row: R,
}

/// A plan without its rows.
pub struct StoredPlan<S> {
    pub hash: PlanHash,
    pub applied: Option<CampaignSpecId>,
    pub summary: S,
    /// Whether nothing that it was made from is known to have moved since.
    pub freshness: Freshness,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    Fresh,
    /// A changeset of the campaign has changed, another spec was applied, or it is long ago.
    Stale,
}

/// A plan that was made when the code host was looked at so long ago is made again.
const FRESH_SECONDS: i32 = 60;
/// The versions of one plan that keep their rows.
const VERSIONS_KEPT: i32 = 3;

/// What a plan is stored as.
pub struct NewPlan<'a, S, R> {
    pub spec: CampaignSpecId,
    pub hash: &'a PlanHash,
    pub applied: Option<CampaignSpecId>,
    pub states: &'a PlanRows,
    pub summary: &'a S,
    pub rows: &'a [PlanRow<R>],
}

/// Keeps a plan under its hash as the newest one; the same plan again is only noted as new.
pub async fn keep<S: Serialize, R: Serialize>(
    conn: &mut Conn,
    plan: &NewPlan<'_, S, R>,
) -> Result<(), StoreError> {
    let NewPlan { spec, hash, applied, states, summary, rows } = plan;
    let (states, summary) = (json(states)?, json(summary)?);
    let words: Vec<uuid::Uuid> = rows.iter().map(|row| row.words.0).collect();
    let values = rows.iter().map(|row| json(&row.row)).collect::<Result<Vec<_>, _>>()?;
    let positions: Vec<i32> = (0..).take(rows.len()).collect();
    conn.transaction(async |conn| {
        diesel::sql_query(
            "INSERT INTO plans (campaign_spec_id, hash, rows, applied_spec_id, summary)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (campaign_spec_id, hash)
             DO UPDATE SET made_at = clock_timestamp(), summary = excluded.summary",
        )
        .bind::<SqlUuid, _>(spec.0)
        .bind::<Text, _>(&hash.0)
        .bind::<Jsonb, _>(states)
        .bind::<Nullable<SqlUuid>, _>(applied.map(|id| id.0))
        .bind::<Jsonb, _>(summary)
        .execute(conn)
        .await?;
        diesel::sql_query("DELETE FROM plan_rows WHERE campaign_spec_id = $1 AND hash = $2")
            .bind::<SqlUuid, _>(spec.0)
            .bind::<Text, _>(&hash.0)
            .execute(conn)
            .await?;
        diesel::sql_query(
            "INSERT INTO plan_rows (campaign_spec_id, hash, position, changeset_spec_id, row)
             SELECT $1, $2, it.* FROM unnest($3, $4, $5) AS it (position, words, row)",
        )
        .bind::<SqlUuid, _>(spec.0)
        .bind::<Text, _>(&hash.0)
        .bind::<Array<Integer>, _>(positions)
        .bind::<Array<SqlUuid>, _>(words)
        .bind::<Array<Jsonb>, _>(values)
        .execute(conn)
        .await?;
        diesel::sql_query(
            "DELETE FROM plan_rows WHERE campaign_spec_id = $1 AND hash NOT IN (
                 SELECT hash FROM plans WHERE campaign_spec_id = $1
                 ORDER BY made_at DESC, hash LIMIT $2)",
        )
        .bind::<SqlUuid, _>(spec.0)
        .bind::<Integer, _>(VERSIONS_KEPT)
        .execute(conn)
        .await?;
        diesel::sql_query("SELECT pg_notify('drover', 'preview:' || $1::text)")
            .bind::<Text, _>(spec.to_string())
            .execute(conn)
            .await?;
        Ok(())
    })
    .await
}

/// Finds the newest plan of a spec.
pub async fn newest<S: DeserializeOwned>(
    conn: &mut Conn,
    spec: CampaignSpecId,
) -> Result<Option<StoredPlan<S>>, StoreError> {
    let row: Option<Row> = diesel::sql_query(
        "SELECT p.hash, p.applied_spec_id, p.summary,
                p.made_at < now() - make_interval(secs => $2)
                OR m.spec_id IS DISTINCT FROM p.applied_spec_id
                OR coalesce((SELECT max(c.updated_at) FROM changesets c
                             WHERE c.campaign_id = m.id) > p.made_at, false) AS stale
         FROM plans p
         JOIN campaign_specs s ON s.id = p.campaign_spec_id
         LEFT JOIN campaigns m ON m.namespace_id = s.namespace_id AND lower(m.name) = lower(s.name)
         WHERE p.campaign_spec_id = $1 ORDER BY p.made_at DESC, p.hash LIMIT 1",
    )
    .bind::<SqlUuid, _>(spec.0)
    .bind::<Integer, _>(FRESH_SECONDS)
    .get_result(conn)
    .await
    .optional()?;
    let plan = |Row { hash, applied_spec_id, summary, stale }| {
        Ok(StoredPlan {
            hash: PlanHash(hash),
            applied: applied_spec_id.map(|id| id.0),
            summary: read(summary)?,
            freshness: if stale { Freshness::Stale } else { Freshness::Fresh },
        })
    };
    row.map(plan).transpose()
}

/// Lists a page of a plan's rows, each with the spec whose words it shows.
pub async fn rows<R: DeserializeOwned>(
    conn: &mut Conn,
    spec: CampaignSpecId,
    hash: &PlanHash,
    after: Option<&str>,
) -> Result<Page<(R, ChangesetSpec)>, StoreError> {
    let after: Option<i32> =
        after.map(str::parse).transpose().map_err(|_| StoreError::NotFound { what: "page" })?;
    let first = after.map_or(0, |after| after.saturating_add(1));
    let size = i32::try_from(PAGE_ROWS_MAX).unwrap_or(i32::MAX);
    let mut rows: Vec<RowRow> = diesel::sql_query(
        "SELECT p.position, p.row AS value, s.spec FROM plan_rows p
         JOIN changeset_specs s ON s.id = p.changeset_spec_id
         WHERE p.campaign_spec_id = $1 AND p.hash = $2 AND p.position >= $3
         ORDER BY p.position LIMIT $4",
    )
    .bind::<SqlUuid, _>(spec.0)
    .bind::<Text, _>(&hash.0)
    .bind::<Integer, _>(first)
    .bind::<Integer, _>(size.saturating_add(1))
    .load(conn)
    .await?;
    let more = rows.len() > PAGE_ROWS_MAX as usize;
    rows.truncate(PAGE_ROWS_MAX as usize);
    let next = rows.last().filter(|_| more).map(|row| row.position.to_string());
    let rows = rows.into_iter().map(|row| Ok((read(row.value)?, row.spec.0)));
    Ok(Page { rows: rows.collect::<Result<_, StoreError>>()?, next })
}

/// What a plan was made from.
pub struct Made {
    /// What the campaign wanted then.
    pub applied: Option<CampaignSpecId>,
    pub states: PlanRows,
}

/// Finds what the plan was made from that was shown under a hash.
pub async fn find(
    conn: &mut Conn,
    spec: CampaignSpecId,
    hash: &PlanHash,
) -> Result<Option<Made>, StoreError> {
    let row: Option<StatesRow> = diesel::sql_query(
        "SELECT rows, applied_spec_id FROM plans WHERE campaign_spec_id = $1 AND hash = $2",
    )
    .bind::<SqlUuid, _>(spec.0)
    .bind::<Text, _>(&hash.0)
    .get_result(conn)
    .await
    .optional()?;
    let made = |StatesRow { rows, applied_spec_id }| {
        Ok(Made { applied: applied_spec_id.map(|id| id.0), states: read(rows)? })
    };
    row.map(made).transpose()
}

fn json<T: Serialize>(value: &T) -> Result<Value, StoreError> {
    serde_json::to_value(value)
        .map_err(|error| diesel::result::Error::SerializationError(error.into()).into())
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, StoreError> {
    serde_json::from_value(value)
        .map_err(|error| diesel::result::Error::DeserializationError(error.into()).into())
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    hash: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    applied_spec_id: Option<Db<CampaignSpecId>>,
    #[diesel(sql_type = Jsonb)]
    summary: Value,
    #[diesel(sql_type = Bool)]
    stale: bool,
}

#[derive(QueryableByName)]
struct RowRow {
    #[diesel(sql_type = Integer)]
    position: i32,
    #[diesel(sql_type = Jsonb)]
    value: Value,
    #[diesel(sql_type = Jsonb)]
    spec: Db<ChangesetSpec>,
}

#[derive(QueryableByName)]
struct StatesRow {
    #[diesel(sql_type = Jsonb)]
    rows: Value,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    applied_spec_id: Option<Db<CampaignSpecId>>,
}
