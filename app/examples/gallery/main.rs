//! Every page in every state, from canned data: to look at, and for screenshots.
//!
//! `cargo run -p drover-app --example gallery -- [PORT]`, then open `/gallery`. Style sheet and
//! script are served from `target/site/pkg`, where the build puts them.
//!
//! `?as=new` is a viewer without campaigns, `?as=nobody` is signed out.

mod canned;
mod diffs;
mod samples;

use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::{
        Html, Response,
        sse::{Event, Sse},
    },
    routing::get,
};
use canned::{CHANGESETS, Canned, EXECUTIONS, PREVIEWS};
use drover_app::{
    backend::Backend,
    shell::{App, shell},
};
use leptos::prelude::{LeptosOptions, provide_context};
use leptos_axum::{LeptosRoutes, generate_route_list};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio_stream::{Stream, StreamExt, wrappers::IntervalStream};
use tower_http::services::{ServeDir, ServeFile};

/// How often the stream says that something changed.
const HINT_EVERY: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "3080".into());
    let options = LeptosOptions::builder().output_name("drover").site_pkg_dir("pkg").build();
    let backend: Arc<dyn Backend> = Arc::new(Canned::default());
    let routes = Router::new()
        .leptos_routes_with_context(
            &options,
            generate_route_list(App),
            move || provide_context(backend.clone()),
            {
                let options = options.clone();
                move || shell(options.clone())
            },
        )
        .route("/gallery", get(index))
        .route("/events", get(events))
        .nest_service("/pkg", ServeDir::new("target/site/pkg"))
        .route_service("/crook.svg", ServeFile::new("public/crook.svg"))
        .route_service("/favicon.svg", ServeFile::new("public/favicon.svg"))
        .fallback(leptos_axum::file_and_error_handler::<LeptosOptions, _>(shell))
        .layer(middleware::from_fn(sign_in_by_query))
        .with_state(options);
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    axum::serve(listener, routes).await?;
    Ok(())
}

async fn sign_in_by_query(mut request: Request, next: Next) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let name = query.split('&').find_map(|pair| pair.strip_prefix("as=")).unwrap_or("ada");
    if name != "nobody"
        && let Some(viewer) = samples::viewer(name)
    {
        request.extensions_mut().insert(viewer);
    }
    next.run(request).await
}

async fn events() -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let ticks = IntervalStream::new(tokio::time::interval(HINT_EVERY));
    Sse::new(ticks.map(|_| Ok(Event::default().data("look"))))
}

async fn index() -> Html<String> {
    let pages = pages();
    let links = pages.iter().map(|(name, path)| format!("<li><a href=\"{path}\">{name}</a>"));
    Html(format!("<!DOCTYPE html><title>Gallery</title><ul>{}</ul>", links.collect::<String>()))
}

fn pages() -> Vec<(String, String)> {
    let fixed = [
        ("home", "/"),
        ("home-empty", "/?as=new"),
        ("sign-in", "/sign-in?as=nobody"),
        ("signed-out", "/?as=nobody"),
        ("not-found", "/nothing/here"),
        ("new", "/new"),
        ("new-problems", "/new?draft=00000000-0000-0000-0000-000000000001"),
        ("campaign", "/campaigns/acme/upgrade-tokio"),
        ("campaign-filtered", "/campaigns/acme/upgrade-tokio?search=zzz"),
        ("campaign-applying", "/campaigns/acme/applying"),
        ("campaign-second-page", "/campaigns/acme/upgrade-tokio?after=key"),
    ];
    let fixed = fixed.into_iter().map(|(name, path)| (name.to_owned(), path.to_owned()));
    let numbered = |kind: &'static str, names: &'static [&'static str]| {
        (1_u128..).zip(names).map(move |(number, name)| {
            (format!("{kind}-{name}"), format!("/{kind}s/{}", samples::uuid(number)))
        })
    };
    let diff = |query: &str| {
        let (one, two) = (samples::uuid(1), samples::uuid(2));
        format!("/previews/{one}/changesets/{two}{query}")
    };
    fixed
        .chain(numbered("execution", &EXECUTIONS))
        .chain(numbered("preview", &PREVIEWS))
        .chain(numbered("changeset", &CHANGESETS))
        .chain([("diff".into(), diff("")), ("diff-split".into(), diff("?view=split"))])
        .collect()
}
