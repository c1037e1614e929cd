//! Apply: gives the changesets of a campaign the wishes of a spec, in one transaction.
//!
//! - `given`: everything that the decision is made from, in a few set-based reads
//! - `write`: the decided rows, in a few set-based writes
//!
//! What is decided stands in `drover::campaign::rewire` and nowhere else: the preview shows what
//! that function gives, and this writes what it gives. The campaign's row is locked, so that two
//! applies go one behind the other, and so are its changesets, so that nothing moves between the
//! reading and the writing. The number of statements does not grow with that of changesets.
//!
//! Every changeset for which there is something to do gets one reconcile job. The same spec a
//! second time writes nothing.

mod given;
mod write;

pub use given::{Given, Locking, load};

use super::{Conn, StoreError, error::Found, sql_types::Db, timeline};
use diesel::{
    QueryableByName,
    sql_types::{Bool, Text, Uuid as SqlUuid},
};
use diesel_async::{AsyncConnection, RunQueryDsl, SimpleAsyncConnection};
use drover::{
    campaign::rewire::{Rewiring, Row, rewire as decide},
    changeset::{Capabilities, plan::plan},
    id::{CampaignId, CampaignSpecId, ChangesetId, UserId},
};

/// What became of an apply.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Rewired {
    Changed(Changes),
    /// The campaign was rewired to this spec before.
    Already,
    /// Another spec was applied in the meantime: its own job does the work.
    Superseded,
}

/// How many changesets were changed, by how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub created: usize,
    /// Given another wish, or brought back.
    pub updated: usize,
    pub unchanged: usize,
    /// Left as they are for want of a new result.
    pub kept: usize,
    pub archived: usize,
    pub detached: usize,
    /// Wishes of which nothing could be made; see `left_out`.
    pub refused: usize,
}

/// Rewires the changesets of a campaign to a spec that was accepted for it.
pub async fn rewire(
    conn: &mut Conn,
    campaign: CampaignId,
    spec: CampaignSpecId,
    capabilities: Capabilities,
) -> Result<Rewired, StoreError> {
    conn.transaction(async |conn| {
        let locked = lock(conn, campaign).await?;
        if locked.spec_id.0 != spec {
            return Ok(Rewired::Superseded);
        }
        if locked.rewired {
            return Ok(Rewired::Already);
        }
        let Given { wishes, changesets, outcomes } =
            load(conn, spec, Some(campaign), Locking::ForWriting).await?;
        let rows = decide(&wishes, &changesets, &outcomes);
        let first = |row: &Row| {
            let plan = plan(&row.prospect.as_ref()?.input(capabilities));
            plan.operations.into_iter().next()
        };
        let written = write::write(conn, campaign, &rows, first).await?;
        note(conn, campaign, locked.applied_by.0, &written).await?;
        let changes = count(rows.iter().map(|row| &row.rewiring));
        mark_rewired(conn, campaign, locked.applied_by.0, changes).await?;
        Ok(Rewired::Changed(changes))
    })
    .await
}

async fn lock(conn: &mut Conn, campaign: CampaignId) -> Result<LockRow, StoreError> {
    // The planner takes a table that is being filled for empty and would read it once per row.
    conn.batch_execute("SET LOCAL enable_nestloop = off").await?;
    diesel::sql_query(
        "SELECT spec_id, applied_by, rewired_spec_id IS NOT DISTINCT FROM spec_id AS rewired
         FROM campaigns WHERE id = $1 FOR UPDATE",
    )
    .bind::<SqlUuid, _>(campaign.0)
    .get_result(conn)
    .await
    .found("campaign")
}

fn count<'a>(rewirings: impl Iterator<Item = &'a Rewiring>) -> Changes {
    let mut changes = Changes::default();
    for rewiring in rewirings {
        let counter = match rewiring {
            Rewiring::Create { .. } => &mut changes.created,
            Rewiring::Keep { .. } => &mut changes.unchanged,
            Rewiring::Update { .. } | Rewiring::Revive { .. } => &mut changes.updated,
            Rewiring::Hold { .. } => &mut changes.kept,
            Rewiring::Archive { .. } => &mut changes.archived,
            Rewiring::Detach { .. } => &mut changes.detached,
            Rewiring::Taken { .. } | Rewiring::Reserved { .. } => &mut changes.refused,
        };
        *counter += 1;
    }
    changes
}

/// Writes the timeline of what was touched.
async fn note(
    conn: &mut Conn,
    campaign: CampaignId,
    by: UserId,
    written: &write::Written,
) -> Result<(), StoreError> {
    let write::Written { created, updated, archived, detached } = written;
    let lines: [(&Vec<ChangesetId>, &str); 4] = [
        (created, "asked for it with a new spec"),
        (updated, "changed what is wanted with a new spec"),
        (archived, "archived it: the new spec does not want it any more"),
        (detached, "detached it: the new spec does not want it any more"),
    ];
    for (changesets, text) in lines {
        timeline::insert_for_all(conn, Some(by), campaign, changesets, text).await?;
    }
    Ok(())
}

/// What applying has changed, in words; what did not happen is not mentioned.
fn summary(changes: Changes) -> String {
    let Changes { created, updated, unchanged, kept, archived, detached, refused } = changes;
    let parts = [
        (created, "created"),
        (updated, "updated"),
        (unchanged, "unchanged"),
        (kept, "kept without a new result"),
        (archived, "archived"),
        (detached, "detached"),
        (refused, "refused"),
    ];
    let parts = parts.into_iter().filter(|(number, _)| *number > 0);
    let words: Vec<String> = parts.map(|(number, word)| format!("{number} {word}")).collect();
    if words.is_empty() {
        return "applied a spec that wants no changeset".into();
    }
    format!("applied a spec: {}", words.join(", "))
}

async fn mark_rewired(
    conn: &mut Conn,
    campaign: CampaignId,
    by: UserId,
    changes: Changes,
) -> Result<(), StoreError> {
    let text = summary(changes);
    diesel::sql_query(
        "WITH marked AS (
             UPDATE campaigns SET rewired_spec_id = spec_id, updated_at = now() WHERE id = $1
             RETURNING id, spec_id
         ), noted AS (
             INSERT INTO timeline (actor_id, campaign_id, text, detail)
             SELECT $2, id, $3, jsonb_build_object('spec', spec_id) FROM marked
         )
         SELECT pg_notify('drover', 'campaign:' || id) FROM marked",
    )
    .bind::<SqlUuid, _>(campaign.0)
    .bind::<SqlUuid, _>(by.0)
    .bind::<Text, _>(text)
    .execute(conn)
    .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct LockRow {
    #[diesel(sql_type = SqlUuid)]
    spec_id: Db<CampaignSpecId>,
    #[diesel(sql_type = SqlUuid)]
    applied_by: Db<UserId>,
    #[diesel(sql_type = Bool)]
    rewired: bool,
}
