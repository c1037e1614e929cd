//! Starts an execution: finds its repositories and makes a workspace of each, of those too in
//! which nothing can be run.

use super::{
    resolve::{Patience, Place, ResolveError, Resolved, resolve},
    retry,
};
use crate::{
    jobs::{ClaimedJob, Finish},
    state::AppState,
    store::{
        Conn, StoreError, campaign_specs,
        executions::{self, Moved},
        jobs::{self, Ask, NewJob},
        repositories::{self, Archive, SeenRepository},
        workspaces::{self, NewWorkspace},
    },
};
use diesel_async::AsyncConnection;
use drover::{
    campaign::spec::{CampaignSpec, query::Activity},
    id::{CodeHostId, ExecutionId, RepoId, WorkspaceId},
    job::Job,
    names::RepoName,
    view::execution::ExecutionState,
};
use std::collections::BTreeMap;
use uuid::Uuid;

pub(super) async fn execute(
    state: &AppState,
    job: &ClaimedJob,
    id: ExecutionId,
) -> anyhow::Result<Finish> {
    let mut conn = state.store.conn().await?;
    let execution = executions::load(&mut conn, id).await?;
    match execution.state {
        ExecutionState::Resolving => {}
        ExecutionState::Running
        | ExecutionState::Done
        | ExecutionState::Failed { .. }
        | ExecutionState::Cancelled => return Ok(Finish::Done),
    }
    let stored = campaign_specs::load(&mut conn, execution.spec).await?;
    let spec = match CampaignSpec::parse(stored.text.as_bytes()) {
        Ok(spec) => spec,
        // It was parsed before it was stored, by an older Drover perhaps.
        Err(problems) => return fail(&mut conn, id, problems_text(&problems)).await,
    };
    if spec.steps.is_empty() {
        return end(&mut conn, id, &ExecutionState::Done).await;
    }
    let access = match state.hosts.first(&mut conn).await {
        Ok(access) => access,
        Err(error) => return fail(&mut conn, id, error.to_string()).await,
    };
    let is_last = job.attempt >= job.attempts_max;
    let patience = if is_last { Patience::GoOn } else { Patience::AskAgain };
    let mut resolved = match resolve(access.api.as_ref(), &spec, patience).await {
        Ok(resolved) => resolved,
        Err(ResolveError::CodeHost(error)) => {
            let failure = retry::of_code_host(error);
            return match retry::after(&failure, job) {
                Finish::Fail { error } => fail(&mut conn, id, error).await,
                Finish::Retry { error, .. } if is_last => fail(&mut conn, id, error).await,
                again => Ok(again),
            };
        }
        Err(error) => return fail(&mut conn, id, error.to_string()).await,
    };
    resolved.warnings.extend(container_warning(&spec));
    let steps = u32::try_from(spec.steps.len())?;
    start(&mut conn, id, access.host.id, steps, &resolved).await?;
    Ok(Finish::Done)
}

/// Makes the workspaces and queues their jobs, once.
async fn start(
    conn: &mut Conn,
    id: ExecutionId,
    host: CodeHostId,
    steps: u32,
    resolved: &Resolved,
) -> Result<(), StoreError> {
    let Resolved { places, unusable, resolution, warnings } = resolved;
    conn.transaction(async |conn| {
        match executions::update_state(conn, id, &ExecutionState::Running).await? {
            // Cancelled meanwhile, or an earlier attempt came to here.
            Moved::No => return Ok(()),
            Moved::Yes => {}
        }
        let repos = upsert_repos(conn, host, places).await?;
        let workspaces: Vec<NewWorkspace> = places
            .iter()
            .filter_map(|place| {
                let repo = *repos.get(&place.repo.name)?;
                let id = WorkspaceId(Uuid::new_v4());
                Some(NewWorkspace { id, repo, branch: place.branch.clone(), base_commit: None })
            })
            .collect();
        workspaces::insert(conn, id, steps, &workspaces).await?;
        workspaces::insert_unusable(conn, id, host, unusable).await?;
        executions::set_resolution(conn, id, resolution).await?;
        executions::add_warnings(conn, id, warnings).await?;
        if workspaces.is_empty() {
            // Nothing can be run anywhere: the plan says so, row by row.
            let (Moved::Yes | Moved::No) =
                executions::update_state(conn, id, &ExecutionState::Done).await?;
        }
        let work: Vec<NewJob> =
            workspaces.iter().map(|it| NewJob::from(Job::Workspace { workspace: it.id })).collect();
        jobs::enqueue(conn, &work, Ask::Decision).await
    })
    .await
}

async fn upsert_repos(
    conn: &mut Conn,
    host: CodeHostId,
    places: &[Place],
) -> Result<BTreeMap<RepoName, RepoId>, StoreError> {
    let mut seen: BTreeMap<&RepoName, SeenRepository> = BTreeMap::new();
    for Place { repo, .. } in places {
        seen.entry(&repo.name).or_insert_with(|| SeenRepository {
            id: repo.id,
            name: repo.name.clone(),
            default_branch: repo.default_branch.clone(),
            archive: match repo.activity {
                Activity::Archived => Archive::Archived,
                Activity::Active => Archive::Active,
            },
            language: repo.language.clone(),
            topics: repo.topics.clone(),
        });
    }
    let seen: Vec<SeenRepository> = seen.into_values().collect();
    let rows = repositories::upsert(conn, host, &seen).await?;
    Ok(rows.into_iter().map(|row| (row.name, row.id)).collect())
}

async fn fail(conn: &mut Conn, id: ExecutionId, reason: String) -> anyhow::Result<Finish> {
    end(conn, id, &ExecutionState::Failed { reason }).await
}

async fn end(conn: &mut Conn, id: ExecutionId, state: &ExecutionState) -> anyhow::Result<Finish> {
    // `Moved::No`: cancelled meanwhile, and that stands.
    let (Moved::Yes | Moved::No) = executions::update_state(conn, id, state).await?;
    Ok(Finish::Done)
}

fn container_warning(spec: &CampaignSpec) -> Option<String> {
    let images: Vec<&str> = spec
        .steps
        .iter()
        .filter_map(|step| step.container.as_ref())
        .map(|image| image.as_str())
        .collect();
    (!images.is_empty()).then(|| {
        format!(
            "steps name the container images {}: this Drover has no containers and runs steps in \
             its sandbox, where its configuration allows that",
            images.join(", ")
        )
    })
}

fn problems_text(problems: &[drover::campaign::spec::SpecProblem]) -> String {
    let texts: Vec<String> =
        problems.iter().map(|it| format!("line {}: {}", it.line, it.message)).collect();
    texts.join("; ")
}
