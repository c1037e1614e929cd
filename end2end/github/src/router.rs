use crate::{control, git_http, github::Github, graphql, observe, pages, rest};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;

/// All routes. The control endpoints stand outside of what is observed.
pub(crate) fn router(github: Arc<Github>) -> Router {
    let observed = Router::new()
        .merge(rest::routes())
        .nest(crate::call::ENTERPRISE_PREFIX, rest::routes().fallback(rest::not_found))
        .route("/graphql", post(graphql::answer))
        .route("/api/graphql", post(graphql::answer))
        .route("/{owner}/{repo}/info/refs", get(git_http::serve))
        .route("/{owner}/{repo}/git-upload-pack", post(git_http::serve))
        .route("/{owner}/{repo}/git-receive-pack", post(git_http::serve))
        .merge(pages::routes())
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
        .layer(CatchPanicLayer::new())
        .with_state(github)
}
