//! A box that must be seen.

use super::{badge::Tone, said::Said};
use leptos::prelude::*;

#[component]
pub fn Alert(
    tone: Tone,
    #[prop(into)] title: String,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <section class=format!("alert {}", tone.class())>
            <h2 class="alert-title"><Said text=title/></h2>
            {children.map(|children| view! { <div class="alert-body">{children()}</div> })}
        </section>
    }
    .into_any()
}
