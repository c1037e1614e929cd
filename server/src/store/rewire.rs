//! Apply: gives the changesets of a campaign the wishes of a spec, in one transaction.
//!
//! The campaign's row is locked, so that two applies go one behind the other. Everything is
//! set-based: the number of statements does not grow with the number of changesets.
//!
//! It does what `drover::campaign::rewire` decides and the preview shows; a test holds the two
//! together.
//!
//! Every changeset for which there may be something to do gets one reconcile job. The same spec
//! a second time writes nothing.

use super::{
    Conn, StoreError,
    error::Found,
    jobs::{self, Ask, NewJob},
    sql_types::Db,
    timeline,
};
use diesel::{
    QueryableByName,
    sql_types::{Bool, Text, Uuid as SqlUuid},
};
use diesel_async::{AsyncConnection, RunQueryDsl, SimpleAsyncConnection};
use drover::{
    id::{CampaignId, CampaignSpecId, ChangesetId, UserId},
    job::Job,
    names::{BranchName, CampaignName, RepoName},
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
    pub archived: usize,
    pub detached: usize,
    /// Wishes of which nothing was made: live changesets of other campaigns have the branches.
    pub taken: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenBranch {
    pub repo: RepoName,
    pub branch: BranchName,
    pub by: CampaignName,
}

/// The taken branches that are counted and named, at most.
const TAKEN_MAX: usize = 1_000;

/// Rewires the changesets of a campaign to a spec that was accepted for it.
pub async fn rewire(
    conn: &mut Conn,
    campaign: CampaignId,
    spec: CampaignSpecId,
) -> Result<Rewired, StoreError> {
    conn.transaction(async |conn| {
        let locked = lock(conn, campaign).await?;
        if locked.spec_id.0 != spec {
            return Ok(Rewired::Superseded);
        }
        if locked.rewired {
            return Ok(Rewired::Already);
        }
        let left = put_leftovers_aside(conn, campaign, spec).await?;
        let met = give_wishes(conn, campaign, spec).await?;
        let new = create_missing(conn, campaign, spec).await?;
        let taken = list_taken(conn, campaign, spec).await?.len();
        finish(conn, campaign, locked.applied_by.0, Touched { left, met, new, taken })
            .await
            .map(Rewired::Changed)
    })
    .await
}

/// The changesets that a rewiring touched.
struct Touched {
    left: Vec<LeftRow>,
    met: Vec<MetRow>,
    new: Vec<NewRow>,
    taken: usize,
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

/// Lists the branches of a spec that live changesets of other campaigns have taken.
pub async fn list_taken(
    conn: &mut Conn,
    campaign: CampaignId,
    spec: CampaignSpecId,
) -> Result<Vec<TakenBranch>, StoreError> {
    let rows: Vec<TakenRow> = diesel::sql_query(format!(
        "SELECT r.name AS repo, c.branch, m.name AS by
         FROM changeset_specs s
         JOIN changesets c ON c.kind = 'branch' AND c.repository_id = s.repository_id
              AND c.branch = s.head AND c.archived_at IS NULL AND c.detached_at IS NULL
         JOIN campaigns m ON m.id = c.campaign_id
         JOIN repositories r ON r.id = c.repository_id
         WHERE s.campaign_spec_id = $2 AND s.kind = 'branch' AND c.campaign_id <> $1
         ORDER BY r.name, c.branch LIMIT {TAKEN_MAX}"
    ))
    .bind::<SqlUuid, _>(campaign.0)
    .bind::<SqlUuid, _>(spec.0)
    .load(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|TakenRow { repo, branch, by }| TakenBranch {
            repo: repo.0,
            branch: branch.0,
            by: by.0,
        })
        .collect())
}

/// Means to archive what has a pull request of ours, and to detach the rest.
async fn put_leftovers_aside(
    conn: &mut Conn,
    campaign: CampaignId,
    spec: CampaignSpecId,
) -> Result<Vec<LeftRow>, StoreError> {
    Ok(diesel::sql_query(
        "UPDATE changesets c
         SET intent = CASE WHEN c.kind = 'branch' AND c.pull_id IS NOT NULL
                           THEN 'archive' ELSE 'detach' END,
             updated_at = now()
         WHERE c.campaign_id = $1 AND c.archived_at IS NULL AND c.detached_at IS NULL
           AND NOT EXISTS (
               SELECT FROM changeset_specs s
               WHERE s.campaign_spec_id = $2 AND s.repository_id = c.repository_id
                 AND s.kind = c.kind
                 AND (c.kind = 'branch' AND s.head = c.branch
                      OR c.kind = 'existing' AND s.number = c.number))
         RETURNING c.id, c.intent = 'archive' AS archived",
    )
    .bind::<SqlUuid, _>(campaign.0)
    .bind::<SqlUuid, _>(spec.0)
    .load(conn)
    .await?)
}

/// Gives wishes to the changesets that are there, live ones before those put aside. When the
/// wish is the same as the one in place, only the pointer to its text moves.
async fn give_wishes(
    conn: &mut Conn,
    campaign: CampaignId,
    spec: CampaignSpecId,
) -> Result<Vec<MetRow>, StoreError> {
    Ok(diesel::sql_query(
        "WITH met AS (
             SELECT DISTINCT ON (s.id) c.id, s.id AS spec_id, c.intent AS old_intent,
                 c.archived_at IS NOT NULL AS revived,
                 c.reconciled_spec_id = c.spec_id AND s.spec = old.spec AS same
             FROM changesets c
             JOIN changeset_specs s ON s.campaign_spec_id = $2
                  AND s.repository_id = c.repository_id AND s.kind = c.kind
                  AND (c.kind = 'branch' AND s.head = c.branch
                       OR c.kind = 'existing' AND s.number = c.number)
             JOIN changeset_specs old ON old.id = c.spec_id
             LEFT JOIN pulls p ON p.id = c.pull_id
             WHERE c.campaign_id = $1 AND c.detached_at IS NULL
               AND (c.archived_at IS NULL
                    OR p.state IS DISTINCT FROM 'merged' AND p.state IS DISTINCT FROM 'deleted'
                       AND NOT EXISTS (
                           SELECT FROM changesets other
                           WHERE other.kind = 'branch' AND c.kind = 'branch'
                             AND other.repository_id = c.repository_id
                             AND other.branch = c.branch AND other.campaign_id <> $1
                             AND other.archived_at IS NULL AND other.detached_at IS NULL))
             ORDER BY s.id, c.archived_at IS NOT NULL, c.created_at DESC, c.id
         )
         UPDATE changesets c
         SET spec_id = met.spec_id, updated_at = now(), archived_at = NULL,
             reconciled_spec_id = CASE WHEN met.same THEN met.spec_id
                                       ELSE c.reconciled_spec_id END,
             intent = CASE WHEN met.old_intent = 'close' THEN 'close' ELSE 'publish' END
         FROM met WHERE c.id = met.id
         RETURNING c.id, NOT coalesce(met.same, false) OR met.revived
             OR met.old_intent IN ('archive', 'detach') AS changed",
    )
    .bind::<SqlUuid, _>(campaign.0)
    .bind::<SqlUuid, _>(spec.0)
    .load(conn)
    .await?)
}

/// Makes changesets for the wishes that met none, and whose branch nobody else has.
async fn create_missing(
    conn: &mut Conn,
    campaign: CampaignId,
    spec: CampaignSpecId,
) -> Result<Vec<NewRow>, StoreError> {
    Ok(diesel::sql_query(
        "INSERT INTO changesets
             (id, campaign_id, repository_id, kind, branch, number, spec_id, pull_id)
         SELECT gen_random_uuid(), $1, s.repository_id, s.kind, s.head, s.number, s.id, p.id
         FROM changeset_specs s
         LEFT JOIN pulls p ON p.repository_id = s.repository_id AND p.number = s.number
         WHERE s.campaign_spec_id = $2
           AND NOT EXISTS (
               SELECT FROM changesets c
               WHERE c.campaign_id = $1 AND c.spec_id = s.id
                 AND c.archived_at IS NULL AND c.detached_at IS NULL)
           AND NOT EXISTS (
               SELECT FROM changesets other
               WHERE other.kind = 'branch' AND s.kind = 'branch'
                 AND other.repository_id = s.repository_id AND other.branch = s.head
                 AND other.archived_at IS NULL AND other.detached_at IS NULL)
         RETURNING id",
    )
    .bind::<SqlUuid, _>(campaign.0)
    .bind::<SqlUuid, _>(spec.0)
    .load(conn)
    .await?)
}

/// Queues the work, writes the timeline, and says that the campaign stands rewired.
async fn finish(
    conn: &mut Conn,
    campaign: CampaignId,
    by: UserId,
    touched: Touched,
) -> Result<Changes, StoreError> {
    let Touched { left, met, new, taken } = touched;
    let archived: Vec<ChangesetId> =
        left.iter().filter(|row| row.archived).map(|row| row.id.0).collect();
    let detached: Vec<ChangesetId> =
        left.iter().filter(|row| !row.archived).map(|row| row.id.0).collect();
    let updated: Vec<ChangesetId> =
        met.iter().filter(|row| row.changed).map(|row| row.id.0).collect();
    let created: Vec<ChangesetId> = new.iter().map(|row| row.id.0).collect();
    let jobs: Vec<NewJob> = [&created, &updated, &archived, &detached]
        .into_iter()
        .flatten()
        .map(|&changeset| NewJob::from(Job::Reconcile { changeset }))
        .collect();
    jobs::enqueue(conn, &jobs, Ask::Decision).await?;
    for (changesets, text) in [
        (&created, "asked for it with a new spec"),
        (&updated, "changed what is wanted with a new spec"),
        (&archived, "archived it: the new spec wants it no more"),
        (&detached, "detached it: the new spec wants it no more"),
    ] {
        timeline::insert_for_all(conn, Some(by), campaign, changesets, text).await?;
    }
    let changes = Changes {
        created: created.len(),
        updated: updated.len(),
        unchanged: met.len() - updated.len(),
        archived: archived.len(),
        detached: detached.len(),
        taken,
    };
    mark_rewired(conn, campaign, by, changes).await?;
    Ok(changes)
}

/// What applying has changed, in words; what did not happen is not mentioned.
fn summary(changes: Changes) -> String {
    let Changes { created, updated, unchanged, archived, detached, taken } = changes;
    let parts = [
        (created, "created"),
        (updated, "updated"),
        (unchanged, "unchanged"),
        (archived, "archived"),
        (detached, "detached"),
        (taken, "left out because other campaigns have their branches"),
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

#[derive(QueryableByName)]
struct TakenRow {
    #[diesel(sql_type = Text)]
    repo: Db<RepoName>,
    #[diesel(sql_type = Text)]
    branch: Db<BranchName>,
    #[diesel(sql_type = Text)]
    by: Db<CampaignName>,
}

#[derive(QueryableByName)]
struct LeftRow {
    #[diesel(sql_type = SqlUuid)]
    id: Db<ChangesetId>,
    #[diesel(sql_type = Bool)]
    archived: bool,
}

#[derive(QueryableByName)]
struct MetRow {
    #[diesel(sql_type = SqlUuid)]
    id: Db<ChangesetId>,
    #[diesel(sql_type = Bool)]
    changed: bool,
}

#[derive(QueryableByName)]
struct NewRow {
    #[diesel(sql_type = SqlUuid)]
    id: Db<ChangesetId>,
}
