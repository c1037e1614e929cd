//! Changesets as lists show them: with status, pull request and what went wrong.

use super::{
    Conn, StoreError,
    error::Found,
    keyset::{self, ROWS_WANTED},
    sql_types::{Db, Word, timestamptz},
    status::{FROM, STATUS},
};
use diesel::{
    QueryableByName,
    sql_types::{BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use drover::{
    changeset::status::ChangesetStatus,
    diff::DiffStat,
    id::{CampaignId, ChangesetId},
    names::{BranchName, PullNumber, RepoName},
    time::Timestamp,
    view::{
        Page,
        campaign::ChangesetFilter,
        changeset::{ChangesetRow, ProblemView, PullLink},
    },
};

/// Lists a page of a campaign's changesets in the order of their repositories. Those that were
/// put aside are listed only when the filter asks for them, those detached never.
pub async fn list(
    conn: &mut Conn,
    campaign: CampaignId,
    filter: &ChangesetFilter,
) -> Result<Page<ChangesetRow>, StoreError> {
    let ChangesetFilter { status, search, after } = filter;
    let rows: Vec<Row> = diesel::sql_query(format!(
        "SELECT * FROM ({SELECT} {FROM} WHERE c.campaign_id = $1 AND c.detached_at IS NULL) it
         WHERE CASE WHEN $2 IS NULL THEN status <> 'archived' ELSE status = $2 END
           AND ($3 IS NULL OR strpos(lower(repo), lower($3)) > 0
                OR strpos(lower(title), lower($3)) > 0)
           AND ($4 IS NULL OR (repo, id) > (
               SELECT r.name, c.id FROM changesets c
               JOIN repositories r ON r.id = c.repository_id WHERE c.id = $4))
         ORDER BY repo, id LIMIT $5",
        SELECT = select(),
    ))
    .bind::<SqlUuid, _>(campaign.0)
    .bind::<Nullable<Text>, _>(status.map(|status| status.word()))
    .bind::<Nullable<Text>, _>(search.as_deref().filter(|text| !text.is_empty()))
    .bind::<Nullable<SqlUuid>, _>(keyset::id_key(after.as_deref())?)
    .bind::<BigInt, _>(ROWS_WANTED)
    .load(conn)
    .await?;
    Ok(keyset::page(rows, |row| row.id.0.to_string()))
}

/// Loads one changeset as lists show it.
pub async fn load(conn: &mut Conn, id: ChangesetId) -> Result<ChangesetRow, StoreError> {
    diesel::sql_query(format!("{} {FROM} WHERE c.id = $1", select()))
        .bind::<SqlUuid, _>(id.0)
        .get_result::<Row>(conn)
        .await
        .map(ChangesetRow::from)
        .found("changeset")
}

fn select() -> String {
    format!(
        "SELECT c.id, r.name AS repo, coalesce(c.branch, p.branch, 'pull/' || c.number) AS branch,
                coalesce(s.title, p.title, 'Pull request #' || c.number) AS title,
                {STATUS} AS status, p.number, p.url, s.files, s.added, s.removed,
                j.last_error, j.attempt, j.attempts_max, j.run_at,
                p.missing_since, p.next_sync_at,
                greatest(c.updated_at, p.synced_at) AS updated_at"
    )
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Db<ChangesetId>,
    #[diesel(sql_type = Text)]
    repo: Db<RepoName>,
    #[diesel(sql_type = Text)]
    branch: Db<BranchName>,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Text)]
    status: Db<ChangesetStatus>,
    #[diesel(sql_type = Nullable<BigInt>)]
    number: Option<Db<PullNumber>>,
    #[diesel(sql_type = Nullable<Text>)]
    url: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    files: Option<Db<u32>>,
    #[diesel(sql_type = Nullable<Integer>)]
    added: Option<Db<u32>>,
    #[diesel(sql_type = Nullable<Integer>)]
    removed: Option<Db<u32>>,
    #[diesel(embed)]
    job: JobColumns,
    #[diesel(embed)]
    reach: ReachColumns,
    #[diesel(sql_type = Timestamptz)]
    updated_at: Db<Timestamp>,
}

/// What the reconcile job says, if there is one that is not done.
#[derive(QueryableByName)]
struct JobColumns {
    #[diesel(sql_type = Nullable<Text>)]
    last_error: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    attempt: Option<Db<u32>>,
    #[diesel(sql_type = Nullable<Integer>)]
    attempts_max: Option<Db<u32>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    run_at: Option<Db<Timestamp>>,
}

impl JobColumns {
    fn problem(self, status: ChangesetStatus) -> Option<ProblemView> {
        let view =
            |message: String, next: String, retry_at| Some(ProblemView { message, next, retry_at });
        match status {
            // What to do is in the message, by the kind of the failure.
            ChangesetStatus::Failed => view(self.last_error?, "needs you".to_owned(), None),
            ChangesetStatus::Retrying => {
                let (attempt, max) = (self.attempt?.0, self.attempts_max?.0);
                let next = format!("tried again by itself: attempt {} of {max}", attempt + 1);
                view(self.last_error?, next, self.run_at.map(|at| at.0))
            }
            ChangesetStatus::Drift => view(
                "the branch holds commits that Drover did not push".to_owned(),
                "needs you: adopt them, overwrite them, or detach the changeset".to_owned(),
                None,
            ),
            ChangesetStatus::Queued => {
                view(self.last_error?, "goes on by itself".to_owned(), self.run_at.map(|at| at.0))
            }
            ChangesetStatus::Unpublished
            | ChangesetStatus::Processing
            | ChangesetStatus::Draft
            | ChangesetStatus::Open
            | ChangesetStatus::Merged
            | ChangesetStatus::Closed
            | ChangesetStatus::Deleted
            | ChangesetStatus::ReadOnly
            | ChangesetStatus::Archived => None,
        }
    }
}

/// Since when the code host does not show the pull request, and when it is looked for again.
#[derive(QueryableByName)]
struct ReachColumns {
    #[diesel(sql_type = Nullable<Timestamptz>)]
    missing_since: Option<Db<Timestamp>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    next_sync_at: Option<Db<Timestamp>>,
}

impl ReachColumns {
    fn problem(self) -> Option<ProblemView> {
        let since = timestamptz(self.missing_since?.0).format("%Y-%m-%d %H:%M UTC");
        Some(ProblemView {
            message: format!(
                "out of reach since {since}: the pull request is gone, or Drover's token may not \
                 see it"
            ),
            next: "looked for again by itself".to_owned(),
            retry_at: self.next_sync_at.map(|at| at.0),
        })
    }
}

impl From<Row> for ChangesetRow {
    fn from(row: Row) -> Self {
        let status = row.status.0;
        let pull = row.number.zip(row.url).map(|(Db(number), url)| PullLink { number, url });
        let stat = match (row.files, row.added, row.removed) {
            (Some(Db(files)), Some(Db(added)), Some(Db(removed))) => {
                Some(DiffStat { files, added, removed })
            }
            _ => None,
        };
        Self {
            id: row.id.0,
            repo: row.repo.0,
            branch: row.branch.0,
            title: row.title,
            status,
            pull,
            stat,
            problem: row.job.problem(status).or_else(|| row.reach.problem()),
            updated_at: row.updated_at.0,
        }
    }
}
