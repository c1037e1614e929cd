//! Pages, read from the store and put together.

use crate::{
    commands::{
        Answer, internal,
        plans::{self, PlannedRow, Summary},
    },
    diff_view::{self, Colours},
    git::patch::Diff,
    markdown,
    state::AppState,
    store::{
        Conn, PooledConn, StoreError,
        campaign_specs::{self, StoredSpec},
        campaigns::{self, Campaign},
        changeset_rows, changeset_specs,
        changesets::{self, Facts},
        drafts, executions,
        jobs::{self, Ask, NewJob},
        left_out, logs,
        plans::{self as stored_plans, Freshness, StoredPlan},
        timeline, workspaces,
    },
};
use drover::{
    campaign::SAMPLE,
    changeset::{
        Observed, Publication, PullState,
        choice::{ChoiceFacts, Decider, Shown, choices},
        spec::{BranchSpec, ChangesetSpec},
        status::{ChangesetStatus, Work},
    },
    diff::DiffStat,
    id::{CampaignSpecId, ChangesetId, ChangesetSpecId, ExecutionId, WorkspaceId},
    job::Job,
    names::{BranchName, CampaignName, NamespaceName},
    view::{
        Page,
        campaign::{CampaignPage, ChangesetCounts, ChangesetFilter, HomePage},
        changeset::ChangesetPage,
        diff::DiffView,
        execution::{ExecutionPage, ExecutionState, LogPage},
        preview::{MovedRow, NewerApply, PlanHash, PreviewPage, PreviewRow, Standing},
    },
    viewer::Viewer,
};
use drover_app::{backend::EditorSource, error::ApiError};
use std::time::Duration;

/// What is done sooner than this is seen to be done before it is read when it will be.
const ETA_SAID_MIN: Duration = Duration::from_secs(60);
/// How often, and how long apart, a page looks for a plan that is being made.
const PLAN_LOOKS_MAX: u32 = 60;
const PLAN_PAUSE: Duration = Duration::from_millis(250);

pub(super) async fn home(
    state: &AppState,
    viewer: &Viewer,
    after: Option<&str>,
) -> Result<HomePage, ApiError> {
    let mut conn = state.store.conn().await.answer()?;
    let campaigns = campaigns::list(&mut conn, after).await.answer()?;
    let unapplied = campaign_specs::list_unapplied(&mut conn, viewer.id).await.answer()?;
    Ok(HomePage { campaigns, unapplied })
}

pub(super) async fn editor_text(
    state: &AppState,
    viewer: &Viewer,
    source: EditorSource,
) -> Result<String, ApiError> {
    let mut conn = state.store.conn().await.answer()?;
    match source {
        EditorSource::Sample => Ok(SAMPLE.to_owned()),
        EditorSource::Draft(id) => drafts::load(&mut conn, id, viewer.id).await.answer(),
        EditorSource::Spec(id) => {
            campaign_specs::load(&mut conn, id).await.map(|spec| spec.text).answer()
        }
    }
}

pub(super) async fn execution(
    state: &AppState,
    id: ExecutionId,
    after: Option<&str>,
) -> Result<ExecutionPage, ApiError> {
    let mut conn = state.store.conn().await.answer()?;
    executions::load_page(&mut conn, id, after).await.answer()
}

pub(super) async fn log(
    state: &AppState,
    workspace: WorkspaceId,
    after: i64,
) -> Result<LogPage, ApiError> {
    let mut conn = state.store.conn().await.answer()?;
    logs::read(&mut conn, workspace, after).await.answer()
}

pub(super) async fn diff(state: &AppState, id: ChangesetSpecId) -> Result<DiffView, ApiError> {
    let mut conn = state.store.conn().await.answer()?;
    let text = changeset_specs::load_diff(&mut conn, id).await.answer()?;
    drop(conn);
    show(text).await
}

/// Highlighting keeps a core busy, so it is done beside the threads that answer.
async fn show(text: Vec<u8>) -> Result<DiffView, ApiError> {
    let shown = tokio::task::spawn_blocking(move || {
        Ok::<_, crate::git::patch::DiffError>(match Diff::parse(text)? {
            Some(diff) => diff_view::view(&diff, Colours::Highlighted),
            None => DiffView { stat: DiffStat::default(), files: Vec::new(), files_left_out: 0 },
        })
    });
    shown.await.map_err(|error| internal(&error))?.map_err(|error| internal(&error))
}

pub(super) async fn preview(
    state: &AppState,
    id: CampaignSpecId,
    after: Option<String>,
    seen: Option<PlanHash>,
) -> Result<PreviewPage, ApiError> {
    let mut conn = state.store.conn().await.answer()?;
    let spec = campaign_specs::load(&mut conn, id).await.answer()?;
    let execution = executions::find_of_spec(&mut conn, id)
        .await
        .answer()?
        .ok_or_else(|| ApiError::NotFound { what: "execution of this spec".to_owned() })?;
    let campaign = campaigns::find(&mut conn, &spec.namespace.name, &spec.name).await.answer()?;
    let (mut conn, plan) = newest_plan(state, conn, id, &execution.state).await?;
    let standing = standing(&spec, &execution.state, campaign.as_ref(), plan.as_ref());
    refresh(&mut conn, id, &standing, &execution.state, plan.as_ref()).await.answer()?;
    let rows = match &plan {
        Some(plan) => {
            stored_plans::rows(&mut conn, id, &plan.hash, after.as_deref()).await.answer()?
        }
        None => Page { rows: Vec::new(), next: None },
    };
    let (moved, newer) = since(&mut conn, id, seen, plan.as_ref(), campaign.as_ref()).await?;
    let summary = plan.map(|plan| plan.summary).unwrap_or_default();
    let eta = plans::eta(state, &mut conn, summary.writes).await.answer()?;
    let failed = workspaces::list_failed(&mut conn, execution.id).await.answer()?;
    Ok(PreviewPage {
        spec: id,
        execution: execution.id,
        namespace: spec.namespace.name,
        campaign: spec.name,
        description_html: markdown::to_html(&spec.description),
        spec_text: spec.text,
        created_by: spec.author_name,
        created_at: spec.created_at,
        expires_at: spec.expires_at,
        standing,
        totals: summary.totals,
        eta_secs: eta.as_secs(),
        rows: Page { rows: rows.rows.into_iter().map(preview_row).collect(), next: rows.next },
        failed,
        moved,
        newer,
        unread: summary.unread,
    })
}

/// The newest plan. Right after the last step it is still being made: that is waited for a little,
/// so that a page without scripts need not be loaded again.
async fn newest_plan(
    state: &AppState,
    mut conn: PooledConn,
    id: CampaignSpecId,
    execution: &ExecutionState,
) -> Result<(PooledConn, Option<StoredPlan<Summary>>), ApiError> {
    let mut looks = 1;
    loop {
        let plan = stored_plans::newest(&mut conn, id).await.answer()?;
        if plan.is_some() || *execution != ExecutionState::Done || looks == PLAN_LOOKS_MAX {
            return Ok((conn, plan));
        }
        jobs::enqueue(&mut conn, &[NewJob::from(Job::Plan { spec: id })], Ask::Hint)
            .await
            .answer()?;
        // Nobody waits with a connection in hand.
        drop(conn);
        tokio::time::sleep(PLAN_PAUSE).await;
        conn = state.store.conn().await.answer()?;
        looks += 1;
    }
}

/// Whether the plan can be applied.
fn standing(
    spec: &StoredSpec,
    execution: &ExecutionState,
    campaign: Option<&Campaign>,
    plan: Option<&StoredPlan<Summary>>,
) -> Standing {
    match (execution, campaign, plan) {
        (ExecutionState::Resolving | ExecutionState::Running, _, _) => Standing::Executing,
        (ExecutionState::Failed { reason }, _, _) => {
            Standing::Unfinished { reason: reason.clone() }
        }
        (ExecutionState::Cancelled, _, _) => {
            Standing::Unfinished { reason: "the execution was cancelled".to_owned() }
        }
        (ExecutionState::Done, Some(campaign), _) if campaign.spec == spec.id => Standing::Applied,
        // It was applied before, and another one after it.
        (ExecutionState::Done, Some(campaign), _) if spec.expires_at.is_none() => {
            Standing::Superseded { by: campaign.spec }
        }
        // The steps are done, and their plan is being made.
        (ExecutionState::Done, _, None) => Standing::Executing,
        (ExecutionState::Done, _, Some(plan)) => Standing::Ready { hash: plan.hash.clone() },
    }
}

/// Has a plan made anew that may be out of date; the page follows when it is other than before.
async fn refresh(
    conn: &mut Conn,
    id: CampaignSpecId,
    standing: &Standing,
    execution: &ExecutionState,
    plan: Option<&StoredPlan<Summary>>,
) -> Result<(), StoreError> {
    let wanted = match (standing, plan.map(|plan| plan.freshness)) {
        (Standing::Executing, None) => *execution == ExecutionState::Done,
        (Standing::Ready { .. }, Some(Freshness::Stale)) => true,
        (Standing::Ready { .. }, Some(Freshness::Fresh) | None)
        | (Standing::Executing, Some(_))
        | (Standing::Unfinished { .. } | Standing::Applied | Standing::Superseded { .. }, _) => {
            false
        }
    };
    if wanted {
        jobs::enqueue(conn, &[NewJob::from(Job::Plan { spec: id })], Ask::Hint).await?;
    }
    Ok(())
}

/// What moved since the plan that the viewer tried to apply.
async fn since(
    conn: &mut Conn,
    id: CampaignSpecId,
    seen: Option<PlanHash>,
    plan: Option<&StoredPlan<Summary>>,
    campaign: Option<&Campaign>,
) -> Result<(Vec<MovedRow>, Option<NewerApply>), ApiError> {
    let (Some(seen), Some(plan)) = (seen, plan) else { return Ok((Vec::new(), None)) };
    if seen == plan.hash {
        return Ok((Vec::new(), None));
    }
    let was = stored_plans::find(conn, id, &seen).await.answer()?;
    let is = stored_plans::find(conn, id, &plan.hash).await.answer()?;
    let newer = plans::newer(was.as_ref().map(|was| was.applied), campaign);
    let states = |made: Option<stored_plans::Made>| made.map(|it| it.states).unwrap_or_default();
    Ok((drover::campaign::plan_hash::moved(&states(was), &states(is)), newer))
}

fn preview_row((row, spec): (PlannedRow, ChangesetSpec)) -> PreviewRow {
    let PlannedRow { spec: id, changeset, repo, branch, pull, operations, kind, note, stat } = row;
    let words = Words::of(&spec, branch.clone());
    PreviewRow {
        spec: id,
        changeset,
        repo,
        branch,
        base_branch: words.base_branch,
        title: words.title,
        body_html: words.body_html,
        commit_message: words.commit_message,
        pull,
        operations,
        kind,
        note,
        stat,
    }
}

/// What people read of a wish.
struct Words {
    base_branch: BranchName,
    title: String,
    body_html: String,
    commit_message: String,
}

impl Words {
    fn of(spec: &ChangesetSpec, branch: BranchName) -> Self {
        match spec {
            ChangesetSpec::Branch(BranchSpec { base, title, body, commit, .. }) => Self {
                base_branch: base.clone(),
                title: title.clone(),
                body_html: markdown::to_html(body),
                commit_message: commit.message.clone(),
            },
            ChangesetSpec::Existing { number, .. } => Self {
                base_branch: branch,
                title: format!("Pull request {number}"),
                body_html: String::new(),
                commit_message: String::new(),
            },
        }
    }
}

pub(super) async fn campaign(
    state: &AppState,
    namespace: &NamespaceName,
    name: &CampaignName,
    filter: ChangesetFilter,
) -> Result<CampaignPage, ApiError> {
    let mut conn = state.store.conn().await.answer()?;
    let campaign = campaigns::find(&mut conn, namespace, name)
        .await
        .answer()?
        .ok_or_else(|| ApiError::NotFound { what: format!("campaign `{namespace}/{name}`") })?;
    let counts = counts(&mut conn, &campaign).await.answer()?;
    let changesets = changeset_rows::list(&mut conn, campaign.id, &filter).await.answer()?;
    let left_out = left_out::list(&mut conn, campaign.id).await.answer()?;
    let timeline = timeline::list_of_campaign(&mut conn, campaign.id).await.answer()?;
    let eta = plans::eta(state, &mut conn, counts.processing).await.answer()?;
    let is_worth_saying = counts.processing > 0 && eta >= ETA_SAID_MIN;
    let rewired = campaign.rewired_spec == Some(campaign.spec);
    Ok(CampaignPage {
        description_html: markdown::to_html(&campaign.description),
        spec: campaign.spec,
        spec_text: campaign.spec_text.clone(),
        applied_by: campaign.applied_by_name.clone(),
        applied_at: campaign.applied_at,
        applying: (!rewired).then_some((0, counts.total())),
        eta_at: is_worth_saying.then(|| crate::clock::now() + eta),
        campaign: campaigns::row(&campaign, counts),
        changesets,
        left_out,
        filter,
        timeline,
    })
}

async fn counts(conn: &mut Conn, campaign: &Campaign) -> Result<ChangesetCounts, StoreError> {
    let counts = campaigns::count_changesets(conn, &[campaign.id]).await?;
    Ok(counts.get(&campaign.id).copied().unwrap_or_default())
}

pub(super) async fn changeset(
    state: &AppState,
    id: ChangesetId,
) -> Result<ChangesetPage, ApiError> {
    let mut conn = state.store.conn().await.answer()?;
    let row = changeset_rows::load(&mut conn, id).await.answer()?;
    let facts = changesets::load(&mut conn, id).await.answer()?;
    let campaign = campaigns::find_by_id(&mut conn, facts.campaign)
        .await
        .answer()?
        .ok_or_else(|| ApiError::NotFound { what: "such campaign".to_owned() })?;
    let timeline = timeline::list_of_changeset(&mut conn, id).await.answer()?;
    let capabilities = plans::capabilities(state, &mut conn).await;
    let (base_commit, diff) = match &facts.spec {
        ChangesetSpec::Branch(spec) => {
            let text = changeset_specs::load_diff(&mut conn, facts.spec_id).await.answer()?;
            (Some(spec.base_commit.clone()), Some(text))
        }
        ChangesetSpec::Existing { .. } => (None, None),
    };
    drop(conn);
    let diff = match diff {
        Some(text) => Some(show(text).await?),
        None => None,
    };
    let words = Words::of(&facts.spec, row.branch.clone());
    Ok(ChangesetPage {
        shown: Shown::of(&facts),
        choices: choices(&ChoiceFacts {
            filing: facts.filing,
            pull: pull_state(&facts),
            work: work(row.status),
            publication: decider(&facts.spec),
            capabilities,
        }),
        namespace: campaign.namespace.name,
        campaign: campaign.name,
        base_branch: words.base_branch,
        base_commit,
        head_commit: facts.ours.pushed.map(|pushed| pushed.commit),
        body_html: words.body_html,
        commit_message: words.commit_message,
        diff,
        timeline,
        changeset: row,
    })
}

fn pull_state(facts: &Facts) -> Option<PullState> {
    match &facts.observed {
        Observed::Pull(pull) => Some(pull.state),
        Observed::Unpublished { .. } => None,
    }
}

fn decider(spec: &ChangesetSpec) -> Decider {
    let published: Option<Publication> = match spec {
        ChangesetSpec::Branch(spec) => spec.published,
        ChangesetSpec::Existing { .. } => Some(Publication::Published),
    };
    match published {
        Some(_) => Decider::Spec,
        None => Decider::Person,
    }
}

/// How it stands with the work, as the status tells.
fn work(status: ChangesetStatus) -> Work {
    match status {
        ChangesetStatus::Queued => Work::Queued,
        ChangesetStatus::Processing => Work::Running,
        ChangesetStatus::Retrying => Work::Retrying,
        ChangesetStatus::Failed => Work::Failed,
        ChangesetStatus::Drift => Work::Drift,
        ChangesetStatus::Unpublished
        | ChangesetStatus::Draft
        | ChangesetStatus::Open
        | ChangesetStatus::Merged
        | ChangesetStatus::Closed
        | ChangesetStatus::Deleted
        | ChangesetStatus::ReadOnly
        | ChangesetStatus::Archived => Work::Idle,
    }
}
