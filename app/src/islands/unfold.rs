//! Diffs of a preview, loaded when somebody opens them.
//!
//! A preview may hold thousands of diffs. Its rows carry a link to the page of their diff, which
//! works without JavaScript; this fetches that page when a row is opened, and puts the part
//! marked `data-part` into the row.

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::Element;

#[island]
pub fn Unfold() -> impl IntoView {
    Effect::new(|_| {
        // `toggle` does not bubble; the open row is found when a summary is pressed instead.
        window_event_listener(ev::click, |event| {
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            let row = target
                .and_then(|target| target.closest("summary").ok().flatten())
                .and_then(|summary| summary.parent_element());
            if let Some(row) = row {
                unfold(&row);
            }
        });
    });
}

fn unfold(row: &Element) {
    let Ok(Some(place)) = row.query_selector("[data-load]") else { return };
    let Some(path) = place.get_attribute("data-load") else { return };
    // Taken away first, so that a second press does not fetch it twice.
    let _always_ok = place.remove_attribute("data-load");
    leptos::task::spawn_local(async move {
        let part = super::fetch_page(&path).await;
        let part = part.and_then(|page| page.query_selector("[data-part]"));
        if let Ok(Some(part)) = part {
            place.set_inner_html(&part.inner_html());
        } else {
            let _always_ok = place.set_attribute("data-load", &path);
        }
    });
}
