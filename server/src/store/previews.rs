//! What apply would change: the wishes of a spec beside the changesets that they would meet.

use super::{Conn, StoreError, sql_types::Db};
use diesel::{
    QueryableByName,
    sql_types::{BigInt, Integer, Jsonb, Nullable, Text, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use drover::{
    changeset::spec::ChangesetSpec,
    diff::DiffStat,
    id::{CampaignSpecId, ChangesetId, ChangesetSpecId, RepoId},
    names::{CampaignName, RepoName},
};

/// A wish of a spec, and the live changeset of the campaign that apply would give it to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    pub spec_id: ChangesetSpecId,
    pub spec: ChangesetSpec,
    pub repo: RepoId,
    pub repo_name: RepoName,
    pub stat: Option<DiffStat>,
    /// `None`: apply makes a new one.
    pub changeset: Option<ChangesetId>,
    /// Another campaign whose live changeset has taken the branch: apply refuses.
    pub taken_by: Option<CampaignName>,
}

/// The spec and the campaign with its name, so far as there is one.
const MATCHES: &str = "
    FROM changeset_specs s
    JOIN repositories r ON r.id = s.repository_id
    JOIN campaign_specs cs ON cs.id = s.campaign_spec_id
    LEFT JOIN campaigns m ON m.namespace_id = cs.namespace_id AND lower(m.name) = lower(cs.name)
    LEFT JOIN changesets c ON c.archived_at IS NULL AND c.detached_at IS NULL
         AND c.repository_id = s.repository_id AND c.campaign_id = m.id
         AND (s.kind = 'branch' AND c.kind = 'branch' AND c.branch = s.head
              OR s.kind = 'existing' AND c.kind = 'existing' AND c.number = s.number)
    LEFT JOIN changesets other ON s.kind = 'branch' AND other.kind = 'branch'
         AND other.repository_id = s.repository_id AND other.branch = s.head
         AND other.archived_at IS NULL AND other.detached_at IS NULL
         AND other.campaign_id IS DISTINCT FROM m.id
    LEFT JOIN campaigns om ON om.id = other.campaign_id";

/// Lists all wishes of a spec, at most `limit`: a plan is made and hashed as a whole.
pub async fn list_all(
    conn: &mut Conn,
    spec: CampaignSpecId,
    limit: i64,
) -> Result<Vec<Matched>, StoreError> {
    let rows: Vec<Row> = diesel::sql_query(format!(
        "SELECT s.id, s.spec, s.repository_id, r.name AS repo, s.files, s.added, s.removed,
                c.id AS changeset_id, om.name AS taken_by {MATCHES}
         WHERE s.campaign_spec_id = $1
         ORDER BY r.name, s.id LIMIT $2"
    ))
    .bind::<SqlUuid, _>(spec.0)
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(Matched::from).collect())
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Db<ChangesetSpecId>,
    #[diesel(sql_type = Jsonb)]
    spec: Db<ChangesetSpec>,
    #[diesel(sql_type = SqlUuid)]
    repository_id: Db<RepoId>,
    #[diesel(sql_type = Text)]
    repo: Db<RepoName>,
    #[diesel(sql_type = Nullable<Integer>)]
    files: Option<Db<u32>>,
    #[diesel(sql_type = Nullable<Integer>)]
    added: Option<Db<u32>>,
    #[diesel(sql_type = Nullable<Integer>)]
    removed: Option<Db<u32>>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    changeset_id: Option<Db<ChangesetId>>,
    #[diesel(sql_type = Nullable<Text>)]
    taken_by: Option<Db<CampaignName>>,
}

impl From<Row> for Matched {
    fn from(row: Row) -> Self {
        let stat = match (row.files, row.added, row.removed) {
            (Some(Db(files)), Some(Db(added)), Some(Db(removed))) => {
                Some(DiffStat { files, added, removed })
            }
            _ => None,
        };
        Self {
            spec_id: row.id.0,
            spec: row.spec.0,
            repo: row.repository_id.0,
            repo_name: row.repo.0,
            stat,
            changeset: row.changeset_id.map(|id| id.0),
            taken_by: row.taken_by.map(|name| name.0),
        }
    }
}
