//! Spec texts that do not parse yet, kept for their authors.

use super::{Conn, StoreError, error::Found, schema::drafts};
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use drover::id::{DraftId, NamespaceId, UserId};

/// A draft is deleted after so long.
pub const DRAFT_DAYS: u32 = 7;

pub async fn insert(
    conn: &mut Conn,
    id: DraftId,
    author: UserId,
    namespace: NamespaceId,
    text: &str,
) -> Result<(), StoreError> {
    diesel::insert_into(drafts::table)
        .values((
            drafts::id.eq(id.0),
            drafts::author_id.eq(author.0),
            drafts::namespace_id.eq(namespace.0),
            drafts::text.eq(text),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Loads the text of a draft, for its author only.
pub async fn load(conn: &mut Conn, id: DraftId, author: UserId) -> Result<String, StoreError> {
    drafts::table
        .find(id.0)
        .filter(drafts::author_id.eq(author.0))
        .select(drafts::text)
        .first(conn)
        .await
        .found("draft")
}
