//! Runs the steps of a spec in one repository and keeps what they changed.

use super::retry;
use crate::{
    executor::{Folders, LOG_EVENTS_MAX, LogEvent, Reason, Step, StepFailure},
    git::{
        error::GitError,
        mirror::Mirror,
        patch::Diff,
        working_copy::{Changes, WorkingCopy, remove_tree},
    },
    hosts::Access,
    jobs::{ClaimedJob, Finish},
    look::{self, Target},
    state::AppState,
    store::{
        Conn, Store, StoreError, campaign_specs,
        changeset_specs::{self, NewChangesetSpec, NewDiff},
        executions::{self, Moved},
        logs::{self, NewLines},
        repositories,
        workspaces::{self, Workspace},
    },
};
use diesel_async::AsyncConnection;
use drover::{
    campaign::spec::{CampaignSpec, ChangesetTemplate},
    changeset::{
        retry::Failure,
        spec::{BranchSpec, ChangesetSpec},
    },
    id::{CampaignSpecId, ChangesetSpecId, ExecutionId, WorkspaceId},
    names::{BranchName, CommitSha, RepoName},
    view::execution::{ExecutionState, LogStream, WorkspaceState},
};
use sha2::{Digest, Sha256};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How long lines wait so that more of them are stored at once.
const LOG_FLUSH: Duration = Duration::from_millis(250);
/// How often a running workspace looks whether its execution was cancelled.
const CANCEL_CHECK: Duration = Duration::from_secs(2);
/// The folder beside a working copy that its steps share.
const SCRATCH: &str = "scratch";
/// How long a workspace waits for room on the server's disk before it looks again.
const DISK_WAIT: Duration = Duration::from_secs(30);
/// The last lines of a log that a failure repeats.
const TAIL_LINES_MAX: usize = 5;

/// What there is to do, all loaded.
struct Task {
    workspace: Workspace,
    spec_id: CampaignSpecId,
    spec: CampaignSpec,
    template: ChangesetTemplate,
    repo: RepoName,
    default_branch: BranchName,
    access: Access,
}

/// Why a workspace has no result.
enum Stopped {
    /// For good: its row says why.
    Failed { step: Option<u32>, reason: String },
    /// The fault may pass.
    Outside(Failure),
    /// This server has no room now: it starts over when there is.
    Waits { reason: String },
    /// The server stops, or the execution was cancelled.
    Cancelled,
}

impl From<GitError> for Stopped {
    fn from(error: GitError) -> Self {
        match retry::of_git(&error) {
            failure @ (Failure::Unavailable { .. }
            | Failure::Internal { .. }
            | Failure::RateLimited { .. }) => Self::Outside(failure),
            failure @ (Failure::BranchMoved
            | Failure::Forbidden { .. }
            | Failure::Rejected { .. }
            | Failure::DoesNotApply { .. }
            | Failure::NotFound { .. }) => {
                Self::Failed { step: None, reason: retry::words(&failure) }
            }
        }
    }
}

pub(super) async fn run(
    state: &AppState,
    job: &ClaimedJob,
    id: WorkspaceId,
    stop: &CancellationToken,
) -> anyhow::Result<Finish> {
    let mut conn = state.store.conn().await?;
    let workspace = workspaces::load(&mut conn, id).await?;
    if is_over(&workspace.state) {
        settle(&mut conn, workspace.execution).await?;
        return Ok(Finish::Done);
    }
    let execution = workspace.execution;
    if job.attempt > 1 {
        // One that was renamed since is found under the name of today.
        look::look_and_record(state, &[Target::repository(workspace.repo)]).await?;
    }
    let task = match load(state, &mut conn, workspace).await? {
        Ok(task) => task,
        Err(stopped) => return conclude(state, job, id, execution, stopped).await,
    };
    drop(conn);
    match work(state, &task, stop).await {
        Ok(()) => {
            settle(&mut *state.store.conn().await?, execution).await?;
            Ok(Finish::Done)
        }
        Err(stopped) => conclude(state, job, id, execution, stopped).await,
    }
}

fn is_over(state: &WorkspaceState) -> bool {
    match state {
        WorkspaceState::Waiting | WorkspaceState::Cloning | WorkspaceState::Step { .. } => false,
        WorkspaceState::Changed { .. }
        | WorkspaceState::Unchanged
        | WorkspaceState::Failed { .. }
        | WorkspaceState::Skipped { .. }
        | WorkspaceState::Cancelled => true,
    }
}

async fn load(
    state: &AppState,
    conn: &mut Conn,
    workspace: Workspace,
) -> anyhow::Result<Result<Task, Stopped>> {
    let execution = executions::load(conn, workspace.execution).await?;
    let stored = campaign_specs::load(conn, execution.spec).await?;
    let failed = |reason: String| Ok(Err(Stopped::Failed { step: None, reason }));
    let Ok(spec) = CampaignSpec::parse(stored.text.as_bytes()) else {
        return failed("this Drover cannot read the spec any more: preview it again".to_owned());
    };
    let Some(template) = spec.changeset_template.clone() else {
        return failed("the spec has no changesetTemplate".to_owned());
    };
    let repo = repositories::load(conn, workspace.repo).await?;
    let access = match state.hosts.open(conn, repo.code_host).await {
        Ok(access) => access,
        Err(error) => return Ok(Err(Stopped::Outside(retry::of_hosts(&error)))),
    };
    let spec_id = execution.spec;
    let (repo, default_branch) = (repo.name, repo.default_branch);
    Ok(Ok(Task { workspace, spec_id, spec, template, repo, default_branch, access }))
}

/// Clones, runs the steps, and stores what they changed.
async fn work(state: &AppState, task: &Task, stop: &CancellationToken) -> Result<(), Stopped> {
    let id = task.workspace.id;
    let room = state.executor.check_room(state.work_dir.path());
    room.map_err(|full| Stopped::Waits { reason: full.to_string() })?;
    // A second attempt after a crash starts over.
    move_to(&state.store, id, &WorkspaceState::Cloning).await?;
    let mut conn = state.store.conn().await.map_err(outside)?;
    let head = head(&mut conn, task).await?;
    drop(conn);
    let mirror = state.mirrors.open(task.access.remote(&task.repo)).await?;
    let base = match &task.workspace.base_commit {
        Some(commit) => commit.clone(),
        None => fetch(task, &mirror).await?,
    };
    let mut conn = state.store.conn().await.map_err(outside)?;
    workspaces::set_base_commit(&mut conn, id, &base).await.map_err(outside)?;
    drop(conn);
    let diff = change(state, task, &mirror, &base, stop).await?;
    let mut conn = state.store.conn().await.map_err(outside)?;
    match diff {
        None => finish(&mut conn, id, &WorkspaceState::Unchanged).await.map_err(outside),
        Some(diff) => keep(&mut conn, task, &head, &base, &diff).await.map_err(outside),
    }
}

async fn fetch(task: &Task, mirror: &Mirror) -> Result<CommitSha, Stopped> {
    let (repo, branch) = (&task.repo, &task.workspace.branch);
    mirror.fetch_branch(branch).await.map_err(|error| match error {
        GitError::NotFound { .. } => Stopped::Failed {
            step: None,
            reason: format!(
                "`{repo}` has no branch `{branch}`: push a first commit to it, correct \
                 `branch` under `on`, or take the repository out"
            ),
        },
        error => Stopped::from(error),
    })
}

/// Runs the steps in a fresh working copy, which is deleted whatever comes of it.
async fn change(
    state: &AppState,
    task: &Task,
    mirror: &Mirror,
    base: &CommitSha,
    stop: &CancellationToken,
) -> Result<Option<Diff>, Stopped> {
    let dir = state.work_dir.path().join(task.workspace.id.to_string());
    // Left behind by a server that was killed.
    remove_tree(&dir).await.map_err(GitError::disk("an old working copy stayed behind"))?;
    let copy = mirror.checkout(base, &dir).await?;
    let scratch = dir.join(SCRATCH);
    let ran = match tokio::fs::create_dir(&scratch).await {
        Ok(()) => {
            let folders = Folders { tree: &copy.tree(), scratch: &scratch };
            run_steps(state, task, folders, stop).await
        }
        Err(error) => Err(Stopped::Outside(Failure::Internal {
            reason: format!("the scratch folder of the steps could not be made: {error}"),
        })),
    };
    let diff = match ran {
        Ok(()) => changes(state, task, &copy).await,
        Err(stopped) => Err(stopped),
    };
    if let Err(error) = copy.remove().await {
        tracing::warn!(%error, "a working copy stayed behind");
    }
    diff
}

/// What the steps changed; the log says what was left out of it.
async fn changes(
    state: &AppState,
    task: &Task,
    copy: &WorkingCopy,
) -> Result<Option<Diff>, Stopped> {
    let Changes { diff, notes } = copy.changes().await?;
    let lines = notes.into_iter().map(own_line).collect::<Vec<_>>();
    let mut conn = state.store.conn().await.map_err(outside)?;
    logs::append(&mut conn, task.workspace.id, &lines).await.map_err(outside)?;
    Ok(diff)
}

async fn run_steps(
    state: &AppState,
    task: &Task,
    folders: Folders<'_>,
    stop: &CancellationToken,
) -> Result<(), Stopped> {
    let steps: Vec<Step> = task
        .spec
        .steps
        .iter()
        .map(|step| Step {
            run: step.run.clone(),
            env: step.env.iter().map(|(k, v)| (k.as_str().to_owned(), v.clone())).collect(),
            container: step.container.as_ref().map(ToString::to_string),
        })
        .collect();
    let (cancel, over) = (stop.child_token(), CancellationToken::new());
    let (sender, receiver) = mpsc::channel(LOG_EVENTS_MAX);
    let id = task.workspace.id;
    let running = async {
        let result = run_each(state, id, folders, &steps, &cancel, &sender).await;
        drop(sender);
        over.cancel();
        result
    };
    let writing = write_log(&state.store, id, receiver);
    let watching = watch_for_cancel(&state.store, task.workspace.execution, &cancel, &over);
    let (result, written, ()) = tokio::join!(running, writing, watching);
    if cancel.is_cancelled() {
        return Err(Stopped::Cancelled);
    }
    result.and(written.map_err(outside))
}

async fn run_each(
    state: &AppState,
    id: WorkspaceId,
    folders: Folders<'_>,
    steps: &[Step],
    cancel: &CancellationToken,
    log: &mpsc::Sender<LogEvent>,
) -> Result<(), Stopped> {
    for (number, step) in (1..).zip(steps) {
        move_to(&state.store, id, &WorkspaceState::Step { step: number }).await?;
        let ran = state.executor.run_step(number, folders, step, cancel, log).await;
        ran.map_err(|failure| of_step(&failure))?;
    }
    Ok(())
}

fn of_step(failure: &StepFailure) -> Stopped {
    if let Reason::ServerDisk { .. } = failure.reason {
        return Stopped::Waits { reason: format!("{failure}; it starts over when there is room") };
    }
    let skipped = failure.log_tail.len().saturating_sub(TAIL_LINES_MAX);
    let tail = failure.log_tail[skipped..].join("\n");
    let reason = if tail.is_empty() {
        failure.reason.to_string()
    } else {
        format!("{}:\n{tail}", failure.reason)
    };
    Stopped::Failed { step: Some(failure.step), reason }
}

/// Stores lines as they come, many at once.
async fn write_log(
    store: &Store,
    id: WorkspaceId,
    mut receiver: mpsc::Receiver<LogEvent>,
) -> Result<(), StoreError> {
    let mut events = Vec::new();
    while receiver.recv_many(&mut events, LOG_EVENTS_MAX).await > 0 {
        let lines: Vec<NewLines> = events
            .drain(..)
            .map(|LogEvent { step, stream, text }| NewLines { step, stream, text })
            .collect();
        logs::append(&mut *store.conn().await?, id, &lines).await?;
        // A step that writes much shall not wait for its log.
        if lines.len() < LOG_EVENTS_MAX {
            tokio::time::sleep(LOG_FLUSH).await;
        }
    }
    Ok(())
}

/// Cancels the steps when a person cancelled the execution.
async fn watch_for_cancel(
    store: &Store,
    execution: ExecutionId,
    cancel: &CancellationToken,
    over: &CancellationToken,
) {
    loop {
        tokio::select! {
            () = over.cancelled() => return,
            () = tokio::time::sleep(CANCEL_CHECK) => {}
        }
        let state = async {
            let mut conn = store.conn().await?;
            executions::load(&mut conn, execution).await.map(|it| it.state)
        };
        if let Ok(ExecutionState::Cancelled) = state.await {
            cancel.cancel();
            return;
        }
    }
}

/// Stores the wish that came of the diff, with the workspace's end.
async fn keep(
    conn: &mut Conn,
    task: &Task,
    head: &BranchName,
    base: &CommitSha,
    diff: &Diff,
) -> Result<(), StoreError> {
    let (stat, bytes) = (diff.stat(), diff.as_bytes());
    let ChangesetTemplate { title, body, branch: _, commit, published } = task.template.clone();
    let spec = ChangesetSpec::Branch(BranchSpec {
        repo: task.repo.clone(),
        base: task.workspace.branch.clone(),
        base_commit: base.clone(),
        head: head.clone(),
        title,
        body,
        commit,
        published,
        diff_digest: hex::encode(Sha256::digest(bytes)),
    });
    let new = NewChangesetSpec {
        // One workspace makes one wish: a second attempt makes the same.
        id: ChangesetSpecId(task.workspace.id.0),
        campaign_spec: Some(task.spec_id),
        repo: task.workspace.repo,
        spec: &spec,
        diff: Some(NewDiff { bytes, stat }),
    };
    conn.transaction(async |conn| {
        changeset_specs::insert(conn, &new).await?;
        finish(conn, task.workspace.id, &WorkspaceState::Changed { stat }).await
    })
    .await
}

/// The branch to push: the one that the changeset has, or one of its own for each branch of a
/// repository that the spec names.
async fn head(conn: &mut Conn, task: &Task) -> Result<BranchName, Stopped> {
    let Workspace { execution, repo, branch, .. } = &task.workspace;
    let bases = workspaces::list_branches(conn, *execution, *repo).await.map_err(outside)?;
    let in_use = changeset_specs::list_heads(conn, task.spec_id, *repo).await.map_err(outside)?;
    let never = [task.default_branch.clone()];
    let heads = task.template.heads(&bases, &in_use, &never).map_err(|error| Stopped::Failed {
        step: None,
        reason: format!("{error}: choose another `branch` in `changesetTemplate`"),
    })?;
    let of_this = bases.iter().position(|base| base == branch);
    let head = of_this.and_then(|at| heads.into_iter().nth(at));
    Ok(head.unwrap_or_else(|| task.template.branch.clone()))
}

async fn finish(
    conn: &mut Conn,
    id: WorkspaceId,
    state: &WorkspaceState,
) -> Result<(), StoreError> {
    // `Moved::No`: cancelled meanwhile, and that stands.
    let (Moved::Yes | Moved::No) = workspaces::update_state(conn, id, state).await?;
    Ok(())
}

async fn move_to(store: &Store, id: WorkspaceId, state: &WorkspaceState) -> Result<(), Stopped> {
    let moved = async {
        let mut conn = store.conn().await?;
        workspaces::update_state(&mut conn, id, state).await
    };
    match moved.await.map_err(outside)? {
        Moved::Yes => Ok(()),
        Moved::No => Err(Stopped::Cancelled),
    }
}

fn outside(error: StoreError) -> Stopped {
    Stopped::Outside(Failure::Internal { reason: crate::commands::chain(&error) })
}

/// Writes down how a workspace ended, or says when it goes on.
async fn conclude(
    state: &AppState,
    job: &ClaimedJob,
    id: WorkspaceId,
    execution: ExecutionId,
    stopped: Stopped,
) -> anyhow::Result<Finish> {
    let (step, reason) = match stopped {
        Stopped::Failed { step, reason } => (step, reason),
        Stopped::Outside(failure) => match retry::after(&failure, job) {
            Finish::Fail { error } => (None, error),
            _ if job.attempt >= job.attempts_max => (None, retry::words(&failure)),
            again => {
                let text = format!("{}; trying again", retry::words(&failure));
                say(&state.store, id, text).await?;
                return Ok(again);
            }
        },
        Stopped::Waits { reason } => {
            let last = logs::last_line(&mut *state.store.conn().await?, id).await?;
            // Once, however often it looks again.
            if last.as_deref() != Some(reason.as_str()) {
                say(&state.store, id, reason.clone()).await?;
            }
            return Ok(Finish::Snooze { delay: DISK_WAIT, waits_for: Some(reason) });
        }
        Stopped::Cancelled => return Ok(Finish::Snooze { delay: Duration::ZERO, waits_for: None }),
    };
    say(&state.store, id, reason.clone()).await?;
    let mut conn = state.store.conn().await?;
    finish(&mut conn, id, &WorkspaceState::Failed { step, reason }).await?;
    settle(&mut conn, execution).await?;
    Ok(Finish::Done)
}

/// A line of Drover's own in the log.
async fn say(store: &Store, id: WorkspaceId, text: String) -> Result<(), StoreError> {
    logs::append(&mut *store.conn().await?, id, &[own_line(text)]).await
}

fn own_line(text: String) -> NewLines {
    NewLines { step: 0, stream: LogStream::Drover, text }
}

/// Ends the execution when the last workspace has ended.
async fn settle(conn: &mut Conn, execution: ExecutionId) -> Result<(), StoreError> {
    conn.transaction(async |conn| {
        // Under the lock, so that of two last ones the second sees the first.
        let locked = executions::lock(conn, execution).await?;
        let counts = workspaces::count(conn, execution).await?;
        if !locked.state.is_over() && counts.waiting == 0 && counts.running == 0 {
            let (Moved::Yes | Moved::No) =
                executions::update_state(conn, execution, &ExecutionState::Done).await?;
        }
        Ok(())
    })
    .await
}
