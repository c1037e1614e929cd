//! Home: the campaigns, and the previews that wait for somebody to apply them.

use super::{loaded, query};
use crate::{
    backend::{backend, viewer},
    components::{
        empty::Empty,
        pager::Pager,
        progress::{Legend, Progress},
        time::Time,
    },
    live::Live,
    routes,
};
use drover::view::campaign::{CampaignRow, HomePage, SpecRow};
use leptos::prelude::*;
use leptos_meta::Title;

#[component]
pub fn Home() -> impl IntoView {
    let (backend, viewer, after) = (backend(), viewer(), query("after"));
    let is_first = after.is_none();
    let load = async move { backend.home(&viewer?, after).await };
    loaded(load, move |home| view! { <HomeView home is_first/> })
}

#[component]
fn HomeView(home: HomePage, is_first: bool) -> impl IntoView {
    let HomePage { campaigns, unapplied } = home;
    let is_empty = campaigns.rows.is_empty() && is_first;
    let rows = campaigns.rows.into_iter().map(|row| view! { <Row row/> }).collect_view();
    let first = (!is_first).then(|| routes::HOME.to_owned());
    let next = campaigns.next.map(|key| routes::after(routes::HOME, &key));
    view! {
        <Title text="Campaigns"/>
        <div class="head">
            <h1 class="title-1">"Campaigns"</h1>
            <Live topic="home".to_owned()/>
            <a class="btn btn-main" href=routes::NEW>"New campaign"</a>
        </div>
        <div data-live="home" class="grid gap-8">
            {is_empty.then(|| view! { <Start/> })}
            {(!is_empty).then(|| view! { <ul class="herd">{rows}</ul> })}
            <Pager first next/>
            {(!unapplied.is_empty()).then(|| view! { <Unapplied rows=unapplied/> })}
        </div>
    }
    .into_any()
}

#[component]
fn Start() -> impl IntoView {
    view! {
        <Empty title="No campaign yet">
            <p>
                "A campaign changes many repositories at once. You write a spec that names the "
                "repositories, the steps to run in each, and the pull requests you want."
            </p>
            <ol class="steps">
                <li><b>"Write"</b>" a spec, or start from the sample."</li>
                <li><b>"Preview"</b>" every pull request and diff. Nothing leaves Drover."</li>
                <li><b>"Apply"</b>", and watch the pull requests open one by one."</li>
            </ol>
            <p><a class="btn btn-main" href=routes::NEW>"Start from the sample"</a></p>
        </Empty>
    }
}

#[component]
fn Row(row: CampaignRow) -> impl IntoView {
    let CampaignRow { id, namespace, name, summary, counts, updated_at } = row;
    view! {
        <li id=format!("c-{id}") class="herd-row">
            <div class="grid gap-1">
                <h2 class="title-2">
                    <a class="link" href=routes::campaign(&namespace, &name)>
                        <span class="text-faint font-normal">{format!("{namespace}/")}</span>
                        {name.to_string()}
                    </a>
                </h2>
                {(!summary.is_empty()).then(|| view! { <p class="text-faint">{summary}</p> })}
            </div>
            <div class="grid gap-2">
                <Progress counts/>
                <div class="flex flex-wrap justify-between gap-x-6">
                    <Legend counts/>
                    <p class="text-sm text-faint">"Updated "<Time at=updated_at/></p>
                </div>
            </div>
        </li>
    }
    .into_any()
}

#[component]
fn Unapplied(rows: Vec<SpecRow>) -> impl IntoView {
    let items = rows.into_iter().map(|SpecRow { id, namespace, name, created_at, expires_at }| {
        view! {
            <li class="flex flex-wrap justify-between gap-x-6 gap-y-1">
                <a class="link" href=routes::preview(id)>{format!("{namespace}/{name}")}</a>
                <span class="text-sm text-faint">
                    "Previewed "<Time at=created_at/>", kept until "<Time at=expires_at/>
                </span>
            </li>
        }
    });
    view! {
        <section class="grid gap-3" aria-labelledby="unapplied">
            <h2 id="unapplied" class="title-2">"Previews not applied yet"</h2>
            <ul class="grid gap-2">{items.collect_view()}</ul>
        </section>
    }
    .into_any()
}
