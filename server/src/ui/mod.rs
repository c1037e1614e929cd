//! What pages and the JSON API are answered with: `app`'s `Backend`, implemented.
//!
//! Pages are put together in `reads`, every write is a command. No rule stands here.

mod reads;

use crate::{
    accounts::{self, SessionDigest},
    commands::{Answer, apply, changesets, specs},
    secret::token::Token,
    state::AppState,
    store::sessions,
};
use async_trait::async_trait;
use axum::http::request::Parts;
use drover::{
    campaign::spec::{CampaignSpec, SpecProblem},
    changeset::choice::Shown,
    id::{CampaignSpecId, ChangesetId, ChangesetSpecId, ExecutionId, WorkspaceId},
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
use drover_app::{
    backend::{Backend, EditorSource, SessionCookie, Started},
    error::ApiError,
};
use leptos::prelude::use_context;

pub struct Ui {
    state: AppState,
}

impl Ui {
    #[must_use]
    pub fn new(state: AppState) -> Self {
        Self { state }
    }
}

#[async_trait]
impl Backend for Ui {
    async fn sign_in(&self, token: &str) -> Result<SessionCookie, ApiError> {
        let token = Token::parse(token)
            .map_err(|error| ApiError::Refused { message: format!("Not signed in: {error}.") })?;
        let user = accounts::sign_in(&self.state.store, &token).await.answer()?;
        let user = user.ok_or_else(|| ApiError::Refused {
            message: "This token is not known here: it was deleted, has expired, or belongs to \
                      another Drover."
                .to_owned(),
        })?;
        accounts::start_session(&self.state, user).await.map(SessionCookie).answer()
    }

    async fn sign_out(&self, _viewer: &Viewer) -> Result<(), ApiError> {
        let session = use_context::<Parts>()
            .and_then(|parts| parts.extensions.get::<SessionDigest>().copied());
        let Some(SessionDigest(digest)) = session else { return Ok(()) };
        let mut conn = self.state.store.conn().await.answer()?;
        sessions::delete(&mut conn, &digest.0).await.answer()
    }

    async fn home(&self, viewer: &Viewer, after: Option<String>) -> Result<HomePage, ApiError> {
        reads::home(&self.state, viewer, after.as_deref()).await
    }

    async fn validate(&self, _viewer: &Viewer, text: &str) -> Result<Vec<SpecProblem>, ApiError> {
        Ok(CampaignSpec::parse(text.as_bytes()).err().unwrap_or_default())
    }

    async fn start_preview(
        &self,
        viewer: &Viewer,
        namespace: &NamespaceName,
        text: &str,
    ) -> Result<Started, ApiError> {
        match specs::start(&self.state, viewer, namespace, text.as_bytes()).await {
            Ok(accepted) => Ok(Started::Execution(accepted.execution)),
            Err(ApiError::Spec { .. }) => {
                specs::keep_draft(&self.state, viewer, namespace, text).await.map(Started::Draft)
            }
            Err(error) => Err(error),
        }
    }

    async fn editor_text(&self, viewer: &Viewer, source: EditorSource) -> Result<String, ApiError> {
        reads::editor_text(&self.state, viewer, source).await
    }

    async fn execution(
        &self,
        _viewer: &Viewer,
        id: ExecutionId,
        after: Option<String>,
    ) -> Result<ExecutionPage, ApiError> {
        reads::execution(&self.state, id, after.as_deref()).await
    }

    async fn log(
        &self,
        _viewer: &Viewer,
        workspace: WorkspaceId,
        after: i64,
    ) -> Result<LogPage, ApiError> {
        reads::log(&self.state, workspace, after).await
    }

    async fn cancel_execution(&self, viewer: &Viewer, id: ExecutionId) -> Result<(), ApiError> {
        specs::cancel(&self.state, viewer, id).await
    }

    async fn preview(
        &self,
        _viewer: &Viewer,
        id: CampaignSpecId,
        after: Option<String>,
        seen: Option<PlanHash>,
    ) -> Result<PreviewPage, ApiError> {
        reads::preview(&self.state, id, after, seen).await
    }

    async fn preview_diff(
        &self,
        _viewer: &Viewer,
        id: ChangesetSpecId,
    ) -> Result<DiffView, ApiError> {
        reads::diff(&self.state, id).await
    }

    async fn apply(
        &self,
        viewer: &Viewer,
        id: CampaignSpecId,
        hash: &PlanHash,
    ) -> Result<(), ApiError> {
        apply::apply(&self.state, viewer, id, hash).await
    }

    async fn campaign(
        &self,
        _viewer: &Viewer,
        namespace: &NamespaceName,
        name: &CampaignName,
        filter: ChangesetFilter,
    ) -> Result<CampaignPage, ApiError> {
        reads::campaign(&self.state, namespace, name, filter).await
    }

    async fn changeset(
        &self,
        _viewer: &Viewer,
        id: ChangesetId,
    ) -> Result<ChangesetPage, ApiError> {
        reads::changeset(&self.state, id).await
    }

    async fn choose(
        &self,
        viewer: &Viewer,
        id: ChangesetId,
        choice: ChangesetChoice,
        shown: &Shown,
    ) -> Result<(), ApiError> {
        changesets::choose(&self.state, viewer, id, choice, shown).await
    }
}
