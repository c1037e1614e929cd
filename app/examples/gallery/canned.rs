//! A backend that answers from canned data.

use crate::{diffs, samples};
use async_trait::async_trait;
use drover::{
    campaign::spec::SpecProblem,
    changeset::choice::Shown,
    changeset::status::ChangesetStatus,
    id::{CampaignSpecId, ChangesetId, ChangesetSpecId, DraftId, ExecutionId, WorkspaceId},
    names::{CampaignName, NamespaceName},
    view::{
        campaign::{CampaignPage, ChangesetFilter, HomePage},
        changeset::{ChangesetChoice, ChangesetPage},
        diff::DiffView,
        execution::{ExecutionPage, ExecutionState, LogPage},
        preview::{PlanHash, PreviewPage, Standing},
    },
    viewer::{Denied, Viewer},
};
use drover_app::{
    backend::{Backend, EditorSource, SessionCookie, Started},
    error::ApiError,
};
use std::sync::atomic::{AtomicI64, Ordering};

/// What stands under the ids 1, 2, … of each kind.
pub(crate) const EXECUTIONS: [&str; 6] =
    ["running", "done", "failed", "cancelled", "resolving", "advancing"];
pub(crate) const PREVIEWS: [&str; 9] = [
    "ready",
    "executing",
    "unfinished",
    "applied",
    "superseded",
    "moved",
    "empty",
    "denied",
    "internal",
];
pub(crate) const CHANGESETS: [&str; 6] =
    ["open", "retrying", "drift", "unpublished", "merged", "queued"];

/// The ticks after which the advancing execution is done.
const DONE_AT: i64 = 16;

#[derive(Default)]
pub(crate) struct Canned {
    /// How often the advancing execution was looked at.
    ticks: AtomicI64,
}

fn missing(what: &str) -> ApiError {
    ApiError::NotFound { what: what.to_owned() }
}

fn kind(names: &[&'static str], id: u128) -> Result<&'static str, ApiError> {
    let index = usize::try_from(id).ok().and_then(|number| number.checked_sub(1));
    index.and_then(|index| names.get(index)).copied().ok_or_else(|| missing("such thing"))
}

#[async_trait]
impl Backend for Canned {
    async fn sign_in(&self, token: &str) -> Result<SessionCookie, ApiError> {
        if token == "secret" {
            return Ok(SessionCookie("gallery=1; Path=/; HttpOnly; SameSite=Lax".into()));
        }
        Err(ApiError::Refused { message: "this token is unknown; it may have been revoked".into() })
    }

    async fn sign_out(&self, _: &Viewer) -> Result<(), ApiError> {
        Ok(())
    }

    async fn home(&self, viewer: &Viewer, after: Option<String>) -> Result<HomePage, ApiError> {
        let is_new = viewer.name.as_str() == "new";
        Ok(if is_new { samples::empty_home() } else { samples::home(after.is_none()) })
    }

    async fn validate(&self, _: &Viewer, text: &str) -> Result<Vec<SpecProblem>, ApiError> {
        Ok(samples::problems(text))
    }

    async fn start_preview(
        &self,
        _: &Viewer,
        _: &NamespaceName,
        text: &str,
    ) -> Result<Started, ApiError> {
        if text.contains("refuse") {
            return Err(ApiError::Refused { message: "too many executions run already".into() });
        }
        let has_problems = !samples::problems(text).is_empty();
        Ok(if has_problems {
            Started::Draft(DraftId(samples::uuid(1)))
        } else {
            self.ticks.store(0, Ordering::Relaxed);
            Started::Execution(ExecutionId(samples::uuid(6)))
        })
    }

    async fn editor_text(&self, _: &Viewer, source: EditorSource) -> Result<String, ApiError> {
        Ok(match source {
            EditorSource::Sample | EditorSource::Spec(_) => samples::SPEC.to_owned(),
            EditorSource::Draft(_) => {
                samples::SPEC.replace("steps:", "stepz:").replace("run:", "rnu:")
            }
        })
    }

    async fn execution(
        &self,
        _: &Viewer,
        id: ExecutionId,
        _: Option<String>,
    ) -> Result<ExecutionPage, ApiError> {
        let state = match kind(&EXECUTIONS, id.0.as_u128())? {
            "done" => ExecutionState::Done,
            "failed" => ExecutionState::Failed {
                reason: "the query `org:acme topic:legacy` matched no repository".into(),
            },
            "cancelled" => ExecutionState::Cancelled,
            "resolving" => ExecutionState::Resolving,
            "advancing" => {
                let tick = self.ticks.fetch_add(1, Ordering::Relaxed);
                return Ok(samples::advancing(id, tick, tick >= DONE_AT));
            }
            _ => ExecutionState::Running,
        };
        Ok(samples::execution(id, state))
    }

    async fn log(&self, _: &Viewer, _: WorkspaceId, after: i64) -> Result<LogPage, ApiError> {
        let end = self.ticks.load(Ordering::Relaxed) + samples::LOG_LINES;
        Ok(samples::log(after, if after == 0 { samples::LOG_LINES } else { end }))
    }

    async fn cancel_execution(&self, _: &Viewer, _: ExecutionId) -> Result<(), ApiError> {
        Err(ApiError::Refused { message: "the execution is over already".into() })
    }

    async fn preview(
        &self,
        viewer: &Viewer,
        id: CampaignSpecId,
        after: Option<String>,
        seen: Option<PlanHash>,
    ) -> Result<PreviewPage, ApiError> {
        let page = samples::preview(id, after.is_none());
        Ok(match kind(&PREVIEWS, id.0.as_u128())? {
            "executing" => PreviewPage { standing: Standing::Executing, ..samples::no_rows(page) },
            "unfinished" => PreviewPage {
                standing: Standing::Unfinished { reason: "the execution was cancelled".into() },
                ..samples::no_rows(page)
            },
            "applied" => PreviewPage { standing: Standing::Applied, expires_at: None, ..page },
            "superseded" => PreviewPage {
                standing: Standing::Superseded { by: CampaignSpecId(samples::uuid(1)) },
                ..page
            },
            "moved" => PreviewPage { moved: samples::moved(), ..page },
            "empty" => samples::no_rows(page),
            "denied" => Err(Denied {
                viewer: viewer.name.clone(),
                action: "see the preview".into(),
                namespace: page.namespace,
            })?,
            "internal" => Err(ApiError::Internal { reference: "7f3a9c".into() })?,
            _ if seen.is_some() => PreviewPage { moved: samples::moved(), ..page },
            _ => page,
        })
    }

    async fn preview_diff(&self, _: &Viewer, _: ChangesetSpecId) -> Result<DiffView, ApiError> {
        Ok(diffs::diff())
    }

    async fn apply(&self, _: &Viewer, id: CampaignSpecId, _: &PlanHash) -> Result<(), ApiError> {
        if kind(&PREVIEWS, id.0.as_u128())? == "moved" {
            return Err(ApiError::PlanMoved { moved: samples::moved(), newer: None });
        }
        Ok(())
    }

    async fn campaign(
        &self,
        _: &Viewer,
        _: &NamespaceName,
        name: &CampaignName,
        filter: ChangesetFilter,
    ) -> Result<CampaignPage, ApiError> {
        match name.as_str() {
            "upgrade-tokio" => Ok(samples::campaign(filter)),
            "applying" => Ok(samples::applying(filter)),
            other => Err(missing(&format!("campaign `{other}`"))),
        }
    }

    async fn changeset(&self, _: &Viewer, id: ChangesetId) -> Result<ChangesetPage, ApiError> {
        let status = match kind(&CHANGESETS, id.0.as_u128())? {
            "retrying" => ChangesetStatus::Retrying,
            "drift" => ChangesetStatus::Drift,
            "unpublished" => ChangesetStatus::Unpublished,
            "merged" => ChangesetStatus::Merged,
            "queued" => ChangesetStatus::Queued,
            _ => ChangesetStatus::Open,
        };
        Ok(samples::changeset(id, status))
    }

    async fn choose(
        &self,
        _: &Viewer,
        _: ChangesetId,
        choice: ChangesetChoice,
        _: &Shown,
    ) -> Result<(), ApiError> {
        match choice {
            ChangesetChoice::Close => Err(ApiError::Refused {
                message: "the pull request was merged a moment ago".into(),
            }),
            _ => Ok(()),
        }
    }
}
