//! The same from another process. Only this machine may call, and only with a JSON content type:
//! so no page that a browser shows can do it.

use super::{Action, Control, ControlError};
use crate::{call::BODY_BYTES_MAX, github::Github, wire::Wire};
use axum::{
    Json, Router,
    extract::{ConnectInfo, DefaultBodyLimit, Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) fn routes() -> Router<Arc<Github>> {
    let routes = Router::new()
        .route("/_control/actions", post(act))
        .route("/_control/requests", get(requests))
        .route("/_control/counts", get(counts))
        .route("/_control/deliveries", get(deliveries));
    #[cfg(feature = "conformance")]
    let routes = routes.route("/_control/violations", get(violations));
    routes.layer(DefaultBodyLimit::max(BODY_BYTES_MAX)).layer(middleware::from_fn(from_here_only))
}

async fn act(
    State(github): State<Arc<Github>>,
    Json(action): Json<Action>,
) -> Result<Json<Value>, ControlError> {
    Control::new(github).perform(action).await.map(Json)
}

async fn requests(State(github): State<Arc<Github>>) -> Json<Value> {
    Json(json!(Control::new(github).requests()))
}

async fn counts(State(github): State<Arc<Github>>) -> Json<Value> {
    Json(json!(Control::new(github).request_counts()))
}

async fn deliveries(State(github): State<Arc<Github>>) -> Json<Value> {
    Json(json!(Control::new(github).deliveries()))
}

#[cfg(feature = "conformance")]
async fn violations(State(github): State<Arc<Github>>) -> Json<Value> {
    Json(json!(Control::new(github).violations()))
}

async fn from_here_only(
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
    next: Next,
) -> Response {
    if !wire.peer.is_loopback() {
        return (StatusCode::FORBIDDEN, "Only this machine may control the stand-in.")
            .into_response();
    }
    next.run(request).await
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::NoRepo { .. } | Self::NoBranch { .. } | Self::NoAccount { .. } => {
                StatusCode::NOT_FOUND
            }
            Self::Name { .. } | Self::RepoExists { .. } | Self::Refused(_) => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(json!({ "message": self.to_string() }))).into_response()
    }
}
