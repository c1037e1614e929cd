//! How large a diff is.

use crate::words;
use drover::diff::DiffStat;
use leptos::prelude::*;

#[component]
pub fn Stat(stat: DiffStat) -> impl IntoView {
    let DiffStat { files: _, added, removed } = stat;
    if added == 0 && removed == 0 {
        return None;
    }
    Some(view! {
        <span class="stat">
            <span class="sr-only">{words::stat(stat)}</span>
            <span class="stat-added" aria-hidden="true">{format!("+{added}")}</span>
            <span class="stat-removed" aria-hidden="true">{format!("−{removed}")}</span>
        </span>
    })
}
