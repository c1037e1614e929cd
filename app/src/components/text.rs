//! Texts that people wrote: the spec, and Markdown that the server has sanitised.

use leptos::prelude::*;

#[component]
pub fn SpecText(text: String) -> impl IntoView {
    view! {
        <details class="fold">
            <summary>"Campaign spec"</summary>
            <pre class="code" tabindex="0" aria-label="Campaign spec">{text}</pre>
        </details>
    }
}

#[component]
pub fn Prose(
    /// Rendered and sanitised by the server.
    html: String,
) -> impl IntoView {
    (!html.is_empty()).then(|| view! { <div class="prose" inner_html=html></div> })
}
