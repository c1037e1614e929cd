//! How large a diff is.

use crate::words;
use drover::diff::DiffStat;
use leptos::prelude::*;

#[component]
pub fn Stat(stat: DiffStat) -> impl IntoView {
    view! {
        <span class="stat">
            <span class="sr-only">{words::stat(stat)}</span>
            <span class="stat-added" aria-hidden="true">{format!("+{}", stat.added)}</span>
            <span class="stat-removed" aria-hidden="true">{format!("−{}", stat.removed)}</span>
        </span>
    }
}
