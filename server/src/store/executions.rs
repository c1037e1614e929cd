//! Executions: the running of the steps of a spec.

use super::{
    Conn, StoreError,
    error::Found,
    jobs::{self, Ask, NewJob},
    schema::executions,
    sql_types::Db,
    workspaces,
};
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, QueryableByName,
    sql_types::{Array, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use drover::{
    campaign::outcome::Resolution,
    id::{CampaignSpecId, ExecutionId},
    job::Job,
    names::{CampaignName, NamespaceName},
    time::Timestamp,
    view::execution::{ExecutionPage, ExecutionState},
};

pub async fn insert(
    conn: &mut Conn,
    id: ExecutionId,
    spec: CampaignSpecId,
) -> Result<(), StoreError> {
    diesel::insert_into(executions::table)
        .values((executions::id.eq(id.0), executions::campaign_spec_id.eq(spec.0)))
        .execute(conn)
        .await?;
    Ok(())
}

/// An execution without its workspaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    pub id: ExecutionId,
    pub spec: CampaignSpecId,
    pub state: ExecutionState,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub warnings: Vec<String>,
}

const COLUMNS: &str = "id, campaign_spec_id, state, reason, warnings, created_at, finished_at";

pub async fn load(conn: &mut Conn, id: ExecutionId) -> Result<Execution, StoreError> {
    diesel::sql_query(format!("SELECT {COLUMNS} FROM executions WHERE id = $1"))
        .bind::<SqlUuid, _>(id.0)
        .get_result::<Row>(conn)
        .await
        .map(Execution::from)
        .found("execution")
}

/// Loads an execution and keeps others from changing it until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: ExecutionId) -> Result<Execution, StoreError> {
    diesel::sql_query(format!("SELECT {COLUMNS} FROM executions WHERE id = $1 FOR UPDATE"))
        .bind::<SqlUuid, _>(id.0)
        .get_result::<Row>(conn)
        .await
        .map(Execution::from)
        .found("execution")
}

/// Finds the execution of a spec.
pub async fn find_of_spec(
    conn: &mut Conn,
    spec: CampaignSpecId,
) -> Result<Option<Execution>, StoreError> {
    let row: Option<Row> =
        diesel::sql_query(format!("SELECT {COLUMNS} FROM executions WHERE campaign_spec_id = $1"))
            .bind::<SqlUuid, _>(spec.0)
            .get_result(conn)
            .await
            .optional()?;
    Ok(row.map(Execution::from))
}

/// Moves an execution that is not over to another state; says whether it did. One that is done
/// has the plan of its spec made.
pub async fn update_state(
    conn: &mut Conn,
    id: ExecutionId,
    state: &ExecutionState,
) -> Result<Moved, StoreError> {
    let reason = match state {
        ExecutionState::Failed { reason } => Some(reason.as_str()),
        ExecutionState::Resolving
        | ExecutionState::Running
        | ExecutionState::Done
        | ExecutionState::Cancelled => None,
    };
    let moved = diesel::sql_query(
        "WITH moved AS (
             UPDATE executions SET state = $2, reason = $3,
                 finished_at = CASE WHEN $2 IN ('done', 'failed', 'cancelled') THEN now() END
             WHERE id = $1 AND finished_at IS NULL
             RETURNING id
         )
         SELECT pg_notify('drover', 'execution:' || id) FROM moved",
    )
    .bind::<SqlUuid, _>(id.0)
    .bind::<Text, _>(word(state))
    .bind::<Nullable<Text>, _>(reason)
    .execute(conn)
    .await?;
    if moved != 1 {
        return Ok(Moved::No);
    }
    if *state == ExecutionState::Done {
        let spec = executions::table
            .find(id.0)
            .select(executions::campaign_spec_id)
            .first(conn)
            .await
            .map(CampaignSpecId)?;
        jobs::enqueue(conn, &[NewJob::from(Job::Plan { spec })], Ask::Decision).await?;
    }
    Ok(Moved::Yes)
}

/// Whether a row was in a state from which it could be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Moved {
    Yes,
    /// It is over, or it does not exist.
    No,
}

/// Writes down whether all is known that the spec and its queries name.
pub async fn set_resolution(
    conn: &mut Conn,
    id: ExecutionId,
    resolution: &Resolution,
) -> Result<(), StoreError> {
    let reason = match resolution {
        Resolution::Complete => None,
        Resolution::Partial { reason } => Some(reason.as_str()),
    };
    diesel::update(executions::table.find(id.0))
        .set(executions::partial_reason.eq(reason))
        .execute(conn)
        .await?;
    Ok(())
}

/// Adds things to know that stop nothing.
pub async fn add_warnings(
    conn: &mut Conn,
    id: ExecutionId,
    warnings: &[String],
) -> Result<(), StoreError> {
    diesel::sql_query("UPDATE executions SET warnings = warnings || $2 WHERE id = $1")
        .bind::<SqlUuid, _>(id.0)
        .bind::<Array<Text>, _>(warnings)
        .execute(conn)
        .await?;
    Ok(())
}

/// Loads what people watch: the execution, its counts and a page of its workspaces.
pub async fn load_page(
    conn: &mut Conn,
    id: ExecutionId,
    after: Option<&str>,
) -> Result<ExecutionPage, StoreError> {
    let Execution { id, spec, state, created_at, finished_at, warnings } = load(conn, id).await?;
    let names: NamesRow = diesel::sql_query(
        "SELECT n.name AS namespace, s.name AS campaign FROM campaign_specs s
         JOIN namespaces n ON n.id = s.namespace_id WHERE s.id = $1",
    )
    .bind::<SqlUuid, _>(spec.0)
    .get_result(conn)
    .await?;
    let counts = workspaces::count(conn, id).await?;
    let workspaces = workspaces::list(conn, id, after).await?;
    let (namespace, campaign) = (names.namespace.0, names.campaign.0);
    Ok(ExecutionPage {
        id,
        spec,
        namespace,
        campaign,
        state,
        created_at,
        finished_at,
        warnings,
        counts,
        workspaces,
    })
}

fn word(state: &ExecutionState) -> &'static str {
    match state {
        ExecutionState::Resolving => "resolving",
        ExecutionState::Running => "running",
        ExecutionState::Done => "done",
        ExecutionState::Failed { .. } => "failed",
        ExecutionState::Cancelled => "cancelled",
    }
}

#[derive(QueryableByName)]
struct NamesRow {
    #[diesel(sql_type = Text)]
    namespace: Db<NamespaceName>,
    #[diesel(sql_type = Text)]
    campaign: Db<CampaignName>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Db<ExecutionId>,
    #[diesel(sql_type = SqlUuid)]
    campaign_spec_id: Db<CampaignSpecId>,
    #[diesel(sql_type = Text)]
    state: StateWord,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = Array<Text>)]
    warnings: Vec<String>,
    #[diesel(sql_type = Timestamptz)]
    created_at: Db<Timestamp>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    finished_at: Option<Db<Timestamp>>,
}

super::sql_types::word_enum! {
    StateWord {
        Resolving = "resolving",
        Running = "running",
        Done = "done",
        Failed = "failed",
        Cancelled = "cancelled",
    }
}

impl From<Row> for Execution {
    fn from(row: Row) -> Self {
        let Row { id, campaign_spec_id, state, reason, warnings, created_at, finished_at } = row;
        let state = match state {
            StateWord::Resolving => ExecutionState::Resolving,
            StateWord::Running => ExecutionState::Running,
            StateWord::Done => ExecutionState::Done,
            // The schema lets no execution fail without a reason.
            StateWord::Failed => ExecutionState::Failed { reason: reason.unwrap_or_default() },
            StateWord::Cancelled => ExecutionState::Cancelled,
        };
        Self {
            id: id.0,
            spec: campaign_spec_id.0,
            state,
            created_at: created_at.0,
            finished_at: finished_at.map(|at| at.0),
            warnings,
        }
    }
}
