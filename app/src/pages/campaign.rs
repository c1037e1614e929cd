//! One campaign: how far it is, and every changeset of it.

use super::{loaded, param, query};
use crate::{
    backend::{backend, viewer},
    components::{
        alert::Alert,
        badge::Tone,
        changeset_table::ChangesetTable,
        empty::Empty,
        pager::Pager,
        progress::{Legend, Progress},
        said::Said,
        text::{Prose, SpecText},
        time::Time,
        timeline::Timeline,
    },
    live::Live,
    routes, words,
};
use drover::{
    names::{CampaignName, NamespaceName},
    view::{
        Page,
        campaign::{CampaignPage, ChangesetFilter, LeftOut},
        changeset::ChangesetRow,
    },
};
use leptos::prelude::*;
use leptos_meta::Title;

#[component]
pub fn Campaign() -> impl IntoView {
    let (backend, viewer) = (backend(), viewer());
    let names = param::<NamespaceName>("namespace", "namespace")
        .and_then(|namespace| Ok((namespace, param::<CampaignName>("name", "campaign")?)));
    let filter = ChangesetFilter {
        status: query("status").as_deref().and_then(words::find_status),
        search: query("search"),
        after: query("after"),
    };
    let load = async move {
        let (namespace, name) = names?;
        backend.campaign(&viewer?, &namespace, &name, filter).await
    };
    loaded(load, |page| view! { <CampaignView page/> })
}

#[component]
fn CampaignView(page: CampaignPage) -> impl IntoView {
    let head = page.clone();
    let CampaignPage { campaign, changesets, left_out, filter, timeline, spec_text, .. } = page;
    view! {
        <Title text=campaign.name.to_string()/>
        <Head page=head.clone()/>
        <div data-live="progress" class="grid gap-3">
            <Progress counts=campaign.counts/>
            <div class="flex flex-wrap justify-between gap-x-6 gap-y-1">
                <Legend counts=campaign.counts/>
                <Pace page=head.clone()/>
            </div>
        </div>
        <Prose html=head.description_html/>
        <div class="beside">
            <section class="grid gap-4 content-start min-w-0" aria-labelledby="changesets">
                <h2 id="changesets" class="title-2">"Changesets"</h2>
                <Filter filter=filter.clone()/>
                <div data-live="changesets" class="grid gap-4">
                    <Refused rows=left_out/>
                    <List
                        namespace=campaign.namespace.clone()
                        name=campaign.name.clone()
                        filter
                        changesets
                    />
                </div>
            </section>
            <div data-live="timeline">
                <Timeline rows=timeline/>
            </div>
        </div>
        <SpecText text=spec_text/>
    }
    .into_any()
}

/// Wishes of the applied spec of which nothing could be made.
#[component]
fn Refused(rows: Vec<LeftOut>) -> impl IntoView {
    let items = rows.into_iter().map(|LeftOut { repo, branch, reason }| {
        view! {
            <li>
                <b class="font-semibold">{repo.to_string()}</b>" "
                <span class="branch">{branch.to_string()}</span>
                <p><Said text=reason/></p>
            </li>
        }
    });
    let items = items.collect::<Vec<_>>();
    (!items.is_empty()).then(|| {
        view! {
            <Alert tone=Tone::Bad title="Parts of the spec need you: nothing could be made of them">
                <ul class="grid gap-3">{items}</ul>
            </Alert>
        }
    })
}

#[component]
fn Head(page: CampaignPage) -> impl IntoView {
    let CampaignPage { campaign, spec, applied_by, applied_at, .. } = page;
    view! {
        <div class="grid gap-1">
            <div class="head">
                <h1 class="title-1">
                    <span class="text-faint font-normal">{format!("{}/", campaign.namespace)}</span>
                    {campaign.name.to_string()}
                </h1>
                <Live topic=format!("campaign:{}", campaign.id)/>
                <a class="btn" href=routes::edit(spec, &campaign.namespace)>"Change the spec"</a>
            </div>
            <p class="text-sm text-faint">
                "Applied by "{applied_by.to_string()}" "<Time at=applied_at/>
                " · "<a class="link" href=routes::preview(spec)>"the plan"</a>
            </p>
        </div>
    }
    .into_any()
}

/// How far apply is, and when the pull requests will be open.
#[component]
fn Pace(page: CampaignPage) -> impl IntoView {
    // How much there is to do is not known at once.
    let applying = page.applying.map(|(done, total)| match total {
        0 => "Applying".to_owned(),
        total => format!("Applying {done} of {total}"),
    });
    view! {
        <p class="text-sm text-faint">
            {applying}
            {page.eta_at.map(|at| view! { " All open "<Time at/> })}
        </p>
    }
}

#[component]
fn Filter(filter: ChangesetFilter) -> impl IntoView {
    let ChangesetFilter { status, search, after: _ } = filter;
    let options = words::STATUSES.into_iter().map(|option| {
        let (word, _) = words::status(option);
        view! {
            <option value=words::status_key(option) selected=status == Some(option)>{word}</option>
        }
    });
    view! {
        <form method="get" role="search" class="bar">
            <label class="sr-only" for="search">"Repository or title"</label>
            <input
                id="search"
                name="search"
                type="search"
                class="input grow"
                placeholder="Repository or title"
                value=search
            />
            <label class="sr-only" for="status">"Status"</label>
            <select id="status" name="status" class="input">
                <option value="">"Any status"</option>
                {options.collect_view()}
            </select>
            <button class="btn">"Filter"</button>
        </form>
    }
    .into_any()
}

#[component]
fn List(
    namespace: NamespaceName,
    name: CampaignName,
    filter: ChangesetFilter,
    changesets: Page<ChangesetRow>,
) -> impl IntoView {
    let link = |after: Option<String>| {
        routes::campaign_list(&namespace, &name, &ChangesetFilter { after, ..filter.clone() })
    };
    let first = filter.after.is_some().then(|| link(None));
    let next = changesets.next.map(|key| link(Some(key)));
    let is_filtered = filter.status.is_some() || filter.search.is_some();
    if changesets.rows.is_empty() && is_filtered {
        return view! {
            <Alert tone=Tone::Plain title="No changeset is like that">
                <p><a class="btn" href=routes::campaign(&namespace, &name)>"Show all"</a></p>
            </Alert>
        }
        .into_any();
    }
    if changesets.rows.is_empty() && first.is_none() {
        return view! {
            <Empty title="No changesets yet">
                <p>"They appear here as soon as the plan is being applied."</p>
            </Empty>
        }
        .into_any();
    }
    view! {
        <ChangesetTable rows=changesets.rows/>
        <Pager first next/>
    }
    .into_any()
}
