//! The way through a list that is read by key: there is a next page, and a first one.

use leptos::prelude::*;

#[component]
pub fn Pager(
    /// The address of the first page, unless this is it.
    first: Option<String>,
    next: Option<String>,
) -> impl IntoView {
    let is_needed = first.is_some() || next.is_some();
    is_needed.then(|| {
        view! {
            <nav class="pager" aria-label="Pages">
                {first.map(|href| view! { <a class="btn" href=href>"First page"</a> })}
                {next.map(|href| view! { <a class="btn" rel="next" href=href>"Next page"</a> })}
            </nav>
        }
    })
}
