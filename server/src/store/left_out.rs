//! Wishes that were accepted and of which nothing could be made, each with its reason.

use super::{Conn, StoreError, sql_types::Db};
use diesel::{
    QueryableByName,
    sql_types::{BigInt, Text, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use drover::{
    id::CampaignId,
    names::{BranchName, RepoName},
    view::campaign::LeftOut,
};

/// The rows that a page shows, at most.
const ROWS_MAX: i64 = 100;

pub async fn list(conn: &mut Conn, campaign: CampaignId) -> Result<Vec<LeftOut>, StoreError> {
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT r.name AS repo, coalesce(s.head, 'pull/' || s.number) AS branch, l.reason
         FROM left_out l
         JOIN changeset_specs s ON s.id = l.changeset_spec_id
         JOIN repositories r ON r.id = s.repository_id
         WHERE l.campaign_id = $1 ORDER BY r.name, s.id LIMIT $2",
    )
    .bind::<SqlUuid, _>(campaign.0)
    .bind::<BigInt, _>(ROWS_MAX)
    .load(conn)
    .await?;
    let left_out =
        |Row { repo, branch, reason }| LeftOut { repo: repo.0, branch: branch.0, reason };
    Ok(rows.into_iter().map(left_out).collect())
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    repo: Db<RepoName>,
    #[diesel(sql_type = Text)]
    branch: Db<BranchName>,
    #[diesel(sql_type = Text)]
    reason: String,
}
