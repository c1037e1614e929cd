//! What apply will do with a changeset, as chips.

use super::badge::{Badge, Tone};
use crate::words;
use drover::changeset::plan::Operation;
use leptos::prelude::*;

#[component]
pub fn Operations(operations: Vec<Operation>) -> impl IntoView {
    if operations.is_empty() {
        return view! { <Badge tone=Tone::Plain word="Nothing to do"/> }.into_any();
    }
    let chips = operations.into_iter().map(|operation| {
        let (word, tone) = words::operation(operation);
        view! { <Badge tone word/> }
    });
    view! { <span class="chips">{chips.collect_view()}</span> }.into_any()
}
