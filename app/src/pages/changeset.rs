//! One changeset: what it is, what went wrong, what can be done.

use super::{loaded, param, query};
use crate::{
    backend::{backend, viewer},
    components::{
        alert::Alert,
        badge::{Badge, Tone},
        changeset_table::PullAnchor,
        diff::{Diff, Layout},
        post::Post,
        said::Said,
        text::Prose,
        time::Time,
        timeline::Timeline,
    },
    live::Live,
    routes, words,
};
use drover::{
    changeset::choice::Shown,
    id::ChangesetId,
    names::CommitSha,
    view::changeset::{ChangesetChoice, ChangesetPage, ProblemView},
};
use leptos::prelude::*;
use leptos_meta::Title;

#[component]
pub fn Changeset() -> impl IntoView {
    let (backend, viewer) = (backend(), viewer());
    let id = param::<ChangesetId>("id", "changeset");
    let layout = Layout::from_query(query("view").as_deref());
    let load = async move { backend.changeset(&viewer?, id?).await };
    loaded(load, move |page| view! { <ChangesetView page layout/> })
}

#[component]
fn ChangesetView(page: ChangesetPage, layout: Layout) -> impl IntoView {
    let id = page.changeset.id;
    let link = |layout| routes::changeset_diff(id, layout);
    let links = (link(Layout::Unified), link(Layout::Split));
    let campaign = routes::campaign(&page.namespace, &page.campaign);
    view! {
        <Title text=page.changeset.title.clone()/>
        <p>
            <a class="link" href=campaign>{format!("← {}/{}", page.namespace, page.campaign)}</a>
        </p>
        <div class="head">
            <h1 class="title-1">{page.changeset.title.clone()}</h1>
            <Live topic=format!("changeset:{id}")/>
        </div>
        <div data-live="state" class="grid gap-6">
            <Facts page=page.clone()/>
            {page.changeset.problem.clone().map(|problem| view! { <ProblemAlert problem/> })}
            <Choices id choices=page.choices.clone() shown=page.shown.clone()/>
        </div>
        <div class="beside">
            <section class="grid gap-4 content-start min-w-0" aria-labelledby="body">
                <h2 id="body" class="title-2">"Pull request"</h2>
                <Prose html=page.body_html/>
                <h3 class="title-3">"Commit message"</h3>
                <pre class="snippet">{page.commit_message}</pre>
            </section>
            <div data-live="timeline">
                <Timeline rows=page.timeline/>
            </div>
        </div>
        {page.diff.map(|diff| view! {
            <section id="diff" class="grid gap-3" aria-labelledby="diff-title">
                <h2 id="diff-title" class="title-2">"Diff"</h2>
                <Diff diff key=id.to_string() layout links/>
            </section>
        })}
    }
    .into_any()
}

#[component]
fn Facts(page: ChangesetPage) -> impl IntoView {
    let ChangesetPage { changeset, base_branch, base_commit, head_commit, .. } = page;
    let (word, tone) = words::status(changeset.status);
    view! {
        <dl class="facts">
            <div><dt>"Status"</dt><dd><Badge tone word/></dd></div>
            <div><dt>"Repository"</dt><dd>{changeset.repo.to_string()}</dd></div>
            {changeset.pull.map(|pull| view! {
                <div><dt>"Pull request"</dt><dd><PullAnchor pull/></dd></div>
            })}
            <div>
                <dt>"Branch"</dt>
                <dd>{changeset.branch.to_string()}<Commit sha=head_commit/></dd>
            </div>
            <div><dt>"Onto"</dt><dd>{base_branch.to_string()}<Commit sha=base_commit/></dd></div>
            <div><dt>"Updated"</dt><dd><Time at=changeset.updated_at/></dd></div>
        </dl>
    }
    .into_any()
}

#[component]
fn Commit(sha: Option<CommitSha>) -> impl IntoView {
    sha.map(|sha| view! { " "<code title=sha.to_string()>{sha.short().to_owned()}</code> })
}

#[component]
fn ProblemAlert(problem: ProblemView) -> impl IntoView {
    let ProblemView { message, next, retry_at } = problem;
    let tone = if retry_at.is_some() { Tone::Warn } else { Tone::Bad };
    view! {
        <Alert tone title=message>
            <p><Said text=next/>{retry_at.map(|at| view! { " ("<Time at/>")" })}</p>
        </Alert>
    }
}

#[component]
fn Choices(id: ChangesetId, choices: Vec<ChangesetChoice>, shown: Shown) -> impl IntoView {
    let shown = shown.token();
    let buttons = choices.into_iter().map(|choice| {
        let (label, says, weight) = words::choice(choice);
        let fields = vec![
            ("id", id.to_string()),
            ("choice", words::choice_key(choice).to_owned()),
            ("shown", shown.clone()),
        ];
        view! { <Post action="/api/choose" fields label weight says/> }
    });
    view! { <div class="bar">{buttons.collect_view()}</div> }
}
