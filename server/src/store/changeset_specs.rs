//! Immutable wishes, and the diffs that belong to them.

use super::{
    Conn, StoreError,
    error::Found,
    schema::changeset_specs,
    sql_types::{Db, integer},
};
use diesel::{
    QueryDsl, QueryableByName,
    sql_types::{Array, BigInt, Binary, Integer, Jsonb, Nullable, Text, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use drover::{
    campaign::spec::HeadInUse,
    changeset::spec::ChangesetSpec,
    diff::DiffStat,
    id::{CampaignSpecId, ChangesetSpecId, RepoId},
    names::BranchName,
    time::Timestamp,
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A wish that is attached to no campaign spec is deleted after so long.
pub const UNATTACHED_HOURS: u32 = 48;

/// A wish to be stored.
pub struct NewChangesetSpec<'a> {
    pub id: ChangesetSpecId,
    /// `None`: it is attached later.
    pub campaign_spec: Option<CampaignSpecId>,
    pub repo: RepoId,
    pub spec: &'a ChangesetSpec,
    /// Only for a wish of the kind that makes a branch.
    pub diff: Option<NewDiff<'a>>,
}

#[derive(Clone, Copy)]
pub struct NewDiff<'a> {
    pub bytes: &'a [u8],
    pub stat: DiffStat,
}

/// Inserts a wish; the same id a second time changes nothing.
pub async fn insert(conn: &mut Conn, new: &NewChangesetSpec<'_>) -> Result<(), StoreError> {
    let NewChangesetSpec { id, campaign_spec, repo, spec, diff } = new;
    let value = serde_json::to_value(spec)
        .map_err(|error| diesel::result::Error::SerializationError(error.into()))?;
    diesel::sql_query(
        "INSERT INTO changeset_specs
             (id, campaign_spec_id, repository_id, spec, diff, files, added, removed, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() + make_interval(hours => $9))
         ON CONFLICT (id) DO NOTHING",
    )
    .bind::<SqlUuid, _>(id.0)
    .bind::<Nullable<SqlUuid>, _>(campaign_spec.map(|spec| spec.0))
    .bind::<SqlUuid, _>(repo.0)
    .bind::<Jsonb, _>(value)
    .bind::<Nullable<Binary>, _>(diff.map(|diff| diff.bytes))
    .bind::<Nullable<Integer>, _>(diff.map(|diff| integer(diff.stat.files)))
    .bind::<Nullable<Integer>, _>(diff.map(|diff| integer(diff.stat.added)))
    .bind::<Nullable<Integer>, _>(diff.map(|diff| integer(diff.stat.removed)))
    .bind::<Integer, _>(integer(UNATTACHED_HOURS))
    .execute(conn)
    .await?;
    Ok(())
}

/// Attaches wishes that belong to no campaign spec yet; gives how many it attached.
pub async fn attach(
    conn: &mut Conn,
    campaign_spec: CampaignSpecId,
    ids: &[ChangesetSpecId],
) -> Result<usize, StoreError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    Ok(diesel::sql_query(
        "UPDATE changeset_specs SET campaign_spec_id = $1
         WHERE id = ANY($2) AND campaign_spec_id IS NULL",
    )
    .bind::<SqlUuid, _>(campaign_spec.0)
    .bind::<Array<SqlUuid>, _>(ids)
    .execute(conn)
    .await?)
}

pub async fn load(conn: &mut Conn, id: ChangesetSpecId) -> Result<ChangesetSpec, StoreError> {
    let row: Row = diesel::sql_query("SELECT spec FROM changeset_specs WHERE id = $1")
        .bind::<SqlUuid, _>(id.0)
        .get_result(conn)
        .await
        .found("changeset spec")?;
    Ok(row.spec.0)
}

/// Loads the diff of a wish; one that only tracks a pull request has none.
pub async fn load_diff(conn: &mut Conn, id: ChangesetSpecId) -> Result<Vec<u8>, StoreError> {
    let diff: Option<Vec<u8>> = changeset_specs::table
        .find(id.0)
        .select(changeset_specs::diff)
        .first(conn)
        .await
        .found("changeset spec")?;
    diff.ok_or(StoreError::NotFound { what: "diff" })
}

/// The sizes of the diffs of a spec's wishes.
pub async fn list_stats(
    conn: &mut Conn,
    spec: CampaignSpecId,
) -> Result<BTreeMap<ChangesetSpecId, DiffStat>, StoreError> {
    let rows: Vec<StatRow> = diesel::sql_query(
        "SELECT id, files, added, removed FROM changeset_specs
         WHERE campaign_spec_id = $1 AND files IS NOT NULL",
    )
    .bind::<SqlUuid, _>(spec.0)
    .load(conn)
    .await?;
    let pair = |StatRow { id, files, added, removed }: StatRow| {
        (id.0, DiffStat { files: files.0, added: added.0, removed: removed.0 })
    };
    Ok(rows.into_iter().map(pair).collect())
}

/// Loads the diff of a wish and when the wish was made: the same commit comes of both each time.
pub async fn load_dated_diff(
    conn: &mut Conn,
    id: ChangesetSpecId,
) -> Result<(Vec<u8>, Timestamp), StoreError> {
    let (diff, Db(created_at)): (Option<Vec<u8>>, Db<Timestamp>) = changeset_specs::table
        .find(id.0)
        .select((changeset_specs::diff, changeset_specs::created_at))
        .first(conn)
        .await
        .found("changeset spec")?;
    let diff = diff.ok_or(StoreError::NotFound { what: "diff" })?;
    Ok((diff, created_at))
}

/// Lists the heads that the campaign of a spec has in a repository, the live ones first, then
/// those that were put aside last; what was let go is no longer its own.
pub async fn list_heads(
    conn: &mut Conn,
    campaign_spec: CampaignSpecId,
    repo: RepoId,
) -> Result<Vec<HeadInUse>, StoreError> {
    let rows: Vec<HeadRow> = diesel::sql_query(
        "SELECT c.branch AS head, s.spec #>> '{branch,base}' AS base
         FROM campaign_specs w
         JOIN campaigns m
             ON m.namespace_id = w.namespace_id AND lower(m.name) = lower(w.name)
         JOIN changesets c ON c.campaign_id = m.id
         JOIN changeset_specs s ON s.id = c.spec_id
         WHERE w.id = $1 AND c.repository_id = $2 AND c.kind = 'branch'
             AND c.intent <> 'detach' AND c.detached_at IS NULL
         ORDER BY c.archived_at IS NOT NULL, c.created_at DESC, c.id LIMIT $3",
    )
    .bind::<SqlUuid, _>(campaign_spec.0)
    .bind::<SqlUuid, _>(repo.0)
    .bind::<BigInt, _>(HEADS_MAX)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| HeadInUse { base: row.base.0, head: row.head.0 }).collect())
}

/// The changesets of one campaign in one repository that are looked at, at most.
const HEADS_MAX: i64 = 1_000;

#[derive(QueryableByName)]
struct HeadRow {
    #[diesel(sql_type = Text)]
    base: Db<BranchName>,
    #[diesel(sql_type = Text)]
    head: Db<BranchName>,
}

#[derive(QueryableByName)]
struct StatRow {
    #[diesel(sql_type = SqlUuid)]
    id: Db<ChangesetSpecId>,
    #[diesel(sql_type = Integer)]
    files: Db<u32>,
    #[diesel(sql_type = Integer)]
    added: Db<u32>,
    #[diesel(sql_type = Integer)]
    removed: Db<u32>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Jsonb)]
    spec: Db<ChangesetSpec>,
}
