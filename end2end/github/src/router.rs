use crate::{control, git_http, github::Github, graphql, hosts, observe, pages, rest};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{any, get, post},
};
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;

/// The REST API, each repository by its name and by its number.
fn api() -> Router<Arc<Github>> {
    rest::routes()
        .route("/repositories/{id}", any(rest::by_id))
        .route("/repositories/{id}/{*rest}", any(rest::by_id))
        .method_not_allowed_fallback(rest::not_found)
}

/// All routes. The control endpoints stand outside of what is observed.
pub(crate) fn router(github: Arc<Github>) -> Router {
    let observed = Router::new()
        .merge(api())
        .nest(crate::call::ENTERPRISE_PREFIX, api().fallback(rest::not_found))
        .route("/graphql", post(graphql::answer))
        .route("/api/graphql", post(graphql::answer))
        .route("/{owner}/{repo}/info/refs", get(git_http::serve))
        .route("/{owner}/{repo}/git-upload-pack", post(git_http::serve))
        .route("/{owner}/{repo}/git-receive-pack", post(git_http::serve))
        .merge(pages::routes().layer(middleware::from_fn(pages::json_for_programs)))
        .method_not_allowed_fallback(rest::not_found)
        .fallback(rest::not_found);
    // Handlers limit their own bodies, each by what it is for.
    let observed = observed.layer(DefaultBodyLimit::disable());
    #[cfg(feature = "conformance")]
    let observed = observed
        .layer(middleware::from_fn_with_state(Arc::clone(&github), crate::conformance::judge));
    observed
        .layer(middleware::from_fn(observe::etag))
        .layer(middleware::from_fn_with_state(Arc::clone(&github), observe::observe))
        .merge(control::routes())
        .layer(middleware::from_fn_with_state(Arc::clone(&github), hosts::only_ours))
        .layer(CatchPanicLayer::new())
        .with_state(github)
}
