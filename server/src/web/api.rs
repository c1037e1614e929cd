//! The JSON API of [`crate::api::wire`]: the same doors as the pages, for programs.

use crate::{
    api::wire::{Apply, ErrorBody, ErrorCode, ErrorDetail, Moved, Problems, SpecCreated},
    commands::specs,
    state::AppState,
    ui::Ui,
};
use axum::{
    Extension, Json, Router,
    body::Bytes,
    extract::{Path, Query, State, rejection::ExtensionRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use drover::{
    campaign::spec::CampaignSpec,
    id::{CampaignSpecId, ExecutionId, WorkspaceId},
    names::{CampaignName, NamespaceName},
    view::campaign::ChangesetFilter,
    viewer::Viewer,
};
use drover_app::{backend::Backend, error::ApiError};
use serde::{Deserialize, Serialize};

pub(super) fn router(state: AppState) -> Router {
    Router::new()
        .route("/viewer", get(viewer))
        .route("/specs", post(create_spec))
        .route("/specs/validate", post(validate))
        .route("/specs/{id}/preview", get(preview))
        .route("/specs/{id}/apply", post(apply))
        .route("/executions/{id}", get(execution))
        .route("/executions/{id}/workspaces", get(workspaces))
        .route("/workspaces/{id}/log", get(log))
        .route("/campaigns/{namespace}/{name}", get(campaign))
        .fallback(|| async {
            failure(ErrorCode::NotFound, "there is no such address in the API".to_owned(), None)
        })
        .with_state(state)
}

/// The viewer, or the answer to somebody who is not signed in.
type Who = Result<Extension<Viewer>, ExtensionRejection>;

fn who(who: Who) -> Result<Viewer, ApiFailure> {
    who.map(|Extension(viewer)| viewer).map_err(|_| ApiFailure(ApiError::SignedOut))
}

struct ApiFailure(ApiError);

impl From<ApiError> for ApiFailure {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl IntoResponse for ApiFailure {
    fn into_response(self) -> Response {
        let message = self.0.to_string();
        let (code, hint) = match self.0 {
            ApiError::SignedOut => (
                ErrorCode::Unauthorized,
                Some("send `Authorization: Bearer` with your access token".to_owned()),
            ),
            ApiError::Denied(_) => (ErrorCode::Forbidden, None),
            ApiError::NotFound { .. } => (ErrorCode::NotFound, None),
            ApiError::Spec { problems } => {
                return (StatusCode::UNPROCESSABLE_ENTITY, Json(Problems { problems }))
                    .into_response();
            }
            ApiError::PlanMoved { moved, newer } => {
                return (StatusCode::CONFLICT, Json(Moved { moved, newer })).into_response();
            }
            ApiError::Refused { .. } => (ErrorCode::Unprocessable, None),
            ApiError::Internal { .. } | ApiError::Transport { .. } => (ErrorCode::Internal, None),
        };
        failure(code, message, hint)
    }
}

fn failure(code: ErrorCode, message: String, hint: Option<String>) -> Response {
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(ErrorBody { error: ErrorDetail { code, message, hint } })).into_response()
}

type Answer<T> = Result<Json<T>, ApiFailure>;

fn json<T: Serialize>(result: Result<T, ApiError>) -> Answer<T> {
    result.map(Json).map_err(ApiFailure)
}

/// Parses a part of the address; what is no id names nothing.
fn parse<T: std::str::FromStr>(text: &str, what: &str) -> Result<T, ApiFailure> {
    text.parse().map_err(|_| ApiFailure(ApiError::NotFound { what: format!("{what} `{text}`") }))
}

#[derive(Deserialize)]
struct After {
    after: Option<String>,
}

async fn viewer(viewer: Who) -> Answer<Viewer> {
    who(viewer).map(Json)
}

#[derive(Deserialize)]
struct Target {
    namespace: Option<String>,
}

async fn create_spec(
    State(state): State<AppState>,
    viewer: Who,
    Query(target): Query<Target>,
    body: Bytes,
) -> Result<(StatusCode, Json<SpecCreated>), ApiFailure> {
    let viewer = who(viewer)?;
    let namespace = match &target.namespace {
        Some(name) => parse::<NamespaceName>(name, "namespace")?,
        None => viewer.name.clone(),
    };
    let accepted = specs::start(&state, &viewer, &namespace, &body).await?;
    let path = drover_app::routes::preview(accepted.spec);
    let url = format!("{}{path}", state.config.public_url.as_str().trim_end_matches('/'));
    let created = SpecCreated { id: accepted.spec, execution: accepted.execution, url };
    Ok((StatusCode::CREATED, Json(created)))
}

async fn validate(viewer: Who, body: Bytes) -> Answer<Problems> {
    who(viewer)?;
    let problems = CampaignSpec::parse(&body).err().unwrap_or_default();
    Ok(Json(Problems { problems }))
}

async fn preview(
    State(state): State<AppState>,
    viewer: Who,
    Path(id): Path<String>,
    Query(After { after }): Query<After>,
) -> Answer<drover::view::preview::PreviewPage> {
    let (viewer, id) = (who(viewer)?, parse::<CampaignSpecId>(&id, "spec")?);
    json(Ui::new(state).preview(&viewer, id, after, None).await)
}

async fn apply(
    State(state): State<AppState>,
    viewer: Who,
    Path(id): Path<String>,
    Json(Apply { plan_hash }): Json<Apply>,
) -> Result<StatusCode, ApiFailure> {
    let (viewer, id) = (who(viewer)?, parse::<CampaignSpecId>(&id, "spec")?);
    Ui::new(state).apply(&viewer, id, &plan_hash).await?;
    Ok(StatusCode::ACCEPTED)
}

async fn execution(
    State(state): State<AppState>,
    viewer: Who,
    Path(id): Path<String>,
    Query(After { after }): Query<After>,
) -> Answer<drover::view::execution::ExecutionPage> {
    let (viewer, id) = (who(viewer)?, parse::<ExecutionId>(&id, "execution")?);
    json(Ui::new(state).execution(&viewer, id, after).await)
}

async fn workspaces(
    State(state): State<AppState>,
    viewer: Who,
    Path(id): Path<String>,
    Query(After { after }): Query<After>,
) -> Answer<drover::view::Page<drover::view::execution::WorkspaceRow>> {
    let (viewer, id) = (who(viewer)?, parse::<ExecutionId>(&id, "execution")?);
    json(Ui::new(state).execution(&viewer, id, after).await.map(|page| page.workspaces))
}

#[derive(Deserialize)]
struct AfterLine {
    #[serde(default)]
    after: i64,
}

async fn log(
    State(state): State<AppState>,
    viewer: Who,
    Path(id): Path<String>,
    Query(AfterLine { after }): Query<AfterLine>,
) -> Answer<drover::view::execution::LogPage> {
    let (viewer, id) = (who(viewer)?, parse::<WorkspaceId>(&id, "workspace")?);
    json(Ui::new(state).log(&viewer, id, after).await)
}

async fn campaign(
    State(state): State<AppState>,
    viewer: Who,
    Path((namespace, name)): Path<(String, String)>,
    Query(After { after }): Query<After>,
) -> Answer<drover::view::campaign::CampaignPage> {
    let viewer = who(viewer)?;
    let namespace = parse::<NamespaceName>(&namespace, "namespace")?;
    let name = parse::<CampaignName>(&name, "campaign")?;
    let filter = ChangesetFilter { after, ..ChangesetFilter::default() };
    json(Ui::new(state).campaign(&viewer, &namespace, &name, filter).await)
}
