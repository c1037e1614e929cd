//! Webhook deliveries: each is stored once by its id and hints at work.

use super::{Conn, StoreError, schema::deliveries};
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use drover::id::CodeHostId;

/// Whether a delivery is news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    New,
    /// The code host sent it again; its work is done or queued already.
    Repeated,
}

pub async fn insert(
    conn: &mut Conn,
    code_host: CodeHostId,
    id: &str,
    event: &str,
    payload: &[u8],
) -> Result<Delivery, StoreError> {
    let inserted = diesel::insert_into(deliveries::table)
        .values((
            deliveries::code_host_id.eq(code_host.0),
            deliveries::id.eq(id),
            deliveries::event.eq(event),
            deliveries::payload.eq(payload),
        ))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    Ok(if inserted == 1 { Delivery::New } else { Delivery::Repeated })
}

/// Notes that the work a delivery hinted at is done.
pub async fn mark_processed(
    conn: &mut Conn,
    code_host: CodeHostId,
    id: &str,
) -> Result<(), StoreError> {
    diesel::update(deliveries::table.find((code_host.0, id)))
        .set(deliveries::processed_at.eq(diesel::dsl::now))
        .execute(conn)
        .await?;
    Ok(())
}
