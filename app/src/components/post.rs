//! A button that does something: a form of its own.

use crate::words::Weight;
use leptos::prelude::*;

#[component]
pub fn Post(
    /// The server function's address.
    action: &'static str,
    /// The fields that travel with it.
    fields: Vec<(&'static str, String)>,
    #[prop(into)] label: String,
    weight: Weight,
    /// What pressing it does. A heavy button shows it before it can be pressed.
    #[prop(into)]
    says: String,
) -> impl IntoView {
    let inputs = fields
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
        .collect_view();
    let class = match weight {
        Weight::Light => "btn",
        Weight::Main => "btn btn-main",
        Weight::Heavy => "btn btn-heavy",
    };
    let form = view! {
        <form method="post" action=action>
            {inputs}
            <button class=class title=says.clone()>{label.clone()}</button>
        </form>
    };
    match weight {
        Weight::Light | Weight::Main => form.into_any(),
        Weight::Heavy => view! {
            <details class="ask">
                <summary class="btn">{label}" …"</summary>
                <div class="ask-box">
                    <p class="text-sm">{says}</p>
                    {form}
                </div>
            </details>
        }
        .into_any(),
    }
}
