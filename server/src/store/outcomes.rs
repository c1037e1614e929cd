//! What came of running a spec, for the decision which changesets it drops.

use super::{Conn, StoreError, sql_types::Db, workspaces::StateWord};
use diesel::{
    QueryableByName,
    sql_types::{BigInt, Nullable, Text, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use drover::{
    campaign::outcome::{Outcome, Outcomes, RepositoryOutcome, Resolution},
    id::{CampaignSpecId, RepoId},
    names::{BranchName, RepoName},
};

/// The repositories of one spec that are read, at most: an execution has no more workspaces.
const OUTCOMES_MAX: i64 = 50_000;

/// Loads what came of every repository that a spec or its queries name, in the order of their
/// names. `None` for a spec whose execution is not done: nothing can be said then.
pub async fn find(conn: &mut Conn, spec: CampaignSpecId) -> Result<Option<Outcomes>, StoreError> {
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT e.partial_reason, w.repository_id, coalesce(r.name, w.named) AS name, w.branch,
                w.state, w.reason
         FROM executions e
         LEFT JOIN workspaces w ON w.execution_id = e.id
         LEFT JOIN repositories r ON r.id = w.repository_id
         WHERE e.campaign_spec_id = $1 AND e.state = 'done'
         ORDER BY coalesce(r.name, w.named), w.branch, w.id LIMIT $2",
    )
    .bind::<SqlUuid, _>(spec.0)
    .bind::<BigInt, _>(OUTCOMES_MAX + 1)
    .load(conn)
    .await?;
    let Some(first) = rows.as_slice().first() else { return Ok(None) };
    let resolution = match (&first.partial_reason, i64::try_from(rows.len())) {
        (Some(reason), _) => Resolution::Partial { reason: reason.clone() },
        (None, Ok(0..=OUTCOMES_MAX)) => Resolution::Complete,
        (None, _) => Resolution::Partial {
            reason: format!("its execution has more than {OUTCOMES_MAX} repositories"),
        },
    };
    let repositories = rows.into_iter().filter_map(Row::into_outcome).collect();
    Ok(Some(Outcomes { resolution, repositories }))
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Nullable<Text>)]
    partial_reason: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    repository_id: Option<Db<RepoId>>,
    /// None: the execution has no workspace at all.
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<Db<RepoName>>,
    #[diesel(sql_type = Nullable<Text>)]
    branch: Option<Db<BranchName>>,
    #[diesel(sql_type = Nullable<Text>)]
    state: Option<StateWord>,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
}

impl Row {
    fn into_outcome(self) -> Option<RepositoryOutcome> {
        let Self { partial_reason: _, repository_id, name, branch, state, reason } = self;
        let outcome = match state? {
            StateWord::Changed => Outcome::Changed,
            StateWord::Unchanged => Outcome::Unchanged,
            // Those that are not over do not stand in an execution that is done.
            StateWord::Waiting
            | StateWord::Cloning
            | StateWord::Step
            | StateWord::Failed
            | StateWord::Skipped
            | StateWord::Cancelled => {
                let reason = reason.unwrap_or_else(|| "its steps did not run to the end".into());
                Outcome::NoResult { reason }
            }
        };
        Some(RepositoryOutcome {
            repo: repository_id.map(|id| id.0),
            name: name?.0,
            base: branch.map(|branch| branch.0),
            outcome,
        })
    }
}
