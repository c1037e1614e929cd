//! A list without rows: what would stand here, and how to get it there.

use leptos::prelude::*;

#[component]
pub fn Empty(#[prop(into)] title: String, children: Children) -> impl IntoView {
    view! {
        <section class="empty">
            <img src="/crook.svg" alt="" width="56" height="56"/>
            <h2 class="text-xl font-semibold font-serif">{title}</h2>
            {children()}
        </section>
    }
}
