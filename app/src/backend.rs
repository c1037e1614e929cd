//! What pages need of the server, as one object-safe trait.
//!
//! `app` cannot know `server`: the server implements [`Backend`] and puts it into the Leptos
//! context of every request. The viewer travels in the extensions of the request.

use crate::error::ApiError;
use axum::http::request::Parts;
use drover::{
    campaign::spec::SpecProblem,
    changeset::choice::Shown,
    id::{CampaignSpecId, ChangesetId, ChangesetSpecId, DraftId, ExecutionId, WorkspaceId},
    names::{CampaignName, NamespaceName},
    view::{
        campaign::{CampaignPage, ChangesetFilter, HomePage},
        changeset::{ChangesetChoice, ChangesetPage},
        diff::DiffView,
        execution::{ExecutionPage, LogPage},
        preview::{PlanHash, PreviewPage},
    },
    viewer::Viewer,
};
use leptos::prelude::{expect_context, use_context};
use std::sync::Arc;

#[async_trait::async_trait]
pub trait Backend: Send + Sync {
    /// Exchanges the setup token or an access token for the value of a session cookie.
    async fn sign_in(&self, token: &str) -> Result<SessionCookie, ApiError>;
    /// Ends the session that the request carries.
    async fn sign_out(&self, viewer: &Viewer) -> Result<(), ApiError>;

    async fn home(&self, viewer: &Viewer, after: Option<String>) -> Result<HomePage, ApiError>;

    /// The problems of a spec; empty when it can be previewed.
    async fn validate(&self, viewer: &Viewer, text: &str) -> Result<Vec<SpecProblem>, ApiError>;
    /// Starts to execute a spec, or keeps its text as a draft when it has problems.
    async fn start_preview(
        &self,
        viewer: &Viewer,
        namespace: &NamespaceName,
        text: &str,
    ) -> Result<Started, ApiError>;
    /// The text that the editor starts with: a draft, a spec to start from, or the sample.
    async fn editor_text(&self, viewer: &Viewer, source: EditorSource) -> Result<String, ApiError>;

    async fn execution(
        &self,
        viewer: &Viewer,
        id: ExecutionId,
        after: Option<String>,
    ) -> Result<ExecutionPage, ApiError>;
    /// The lines of a workspace's log behind `after`, at most [`LOG_LINES_MAX`].
    async fn log(
        &self,
        viewer: &Viewer,
        workspace: WorkspaceId,
        after: i64,
    ) -> Result<LogPage, ApiError>;
    async fn cancel_execution(&self, viewer: &Viewer, id: ExecutionId) -> Result<(), ApiError>;

    async fn preview(
        &self,
        viewer: &Viewer,
        id: CampaignSpecId,
        after: Option<String>,
        seen: Option<PlanHash>,
    ) -> Result<PreviewPage, ApiError>;
    async fn preview_diff(
        &self,
        viewer: &Viewer,
        id: ChangesetSpecId,
    ) -> Result<DiffView, ApiError>;
    /// Accepts the plan; the work is done in the background.
    async fn apply(
        &self,
        viewer: &Viewer,
        id: CampaignSpecId,
        hash: &PlanHash,
    ) -> Result<(), ApiError>;

    async fn campaign(
        &self,
        viewer: &Viewer,
        namespace: &NamespaceName,
        name: &CampaignName,
        filter: ChangesetFilter,
    ) -> Result<CampaignPage, ApiError>;
    async fn changeset(&self, viewer: &Viewer, id: ChangesetId) -> Result<ChangesetPage, ApiError>;
    async fn choose(
        &self,
        viewer: &Viewer,
        id: ChangesetId,
        choice: ChangesetChoice,
        shown: &Shown,
    ) -> Result<(), ApiError>;
}

/// The lines that one read of a log gives, at most.
pub const LOG_LINES_MAX: u32 = 1_000;

/// The value of the `Set-Cookie` header that carries a session.
pub struct SessionCookie(pub String);

/// What became of a spec that was sent for a preview.
pub enum Started {
    Execution(ExecutionId),
    /// It has problems; the text is kept and the editor shows them.
    Draft(DraftId),
}

/// Where the editor takes its first text from.
pub enum EditorSource {
    Sample,
    Draft(DraftId),
    Spec(CampaignSpecId),
}

/// The backend of the request that is being served.
#[must_use]
pub fn backend() -> Arc<dyn Backend> {
    expect_context::<Arc<dyn Backend>>()
}

/// The person who makes the request that is being served.
pub fn viewer() -> Result<Viewer, ApiError> {
    use_context::<Parts>()
        .and_then(|parts| parts.extensions.get::<Viewer>().cloned())
        .ok_or(ApiError::SignedOut)
}
