//! What apply would do: every pull request, before anything leaves Drover.

use super::{loaded, param, query};
use crate::{
    backend::{backend, viewer},
    components::diff::Layout,
    components::{
        alert::Alert,
        badge::{Badge, Tone},
        empty::Empty,
        operations::Operations,
        pager::Pager,
        post::Post,
        said::Said,
        stat::Stat,
        text::{Prose, SpecText},
        time::Time,
        workspace_table::WorkspaceTable,
    },
    islands::unfold::Unfold,
    live::Live,
    routes,
    words::{self, Weight},
};
use drover::{
    id::{CampaignSpecId, ExecutionId},
    view::{
        execution::WorkspaceRow,
        preview::{
            MovedRow, NewerApply, PlanHash, PlanTotals, PreviewPage, PreviewRow, RowKind, Standing,
        },
    },
};
use leptos::prelude::*;
use leptos_meta::Title;

#[component]
pub fn Preview() -> impl IntoView {
    let (backend, viewer) = (backend(), viewer());
    let id = param::<CampaignSpecId>("id", "preview");
    let (after, seen) = (query("after"), query("seen").map(PlanHash));
    let is_first = after.is_none();
    let load = async move { backend.preview(&viewer?, id?, after, seen).await };
    loaded(load, move |page| view! { <PreviewView page is_first/> })
}

#[component]
fn PreviewView(page: PreviewPage, is_first: bool) -> impl IntoView {
    let spec = page.spec;
    let is_empty = page.rows.rows.is_empty() && is_first && has_plan(&page.standing);
    let nothing = is_empty.then(|| nothing_because(&page.failed));
    let first = (!is_first).then(|| routes::preview(spec));
    let next = page.rows.next.clone().map(|key| routes::after(&routes::preview(spec), &key));
    let rows = page.rows.rows.clone().into_iter().map(|row| view! { <Row spec row/> });
    view! {
        <Title text=format!("Preview of {}", page.campaign)/>
        <Head page=page.clone()/>
        <div data-live="standing" class="contents">
            <Moved rows=page.moved.clone() newer=page.newer.clone()/>
            <Unread reason=page.unread.clone()/>
            <StandingView page=page.clone()/>
        </div>
        <Prose html=page.description_html.clone()/>
        <section class="grid gap-3" aria-labelledby="plan" data-live="plan">
            <h2 id="plan" class="title-2">"The plan"</h2>
            {nothing.map(|because| view! {
                <Empty title="Nothing to change">
                    <p>{because}</p>
                </Empty>
            })}
            <div class="plan">{rows.collect_view()}</div>
            <Pager first next/>
        </section>
        <Failed execution=page.execution rows=page.failed/>
        <SpecText text=page.spec_text/>
        <Unfold/>
    }
    .into_any()
}

fn nothing_because(failed: &[WorkspaceRow]) -> &'static str {
    if failed.is_empty() {
        "The steps left every repository as it was, so there is no pull request."
    } else {
        "No repository was changed, so there is no pull request. Below are those that failed."
    }
}

fn has_plan(standing: &Standing) -> bool {
    match standing {
        Standing::Executing | Standing::Unfinished { .. } => false,
        Standing::Ready { .. } | Standing::Applied | Standing::Superseded { .. } => true,
    }
}

#[component]
fn Head(page: PreviewPage) -> impl IntoView {
    let PreviewPage { spec, namespace, campaign, created_by, created_at, expires_at, .. } = page;
    view! {
        <div class="grid gap-1">
            <div class="head">
                <h1 class="title-1">
                    "Preview of "
                    <span class="text-faint font-normal">{format!("{namespace}/")}</span>
                    {campaign.to_string()}
                </h1>
                <Live topic=format!("preview:{spec}")/>
                <a class="btn" href=routes::edit(spec, &namespace)>"Change the spec"</a>
            </div>
            <p class="text-sm text-faint">
                "By "{created_by.to_string()}" "<Time at=created_at/>
                {expires_at.map(|at| view! { ", deleted "<Time at/>" unless applied" })}
                ". Anybody who may see the campaign can open this address."
            </p>
        </div>
    }
    .into_any()
}

/// Whether the plan can be applied; if so, the button, and if not, why and where to go.
#[component]
fn StandingView(page: PreviewPage) -> impl IntoView {
    let campaign = routes::campaign(&page.namespace, &page.campaign);
    match page.standing.clone() {
        Standing::Executing => view! {
            <Alert tone=Tone::Busy title="The steps still run">
                <p>"The plan is made when every repository is done."</p>
                <p><a class="btn" href=routes::execution(page.execution)>"Watch the steps"</a></p>
            </Alert>
        }
        .into_any(),
        Standing::Unfinished { reason } => view! {
            <Alert tone=Tone::Bad title=format!("There is no plan to apply: {reason}")>
                <p class="flex flex-wrap gap-3">
                    <a class="btn" href=routes::execution(page.execution)>"See what happened"</a>
                    <a class="btn" href=routes::edit(page.spec, &page.namespace)>
                        "Change the spec"
                    </a>
                </p>
            </Alert>
        }
        .into_any(),
        Standing::Ready { hash } => view! { <Ready page hash/> }.into_any(),
        Standing::Applied => view! {
            <Alert tone=Tone::Done title="Applied: this is what the campaign wants">
                <p><a class="btn btn-main" href=campaign>"To the campaign"</a></p>
            </Alert>
        }
        .into_any(),
        Standing::Superseded { by } => view! {
            <Alert tone=Tone::Warn title="A newer spec of this campaign was applied">
                <p>"This preview stays readable, but cannot be applied any more."</p>
                <p class="flex flex-wrap gap-3">
                    <a class="btn" href=routes::preview(by)>"The newer one"</a>
                    <a class="btn" href=campaign>"To the campaign"</a>
                </p>
            </Alert>
        }
        .into_any(),
    }
}

#[component]
fn Ready(page: PreviewPage, hash: PlanHash) -> impl IntoView {
    let PreviewPage { spec, namespace, campaign, totals, eta_secs, .. } = page;
    let fields = vec![
        ("id", spec.to_string()),
        ("hash", hash.0),
        ("namespace", namespace.to_string()),
        ("campaign", campaign.to_string()),
    ];
    let writes = totals.publish + totals.update + totals.close;
    let weight = if writes + totals.other > 0 { Weight::Main } else { Weight::Light };
    view! {
        <section class="ready" aria-label="Apply">
            <div class="grid gap-1">
                <p class="totals">{total_words(&totals)}<Stat stat=totals.stat/></p>
                {(writes > 0).then(|| view! {
                    <p class="text-sm text-faint">
                        {format!("Takes {} at the pace that the code host allows.",
                            words::duration(eta_secs))}
                    </p>
                })}
            </div>
            <Post
                action="/api/apply"
                fields
                label="Apply"
                weight
                says="Writes the pull requests of this plan. The work is done in the background."
            />
        </section>
    }
    .into_any()
}

fn total_words(totals: &PlanTotals) -> String {
    let PlanTotals { publish, update, close, other, unchanged, kept, refused, drift, stat: _ } =
        *totals;
    let parts = [
        (publish, "to publish"),
        (update, "to update"),
        (close, "to close"),
        (other, "other"),
        (unchanged, "unchanged"),
        (kept, "kept without a new result"),
        (refused, "refused"),
        (drift, "waiting for your choice"),
    ];
    let parts = parts.into_iter().filter(|(number, _)| *number > 0);
    let words = parts.map(|(number, word)| format!("{number} {word}")).collect::<Vec<_>>();
    if words.is_empty() { "Nothing to do ".into() } else { format!("{} ", words.join(", ")) }
}

/// The rows that moved since the plan that the viewer tried to apply.
#[component]
fn Moved(rows: Vec<MovedRow>, newer: Option<NewerApply>) -> impl IntoView {
    let items = rows.into_iter().map(|MovedRow { repo, branch, was, is }| {
        view! {
            <li>
                <b class="font-semibold">{repo.to_string()}</b>
                <span class="branch">{branch.to_string()}</span>
                <p>"was: "{was}</p>
                <p>"is now: "{is}</p>
            </li>
        }
    });
    let items = items.collect::<Vec<_>>();
    (!items.is_empty() || newer.is_some()).then(|| {
        view! {
            <Alert tone=Tone::Warn title="Not applied: the plan has changed since it was shown">
                {newer.map(|newer| view! {
                    <p>
                        {newer.by.to_string()}" has applied "
                        <a class="link" href=routes::preview(newer.spec)>"another spec"</a>
                        " meanwhile, "<Time at=newer.at/>
                        ". Applying this one undoes what that spec wants beyond it."
                    </p>
                })}
                <p>"Below is the new plan. Apply it if it is still what you want."</p>
                <ul class="grid gap-3">{items}</ul>
            </Alert>
        }
    })
}

/// What could not be read from the code host when the plan was made.
#[component]
fn Unread(reason: Option<String>) -> impl IntoView {
    reason.map(|reason| {
        view! {
            <Alert tone=Tone::Warn title="Not everything could be read from the code host">
                <p><Said text=reason/></p>
                <p>"Those rows say what was known before. Nothing is written unread."</p>
            </Alert>
        }
    })
}

#[component]
fn Row(spec: CampaignSpecId, row: PreviewRow) -> impl IntoView {
    let PreviewRow { repo, branch, base_branch, title, operations, note, stat, pull, kind, .. } =
        row.clone();
    let branches = format!("{base_branch} ← {branch}");
    view! {
        <details class="plan-row" id=format!("{repo}-{branch}")>
            <summary class="plan-head">
                <span class="grid gap-1 min-w-0">
                    <span class="font-semibold">{repo.to_string()}</span>
                    <span class="text-sm">{title}</span>
                    <span class="branch">
                        {branches}
                        {pull.map(|pull| format!(" · {pull}"))}
                    </span>
                    {note.map(|note| view! {
                        <span class="text-sm text-faint"><Said text=note/></span>
                    })}
                </span>
                <span class="plan-facts">
                    <Kind kind/>
                    {(kind != RowKind::Refused).then(|| view! { <Operations operations/> })}
                    {stat.map(|stat| view! { <Stat stat/> })}
                </span>
            </summary>
            <RowBody spec row/>
        </details>
    }
    .into_any()
}

/// A word for rows about which nothing is done, and why.
#[component]
fn Kind(kind: RowKind) -> impl IntoView {
    let (word, tone) = match kind {
        RowKind::Kept => ("Kept", Tone::Plain),
        RowKind::Refused => ("Refused", Tone::Bad),
        RowKind::Wanted | RowKind::Dropped => return None,
    };
    Some(view! { <Badge tone word/> })
}

#[component]
fn RowBody(spec: CampaignSpecId, row: PreviewRow) -> impl IntoView {
    let PreviewRow { body_html, commit_message, changeset, repo, .. } = row;
    let diff = row.spec.map(|id| routes::preview_diff(spec, id, Layout::Unified));
    view! {
        <div class="plan-body">
            <Prose html=body_html/>
            {(!commit_message.is_empty()).then(|| view! {
                <div class="grid gap-1">
                    <h3 class="title-3">"Commit message"</h3>
                    <pre class="snippet">{commit_message}</pre>
                </div>
            })}
            {changeset.map(|id| view! {
                <p><a class="link" href=routes::changeset(id)>"The changeset as it is now"</a></p>
            })}
            {diff.map(|path| view! {
                <div data-load=path.clone() data-keep>
                    <a class="link" href=path.clone()>
                        "Show the diff"
                        <span class="sr-only">{format!(" of {repo}")}</span>
                    </a>
                </div>
            })}
        </div>
    }
    .into_any()
}

#[component]
fn Failed(execution: ExecutionId, rows: Vec<WorkspaceRow>) -> impl IntoView {
    (!rows.is_empty()).then(|| {
        view! {
            <section class="grid gap-3" aria-labelledby="failed">
                <h2 id="failed" class="title-2">"Failed repositories"</h2>
                <p class="text-faint">
                    "There is no new result for them, so what the campaign has there stays as it \
                     is. The others go on."
                </p>
                <WorkspaceTable execution rows/>
            </section>
        }
    })
}
