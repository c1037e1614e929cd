//! Workspaces: a repository's branch in which the steps of a spec run.

use super::{
    Conn, StoreError,
    error::Found,
    executions::Moved,
    keyset::{self, ROWS_WANTED},
    schema::workspaces,
    sql_types::{Db, integer},
};
use diesel::{
    ExpressionMethods, QueryDsl, QueryableByName,
    sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use drover::{
    diff::DiffStat,
    id::{CodeHostId, ExecutionId, RepoId, WorkspaceId},
    names::{BranchName, CommitSha, RepoName},
    time::Timestamp,
    view::{
        Page,
        execution::{WorkspaceCounts, WorkspaceRow, WorkspaceState},
    },
};
use uuid::Uuid;

/// A workspace to be stored. It waits.
pub struct NewWorkspace {
    pub id: WorkspaceId,
    pub repo: RepoId,
    pub branch: BranchName,
    pub base_commit: Option<CommitSha>,
}

/// A repository in which nothing can be run, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    pub id: WorkspaceId,
    /// As the spec or the code host names it.
    pub name: RepoName,
    /// `None`: a default branch that nobody could read.
    pub branch: Option<BranchName>,
    pub asked: Asked,
    pub reason: String,
}

/// How a spec asks for a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// By its name, so that something is wrong when nothing can be run in it.
    Named,
    /// By a query that matches it.
    Matched,
}

/// What a workspace's job needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    pub id: WorkspaceId,
    pub execution: ExecutionId,
    pub repo: RepoId,
    pub branch: BranchName,
    pub base_commit: Option<CommitSha>,
    pub state: WorkspaceState,
}

/// Inserts the workspaces of an execution in one statement.
pub async fn insert(
    conn: &mut Conn,
    execution: ExecutionId,
    steps_total: u32,
    workspaces: &[NewWorkspace],
) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = workspaces.iter().map(|it| it.id.0).collect();
    let repos: Vec<Uuid> = workspaces.iter().map(|it| it.repo.0).collect();
    let branches: Vec<&str> = workspaces.iter().map(|it| it.branch.as_str()).collect();
    let commits: Vec<Option<&str>> =
        workspaces.iter().map(|it| it.base_commit.as_ref().map(CommitSha::as_str)).collect();
    diesel::sql_query(
        "INSERT INTO workspaces (id, execution_id, steps_total, repository_id, branch, base_commit)
         SELECT id, $1, $2, repository_id, branch, base_commit
         FROM unnest($3, $4, $5, $6) AS it (id, repository_id, branch, base_commit)",
    )
    .bind::<SqlUuid, _>(execution.0)
    .bind::<Integer, _>(integer(steps_total))
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<SqlUuid>, _>(repos)
    .bind::<Array<Text>, _>(branches)
    .bind::<Array<Nullable<Text>>, _>(commits)
    .execute(conn)
    .await?;
    Ok(())
}

/// Inserts the repositories of an execution in which nothing can be run, in one statement. One
/// that is known by its name, as it was when it could be read last, is known by its row.
pub async fn insert_unusable(
    conn: &mut Conn,
    execution: ExecutionId,
    code_host: CodeHostId,
    unusable: &[Unusable],
) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = unusable.iter().map(|it| it.id.0).collect();
    let names: Vec<&str> = unusable.iter().map(|it| it.name.as_str()).collect();
    let branches: Vec<Option<&str>> =
        unusable.iter().map(|it| it.branch.as_ref().map(BranchName::as_str)).collect();
    let words = unusable.iter().map(|it| match it.asked {
        Asked::Named => "failed",
        Asked::Matched => "skipped",
    });
    let reasons: Vec<&str> = unusable.iter().map(|it| it.reason.as_str()).collect();
    diesel::sql_query(
        "INSERT INTO workspaces (id, execution_id, steps_total, repository_id, named, branch,
                                 state, reason, finished_at)
         SELECT it.id, $1, 0, r.id, CASE WHEN r.id IS NULL THEN it.name END, it.branch, it.state,
                it.reason, now()
         FROM unnest($3, $4, $5, $6, $7) AS it (id, name, branch, state, reason)
         LEFT JOIN repositories r ON r.code_host_id = $2 AND lower(r.name) = lower(it.name)
         ON CONFLICT (execution_id, repository_id, branch) DO NOTHING",
    )
    .bind::<SqlUuid, _>(execution.0)
    .bind::<SqlUuid, _>(code_host.0)
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Text>, _>(names)
    .bind::<Array<Nullable<Text>>, _>(branches)
    .bind::<Array<Text>, _>(words.collect::<Vec<_>>())
    .bind::<Array<Text>, _>(reasons)
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn load(conn: &mut Conn, id: WorkspaceId) -> Result<Workspace, StoreError> {
    let row: Row = diesel::sql_query(format!("{SELECT} WHERE w.id = $1"))
        .bind::<SqlUuid, _>(id.0)
        .get_result(conn)
        .await
        .found("workspace")?;
    let execution = row.execution_id.0;
    let base_commit = row.base_commit.clone().map(|commit| commit.0);
    // The schema lets nothing run without these two.
    let repo = row.repository_id.as_ref().map(|id| id.0);
    let WorkspaceRow { id, branch, state, .. } = WorkspaceRow::from(row);
    let (Some(repo), Some(branch)) = (repo, branch) else {
        return Err(StoreError::NotFound { what: "workspace with a repository" });
    };
    Ok(Workspace { id, execution, repo, branch, base_commit, state })
}

/// Lists the branches of one repository that an execution works on, at most
/// [`BRANCHES_MAX`], in the order of their names.
pub async fn list_branches(
    conn: &mut Conn,
    execution: ExecutionId,
    repo: RepoId,
) -> Result<Vec<BranchName>, StoreError> {
    let rows: Vec<Option<Db<BranchName>>> = workspaces::table
        .filter(workspaces::execution_id.eq(execution.0))
        .filter(workspaces::repository_id.eq(repo.0))
        .order(workspaces::branch)
        .limit(BRANCHES_MAX)
        .select(workspaces::branch)
        .load(conn)
        .await?;
    Ok(rows.into_iter().flatten().map(|Db(branch)| branch).collect())
}

/// The branches of one repository in one execution, at most: a spec is not longer than that.
const BRANCHES_MAX: i64 = 10_000;

/// Writes down the commit that the steps start from.
pub async fn set_base_commit(
    conn: &mut Conn,
    id: WorkspaceId,
    commit: &CommitSha,
) -> Result<(), StoreError> {
    diesel::sql_query("UPDATE workspaces SET base_commit = $2 WHERE id = $1")
        .bind::<SqlUuid, _>(id.0)
        .bind::<Text, _>(commit.as_str())
        .execute(conn)
        .await?;
    Ok(())
}

/// Moves a workspace that is not over to another state; says whether it did.
pub async fn update_state(
    conn: &mut Conn,
    id: WorkspaceId,
    state: &WorkspaceState,
) -> Result<Moved, StoreError> {
    let Columns { word, step, reason, stat } = Columns::of(state);
    let moved = diesel::sql_query(
        "WITH moved AS (
             UPDATE workspaces SET state = $2, step = $3, reason = $4,
                 files = $5, added = $6, removed = $7,
                 started_at = CASE WHEN $2 <> 'waiting' THEN coalesce(started_at, now()) END,
                 finished_at = CASE
                     WHEN $2 IN ('changed', 'unchanged', 'failed', 'skipped', 'cancelled')
                     THEN now() END
             WHERE id = $1 AND finished_at IS NULL
             RETURNING id, execution_id
         )
         SELECT pg_notify('drover', 'execution:' || execution_id),
                pg_notify('drover', 'workspace:' || id)
         FROM moved",
    )
    .bind::<SqlUuid, _>(id.0)
    .bind::<Text, _>(word)
    .bind::<Nullable<Integer>, _>(step.map(integer))
    .bind::<Nullable<Text>, _>(reason)
    .bind::<Nullable<Integer>, _>(stat.map(|stat| integer(stat.files)))
    .bind::<Nullable<Integer>, _>(stat.map(|stat| integer(stat.added)))
    .bind::<Nullable<Integer>, _>(stat.map(|stat| integer(stat.removed)))
    .execute(conn)
    .await?;
    Ok(if moved == 1 { Moved::Yes } else { Moved::No })
}

/// Cancels every workspace of an execution that is not over.
pub async fn cancel_all(conn: &mut Conn, execution: ExecutionId) -> Result<(), StoreError> {
    diesel::sql_query(
        "WITH moved AS (
             UPDATE workspaces SET state = 'cancelled', step = NULL, finished_at = now()
             WHERE execution_id = $1 AND finished_at IS NULL
             RETURNING id
         )
         SELECT pg_notify('drover', 'workspace:' || id) FROM moved",
    )
    .bind::<SqlUuid, _>(execution.0)
    .execute(conn)
    .await?;
    Ok(())
}

/// Counts the workspaces of an execution by what became of them.
pub async fn count(conn: &mut Conn, execution: ExecutionId) -> Result<WorkspaceCounts, StoreError> {
    let row: CountRow = diesel::sql_query(
        "SELECT count(*) FILTER (WHERE state = 'waiting')::int AS waiting,
                count(*) FILTER (WHERE state IN ('cloning', 'step'))::int AS running,
                count(*) FILTER (WHERE state = 'changed')::int AS changed,
                count(*) FILTER (WHERE state = 'unchanged')::int AS unchanged,
                count(*) FILTER (WHERE state = 'skipped')::int AS skipped,
                count(*) FILTER (WHERE state IN ('failed', 'cancelled'))::int AS failed
         FROM workspaces WHERE execution_id = $1",
    )
    .bind::<SqlUuid, _>(execution.0)
    .get_result(conn)
    .await?;
    let CountRow { waiting, running, changed, unchanged, skipped, failed } = row;
    Ok(WorkspaceCounts {
        waiting: waiting.0,
        running: running.0,
        changed: changed.0,
        unchanged: unchanged.0,
        skipped: skipped.0,
        failed: failed.0,
    })
}

/// Lists a page of the workspaces of an execution, in the order of their repositories.
pub async fn list(
    conn: &mut Conn,
    execution: ExecutionId,
    after: Option<&str>,
) -> Result<Page<WorkspaceRow>, StoreError> {
    let rows: Vec<Row> = diesel::sql_query(format!(
        "{SELECT} WHERE w.execution_id = $1
         AND ($2 IS NULL OR (coalesce(r.name, w.named), w.id) > (
             SELECT coalesce(r.name, w.named), w.id
             FROM workspaces w LEFT JOIN repositories r ON r.id = w.repository_id
             WHERE w.id = $2))
         ORDER BY coalesce(r.name, w.named), w.id LIMIT $3"
    ))
    .bind::<SqlUuid, _>(execution.0)
    .bind::<Nullable<SqlUuid>, _>(keyset::id_key(after)?)
    .bind::<BigInt, _>(ROWS_WANTED)
    .load(conn)
    .await?;
    Ok(keyset::page(rows, |row| row.id.0.to_string()))
}

/// Lists the workspaces of an execution whose steps failed, at most a page of them.
pub async fn list_failed(
    conn: &mut Conn,
    execution: ExecutionId,
) -> Result<Vec<WorkspaceRow>, StoreError> {
    let rows: Vec<Row> = diesel::sql_query(format!(
        "{SELECT} WHERE w.execution_id = $1 AND w.state = 'failed'
         ORDER BY coalesce(r.name, w.named), w.id LIMIT $2"
    ))
    .bind::<SqlUuid, _>(execution.0)
    .bind::<BigInt, _>(i64::from(drover::view::PAGE_ROWS_MAX))
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(WorkspaceRow::from).collect())
}

const SELECT: &str = "
    SELECT w.id, w.execution_id, w.repository_id, coalesce(r.name, w.named) AS repo, w.branch,
           w.base_commit, w.state, w.step, w.steps_total, w.reason, w.files, w.added, w.removed,
           w.started_at, w.finished_at
    FROM workspaces w LEFT JOIN repositories r ON r.id = w.repository_id";

/// A state as its columns.
struct Columns<'a> {
    word: &'static str,
    step: Option<u32>,
    reason: Option<&'a str>,
    stat: Option<DiffStat>,
}

impl<'a> Columns<'a> {
    fn of(state: &'a WorkspaceState) -> Self {
        let only = |word| Self { word, step: None, reason: None, stat: None };
        match state {
            WorkspaceState::Waiting => only("waiting"),
            WorkspaceState::Cloning => only("cloning"),
            WorkspaceState::Step { step } => Self { step: Some(*step), ..only("step") },
            WorkspaceState::Changed { stat } => Self { stat: Some(*stat), ..only("changed") },
            WorkspaceState::Unchanged => only("unchanged"),
            WorkspaceState::Failed { step, reason } => {
                Self { step: *step, reason: Some(reason), ..only("failed") }
            }
            WorkspaceState::Skipped { reason } => Self { reason: Some(reason), ..only("skipped") },
            WorkspaceState::Cancelled => only("cancelled"),
        }
    }
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = Integer)]
    waiting: Db<u32>,
    #[diesel(sql_type = Integer)]
    running: Db<u32>,
    #[diesel(sql_type = Integer)]
    changed: Db<u32>,
    #[diesel(sql_type = Integer)]
    unchanged: Db<u32>,
    #[diesel(sql_type = Integer)]
    skipped: Db<u32>,
    #[diesel(sql_type = Integer)]
    failed: Db<u32>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Db<WorkspaceId>,
    #[diesel(sql_type = SqlUuid)]
    execution_id: Db<ExecutionId>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    repository_id: Option<Db<RepoId>>,
    #[diesel(sql_type = Text)]
    repo: Db<RepoName>,
    #[diesel(sql_type = Nullable<Text>)]
    branch: Option<Db<BranchName>>,
    #[diesel(sql_type = Nullable<Text>)]
    base_commit: Option<Db<CommitSha>>,
    #[diesel(sql_type = Text)]
    state: StateWord,
    #[diesel(sql_type = Nullable<Integer>)]
    step: Option<Db<u32>>,
    #[diesel(sql_type = Integer)]
    steps_total: Db<u32>,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    files: Option<Db<u32>>,
    #[diesel(sql_type = Nullable<Integer>)]
    added: Option<Db<u32>>,
    #[diesel(sql_type = Nullable<Integer>)]
    removed: Option<Db<u32>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    started_at: Option<Db<Timestamp>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    finished_at: Option<Db<Timestamp>>,
}

super::sql_types::word_enum! {
    StateWord {
        Waiting = "waiting",
        Cloning = "cloning",
        Step = "step",
        Changed = "changed",
        Unchanged = "unchanged",
        Failed = "failed",
        Skipped = "skipped",
        Cancelled = "cancelled",
    }
}

impl From<Row> for WorkspaceRow {
    fn from(row: Row) -> Self {
        // The schema keeps a state and the columns that belong to it together.
        let count = |column: Option<Db<u32>>| column.map_or(0, |Db(count)| count);
        let state = match row.state {
            StateWord::Waiting => WorkspaceState::Waiting,
            StateWord::Cloning => WorkspaceState::Cloning,
            StateWord::Step => WorkspaceState::Step { step: count(row.step) },
            StateWord::Changed => WorkspaceState::Changed {
                stat: DiffStat {
                    files: count(row.files),
                    added: count(row.added),
                    removed: count(row.removed),
                },
            },
            StateWord::Unchanged => WorkspaceState::Unchanged,
            StateWord::Failed => WorkspaceState::Failed {
                step: row.step.map(|step| step.0),
                reason: row.reason.unwrap_or_default(),
            },
            StateWord::Skipped => {
                WorkspaceState::Skipped { reason: row.reason.unwrap_or_default() }
            }
            StateWord::Cancelled => WorkspaceState::Cancelled,
        };
        Self {
            id: row.id.0,
            repo: row.repo.0,
            branch: row.branch.map(|branch| branch.0),
            state,
            steps_total: row.steps_total.0,
            started_at: row.started_at.map(|at| at.0),
            finished_at: row.finished_at.map(|at| at.0),
        }
    }
}
