//! The HTTP side: every route and every layer.
//!
//! - [`session`]: who is asking, by cookie or by token
//! - [`origin`]: requests that change something come from our own pages
//! - [`sse`]: hints for pages that watch
//! - [`health`]: whether the server lives and can serve
//! - [`api`]: JSON for the CLI and for programs
//! - [`headers`]: what browsers are told about every answer
//!
//! Pages and server functions are Leptos's; they reach the server through `ui` only.

pub mod api;
mod headers;
mod health;
mod origin;
pub mod session;
mod sse;

use crate::{state::AppState, ui::Ui};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    middleware::{from_fn, from_fn_with_state},
    routing::get,
};
use drover_app::{App, backend::Backend, shell};
use leptos::{
    config::Env,
    prelude::{LeptosOptions, provide_context},
};
use leptos_axum::{LeptosRoutes, generate_route_list};
use std::{sync::Arc, time::Duration};
use tower_http::{
    catch_panic::CatchPanicLayer, compression::CompressionLayer, timeout::TimeoutLayer,
    trace::TraceLayer,
};

/// The largest body of a request, in bytes: a spec of 1 MiB, form-encoded.
const BODY_BYTES_MAX: usize = 4 << 20;
/// How long a request may take. Streams are exempt: they are routed beside this layer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Everything that the server answers.
pub fn router(state: AppState) -> Router {
    let options = leptos_options(&state);
    let pages = {
        let backend: Arc<dyn Backend> = Arc::new(Ui::new(state.clone()));
        let context = move || provide_context(backend.clone());
        let shell_options = options.clone();
        Router::new()
            .leptos_routes_with_context(&options, generate_route_list(App), context, move || {
                shell(shell_options.clone())
            })
            .fallback(leptos_axum::file_and_error_handler(shell))
            .with_state(options)
    };
    let timed = pages
        .nest("/api/v1", api::router(state.clone()))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_TIMEOUT))
        .layer(CompressionLayer::new());
    Router::new()
        .route("/events", get(sse::events).with_state(state.clone()))
        .merge(timed)
        .layer(from_fn(origin::same_origin))
        .layer(from_fn_with_state(state.clone(), session::identify))
        .merge(health::router(state))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn(headers::secure))
        .layer(CatchPanicLayer::new())
        .layer(TraceLayer::new_for_http())
}

fn leptos_options(state: &AppState) -> LeptosOptions {
    LeptosOptions::builder()
        .output_name("drover")
        .site_root(state.config.site_root.to_string_lossy().into_owned())
        .site_pkg_dir("pkg")
        .env(Env::PROD)
        .site_addr(state.config.listen)
        .build()
}
