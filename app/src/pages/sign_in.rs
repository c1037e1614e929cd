//! Signing in, with one field.

use super::query;
use crate::routes;
use leptos::prelude::*;
use leptos_meta::Title;

#[component]
pub fn SignIn() -> impl IntoView {
    let next = query("next").unwrap_or_else(|| routes::HOME.to_owned());
    view! { <SignInForm next/> }
}

#[component]
pub fn SignInForm(
    /// Where to go then.
    next: String,
) -> impl IntoView {
    view! {
        <Title text="Sign in"/>
        <section class="sign-in">
            <img src="/crook.svg" alt="" width="64" height="64"/>
            <h1 class="title-1">"Sign in to Drover"</h1>
            <form method="post" action="/api/sign_in" class="grid gap-4">
                <input type="hidden" name="next" value=routes::local(&next).to_owned()/>
                <label class="grid gap-1" for="token">
                    <span class="font-semibold">"Setup or access token"</span>
                    <input
                        id="token"
                        name="token"
                        type="password"
                        class="input"
                        autocomplete="current-password"
                        aria-describedby="token-hint"
                        required
                        autofocus
                    />
                </label>
                <p id="token-hint" class="text-sm text-faint">
                    "A new server prints its setup token when it starts. Later on, use an access "
                    "token of your own."
                </p>
                <button class="btn btn-main">"Sign in"</button>
            </form>
        </section>
    }
    .into_any()
}
