//! The running of a spec, as it is watched.

use super::{loaded, param, query};
use crate::{
    backend::{Backend, backend, viewer},
    components::{
        alert::Alert,
        badge::{Badge, Tone},
        log_line::LogLineView,
        pager::Pager,
        post::Post,
        said::Said,
        time::Time,
        workspace_table::WorkspaceTable,
    },
    error::ApiError,
    islands::log_tail::LogTail,
    live::Live,
    routes,
    words::{self, Weight},
};
use drover::{
    id::{ExecutionId, WorkspaceId},
    names::RepoName,
    view::execution::{
        ExecutionPage, ExecutionState, LogPage, WorkspaceCounts, WorkspaceRow, WorkspaceState,
    },
    viewer::Viewer,
};
use leptos::prelude::*;
use leptos_meta::Title;
use std::sync::Arc;

/// Without JavaScript the page is read again so often while it runs.
const REFRESH_SECS: &str = "3";

struct Watched {
    page: ExecutionPage,
    log: Option<Log>,
    is_first: bool,
}

struct Log {
    workspace: WorkspaceId,
    repo: Option<RepoName>,
    page: LogPage,
    chosen: Chosen,
}

/// Who chose the log that is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chosen {
    /// The page, and with each look anew: it follows what goes on.
    Page,
    /// A reader, who is not led away from it.
    Reader,
}

#[component]
pub fn Execution() -> impl IntoView {
    let (backend, viewer) = (backend(), viewer());
    let id = param::<ExecutionId>("id", "execution");
    let (workspace, after) = (query("workspace"), query("after"));
    let load = async move { load(backend, viewer?, id?, workspace, after).await };
    loaded(load, |watched| view! { <ExecutionView watched/> })
}

async fn load(
    backend: Arc<dyn Backend>,
    viewer: Viewer,
    id: ExecutionId,
    workspace: Option<String>,
    after: Option<String>,
) -> Result<Watched, ApiError> {
    let is_first = after.is_none();
    let page = backend.execution(&viewer, id, after).await?;
    let rows = &page.workspaces.rows;
    let asked = workspace.and_then(|id| id.parse::<WorkspaceId>().ok());
    let chosen = if asked.is_some() { Chosen::Reader } else { Chosen::Page };
    let Some(workspace) = asked.or_else(|| most_telling(rows)) else {
        return Ok(Watched { page, log: None, is_first });
    };
    let repo = rows.iter().find(|row| row.id == workspace).map(|row| row.repo.clone());
    let log = backend.log(&viewer, workspace, 0).await?;
    Ok(Watched { page, log: Some(Log { workspace, repo, page: log, chosen }), is_first })
}

/// The workspace whose log people want to read first: one that failed, one that runs, any.
fn most_telling(rows: &[WorkspaceRow]) -> Option<WorkspaceId> {
    let rank = |row: &&WorkspaceRow| match &row.state {
        WorkspaceState::Failed { .. } => 0,
        WorkspaceState::Step { .. } => 1,
        WorkspaceState::Cloning => 2,
        WorkspaceState::Changed { .. } => 3,
        WorkspaceState::Unchanged | WorkspaceState::Cancelled => 4,
        WorkspaceState::Waiting => 5,
        WorkspaceState::Skipped { .. } => 6,
    };
    rows.iter().min_by_key(rank).map(|row| row.id)
}

#[component]
fn ExecutionView(watched: Watched) -> impl IntoView {
    let Watched { page, log, is_first } = watched;
    let ExecutionPage { id, spec, namespace, campaign, state, warnings, counts, .. } = page;
    let (word, tone) = words::execution(&state);
    let is_over = state.is_over();
    let chosen = log.as_ref().map_or(Chosen::Page, |log| log.chosen);
    let next_page = NextPage::after(&counts, chosen);
    let first = (!is_first).then(|| routes::execution(id));
    let next = page.workspaces.next.map(|key| routes::after(&routes::execution(id), &key));
    view! {
        <Title text=format!("Running {campaign}")/>
        {(!is_over).then(|| view! {
            <noscript><meta http-equiv="refresh" content=REFRESH_SECS/></noscript>
        })}
        <div class="head">
            <h1 class="title-1">
                <span class="text-faint font-normal">{format!("{namespace}/")}</span>
                {campaign.to_string()}
            </h1>
            {(!is_over).then(|| view! { <Live topic=format!("execution:{id}")/> })}
        </div>
        <div class="watch">
            <div data-live="execution" class="grid content-start gap-6">
                <div class="bar">
                    <Badge tone word/>
                    <Counts counts/>
                    <span class="text-sm text-faint">
                        "Started "<Time at=page.created_at/>
                        {page.finished_at.map(|at| view! { ", ended "<Time at/> })}
                    </span>
                </div>
                <Outcome id spec namespace state next_page/>
                <Warnings warnings/>
                <WorkspaceTable execution=id rows=page.workspaces.rows/>
                <Pager first next/>
            </div>
            // A log that a reader chose brings itself up to date.
            <div data-live=(chosen == Chosen::Page).then_some("log")>
                {log.map(|log| view! { <LogPanel execution=id log/> })}
            </div>
        </div>
    }
    .into_any()
}

/// How a reader gets to the preview when the steps are done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NextPage {
    /// The page leads there by itself.
    Opens,
    /// It waits for the reader, who has a log to read.
    Waits,
}

impl NextPage {
    fn after(counts: &WorkspaceCounts, chosen: Chosen) -> Self {
        let only_failed = counts.failed > 0 && counts.changed == 0;
        if only_failed || chosen == Chosen::Reader { Self::Waits } else { Self::Opens }
    }
}

#[component]
fn Counts(counts: WorkspaceCounts) -> impl IntoView {
    let WorkspaceCounts { waiting, running, changed, unchanged, skipped, failed } = counts;
    let parts = [
        (waiting, "waiting", Tone::Waiting),
        (running, "running", Tone::Busy),
        (changed, "changed", Tone::Good),
        (unchanged, "unchanged", Tone::Plain),
        (skipped, "left out", Tone::Warn),
        (failed, "failed", Tone::Bad),
    ];
    let items =
        parts.into_iter().filter(|(number, _, _)| *number > 0).map(|(number, word, tone)| {
            view! {
                <li class=format!("legend-item {}", tone.class())>
                    <b class="font-semibold tabular-nums">{number}</b>" "{word}
                </li>
            }
        });
    view! { <ul class="legend">{items.collect_view()}</ul> }
}

/// What became of it, and what can be done now.
#[component]
fn Outcome(
    id: ExecutionId,
    spec: drover::id::CampaignSpecId,
    namespace: drover::names::NamespaceName,
    state: ExecutionState,
    next_page: NextPage,
) -> impl IntoView {
    let again = routes::edit(spec, &namespace);
    match state {
        ExecutionState::Resolving | ExecutionState::Running => view! {
            <Post
                action="/api/cancel_execution"
                fields=vec![("id", id.to_string())]
                label="Cancel"
                weight=Weight::Light
                says="Stops the steps. Nothing is published."
            />
        }
        .into_any(),
        ExecutionState::Done => view! {
            <p>
                <a
                    class="btn btn-main"
                    data-go=next_page == NextPage::Opens
                    href=routes::preview(spec)
                >
                    "See the preview"
                </a>
            </p>
        }
        .into_any(),
        ExecutionState::Failed { reason } => view! {
            <Alert tone=Tone::Bad title=reason>
                <p><a class="btn" href=again>"Change the spec"</a></p>
            </Alert>
        }
        .into_any(),
        ExecutionState::Cancelled => view! {
            <Alert tone=Tone::Closed title="Cancelled: nothing was published">
                <p><a class="btn" href=again>"Change the spec"</a></p>
            </Alert>
        }
        .into_any(),
    }
}

#[component]
fn Warnings(warnings: Vec<String>) -> impl IntoView {
    let items = warnings
        .into_iter()
        .map(|warning| view! { <li><Said text=warning/></li> })
        .collect::<Vec<_>>();
    (!items.is_empty()).then(|| {
        view! {
            <Alert tone=Tone::Warn title="Good to know">
                <ul class="list-disc pl-5">{items}</ul>
            </Alert>
        }
    })
}

#[component]
fn LogPanel(execution: ExecutionId, log: Log) -> impl IntoView {
    let Log { workspace, repo, page: LogPage { lines, next, open }, chosen } = log;
    let title = repo.map_or("Log".to_owned(), |repo| format!("Log of {repo}"));
    let silence = match (lines.is_empty(), open) {
        (false, _) => None,
        (true, true) => (chosen == Chosen::Page).then_some("Nothing yet."),
        (true, false) => Some("It wrote nothing."),
    };
    let follows = open && chosen == Chosen::Reader;
    let lines = lines.into_iter().map(|line| view! { <LogLineView line/> }).collect_view();
    view! {
        <section id="log" class="grid gap-3" aria-labelledby="log-title">
            <h2 id="log-title" class="title-2">{title}</h2>
            <div class="log" tabindex="0" role="log" aria-labelledby="log-title">
                <div>
                    {lines}
                    {follows.then(|| view! { <LogTail workspace after=next/> })}
                    {silence.map(|text| view! { <p class="text-faint">{text}</p> })}
                </div>
            </div>
            {(open && !follows).then(|| view! {
                <p>
                    <a class="link" href=routes::execution_log(execution, workspace)>
                        "Follow this log"
                    </a>
                </p>
            })}
        </section>
    }
    .into_any()
}
