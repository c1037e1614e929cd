//! What happened, the newest first.

use super::{said::Words, time::Time};
use drover::view::campaign::TimelineRow;
use leptos::prelude::*;

#[component]
pub fn Timeline(rows: Vec<TimelineRow>) -> impl IntoView {
    let items = rows.into_iter().map(|TimelineRow { at, actor, text }| {
        let actor = actor.map_or("Drover".to_owned(), |actor| actor.to_string());
        view! {
            <li class="timeline-item">
                <p><b class="font-semibold">{actor}</b>" "<Words text/></p>
                <p class="text-sm text-faint"><Time at/></p>
            </li>
        }
    });
    view! {
        <section aria-labelledby="timeline" class="grid gap-3 content-start">
            <h2 id="timeline" class="title-2">"What happened"</h2>
            <ol class="timeline">{items.collect_view()}</ol>
        </section>
    }
    .into_any()
}
