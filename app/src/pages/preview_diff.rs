//! One diff of a preview, with an address of its own.

use super::{loaded, param, query};
use crate::{
    backend::{backend, viewer},
    components::diff::{Diff, Layout},
    routes,
};
use drover::id::{CampaignSpecId, ChangesetSpecId};
use leptos::prelude::*;
use leptos_meta::Title;

#[component]
pub fn PreviewDiff() -> impl IntoView {
    let (backend, viewer) = (backend(), viewer());
    let ids = param::<CampaignSpecId>("id", "preview")
        .and_then(|id| Ok((id, param::<ChangesetSpecId>("spec", "changeset spec")?)));
    let layout = Layout::from_query(query("view").as_deref());
    let load = async move {
        let (id, spec) = ids?;
        Ok((id, spec, backend.preview_diff(&viewer?, spec).await?))
    };
    loaded(load, move |(id, spec, diff)| {
        let link = |layout| routes::preview_diff(id, spec, layout);
        view! {
            <Title text="Diff"/>
            <p><a class="link" href=routes::preview(id)>"← The preview"</a></p>
            <h1 class="title-1">"Diff"</h1>
            <div data-part>
                <Diff diff key=spec.to_string() layout links=(link(Layout::Unified), link(Layout::Split))/>
            </div>
        }
    })
}
