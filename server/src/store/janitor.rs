//! Deletes what nobody needs any more: by the database's clock, in portions.

use super::{Conn, StoreError, drafts::DRAFT_DAYS, sql_types::integer};
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;

/// One run deletes so many rows of a kind at most; the next run goes on.
const PORTION_MAX: i64 = 1_000;

/// How many rows a run deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    pub changeset_specs: usize,
    pub campaign_specs: usize,
    pub drafts: usize,
    pub sessions: usize,
    pub jobs: usize,
    pub write_spends: usize,
    pub deliveries: usize,
}

/// Sweeps once. What a changeset refers to stays, whatever its age.
pub async fn sweep(conn: &mut Conn) -> Result<Swept, StoreError> {
    Ok(Swept {
        changeset_specs: delete(
            conn,
            "changeset_specs",
            "campaign_spec_id IS NULL AND expires_at <= now() AND NOT EXISTS (
                 SELECT FROM changesets c WHERE it.id IN (c.spec_id, c.reconciled_spec_id))",
        )
        .await?,
        campaign_specs: delete(
            conn,
            "campaign_specs",
            "applied_at IS NULL AND expires_at <= now()",
        )
        .await?,
        drafts: delete(
            conn,
            "drafts",
            &format!("created_at <= now() - make_interval(days => {})", integer(DRAFT_DAYS)),
        )
        .await?,
        sessions: delete(conn, "sessions", "expires_at <= now()").await?,
        jobs: delete(conn, "jobs", "state = 'done' AND finished_at <= now() - interval '1 day'")
            .await?,
        write_spends: delete(conn, "write_spends", "at <= now() - interval '2 hours'").await?,
        deliveries: delete(conn, "deliveries", "received_at <= now() - interval '7 days'").await?,
    })
}

async fn delete(conn: &mut Conn, table: &str, which: &str) -> Result<usize, StoreError> {
    Ok(diesel::sql_query(format!(
        "DELETE FROM {table} WHERE ctid = ANY(ARRAY(
             SELECT ctid FROM {table} it WHERE {which} LIMIT $1 FOR UPDATE SKIP LOCKED))"
    ))
    .bind::<BigInt, _>(PORTION_MAX)
    .execute(conn)
    .await?)
}
