//! The plans that previews showed, so that apply can name the rows that moved since.

use super::{Conn, StoreError, schema::plans};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use drover::{campaign::plan_hash::PlanRows, id::CampaignSpecId, view::preview::PlanHash};

/// Keeps a plan under its hash; the same plan again changes nothing.
pub async fn insert(
    conn: &mut Conn,
    spec: CampaignSpecId,
    hash: &PlanHash,
    rows: &PlanRows,
) -> Result<(), StoreError> {
    let rows = serde_json::to_value(rows)
        .map_err(|error| diesel::result::Error::SerializationError(error.into()))?;
    diesel::insert_into(plans::table)
        .values((plans::campaign_spec_id.eq(spec.0), plans::hash.eq(&hash.0), plans::rows.eq(rows)))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    Ok(())
}

/// Finds the plan that was shown under a hash.
pub async fn find(
    conn: &mut Conn,
    spec: CampaignSpecId,
    hash: &PlanHash,
) -> Result<Option<PlanRows>, StoreError> {
    let rows: Option<serde_json::Value> =
        plans::table.find((spec.0, &hash.0)).select(plans::rows).first(conn).await.optional()?;
    rows.map(serde_json::from_value)
        .transpose()
        .map_err(|error| diesel::result::Error::DeserializationError(error.into()).into())
}
