//! The document around every page, and the routes.

use crate::{
    backend,
    components::{alert::Alert, badge::Tone},
    flash,
    islands::{theme, theme::Theme, theme::ThemeToggle, times::Times},
    pages::{
        campaign::Campaign, changeset::Changeset, execution::Execution, failure::NotFound,
        home::Home, new_campaign::NewCampaign, preview::Preview, preview_diff::PreviewDiff,
        sign_in::SignIn,
    },
    routes,
};
use axum::http::{HeaderValue, header, request::Parts};
use leptos::{config::Env, nonce::use_nonce, prelude::*};
use leptos_axum::ResponseOptions;
use leptos_meta::{MetaTags, Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{FlatRoutes, Route, Router},
    path,
};

#[must_use]
pub fn shell(options: LeptosOptions) -> impl IntoView {
    secure(&options);
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme().key()>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="stylesheet" href="/pkg/drover.css"/>
                <AutoReload options=options.clone()/>
                <HydrationScripts options islands=true/>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// Sends the content security policy: only our own scripts, no style in the markup, no frame.
fn secure(options: &LeptosOptions) {
    let (Some(response), Some(nonce)) = (use_context::<ResponseOptions>(), use_nonce()) else {
        return;
    };
    let reload = match options.env {
        Env::DEV => format!(" ws://127.0.0.1:{0} ws://localhost:{0}", options.reload_port),
        Env::PROD => String::new(),
    };
    let policy = format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; \
         img-src 'self' data: https:; connect-src 'self'{reload}; object-src 'none'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}

#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Title formatter=|title: String| format!("{title} · Drover") text="Drover"/>
        <Router>
            <a class="skip" href="#main">"Skip to the content"</a>
            <Header/>
            <main id="main" tabindex="-1" class="main">
                <Message/>
                <Pages/>
            </main>
            <Times/>
        </Router>
    }
}

/// Each page is sent whole: see [`crate::pages`].
#[component]
fn Pages() -> impl IntoView {
    view! {
        <FlatRoutes fallback=|| view! { <NotFound what="such page"/> }>
            <Route path=path!("/") view=Home ssr=SsrMode::Async/>
            <Route path=path!("/sign-in") view=SignIn ssr=SsrMode::Async/>
            <Route path=path!("/new") view=NewCampaign ssr=SsrMode::Async/>
            <Route path=path!("/executions/:id") view=Execution ssr=SsrMode::Async/>
            <Route path=path!("/previews/:id") view=Preview ssr=SsrMode::Async/>
            <Route
                path=path!("/previews/:id/changesets/:spec")
                view=PreviewDiff
                ssr=SsrMode::Async
            />
            <Route path=path!("/campaigns/:namespace/:name") view=Campaign ssr=SsrMode::Async/>
            <Route path=path!("/changesets/:id") view=Changeset ssr=SsrMode::Async/>
        </FlatRoutes>
    }
}

#[component]
fn Header() -> impl IntoView {
    let viewer = backend::viewer().ok();
    view! {
        <header class="top">
            <a class="brand" href=routes::HOME>
                <img src="/crook.svg" alt="" width="28" height="28"/>
                "Drover"
            </a>
            {viewer.is_some().then(|| view! {
                <nav class="nav" aria-label="Main">
                    <NavLink href=routes::HOME word="Campaigns"/>
                    <NavLink href=routes::NEW word="New campaign"/>
                </nav>
            })}
            <div class="top-end">
                <ThemeToggle theme=theme()/>
                {viewer.map(|viewer| view! {
                    <span class="text-sm">{viewer.name.to_string()}</span>
                    <form method="post" action="/api/sign_out">
                        <button class="btn btn-quiet">"Sign out"</button>
                    </form>
                })}
            </div>
        </header>
    }
}

#[component]
fn NavLink(href: &'static str, word: &'static str) -> impl IntoView {
    let is_here = use_context::<Parts>().is_some_and(|parts| parts.uri.path() == href);
    view! { <a href=href aria-current=is_here.then_some("page")>{word}</a> }
}

/// What the form before has left to say.
#[component]
fn Message() -> impl IntoView {
    flash::take().map(|text| {
        view! {
            <div role="alert">
                <Alert tone=Tone::Bad title=text/>
            </div>
        }
    })
}

fn theme() -> Theme {
    use_context::<Parts>()
        .and_then(|parts| flash::cookie(&parts, theme::COOKIE))
        .and_then(|key| Theme::find(&key))
        .unwrap_or_default()
}
