//! Paths and bodies of the JSON API.
//!
//! | request | answer |
//! |---|---|
//! | `GET /viewer` | [`Viewer`] |
//! | `POST /specs?namespace=`, the text as `application/yaml` | 201 [`SpecCreated`], 422 [`Problems`] |
//! | `POST /specs/validate`, the text | [`Problems`] |
//! | `GET /specs/{id}/preview?after=` | [`PreviewPage`] |
//! | `POST /specs/{id}/apply`, [`Apply`] | 202, 409 [`Moved`] |
//! | `GET /executions/{id}?after=` | [`ExecutionPage`] |
//! | `GET /executions/{id}/workspaces?after=` | [`Page`] of [`WorkspaceRow`] |
//! | `GET /workspaces/{id}/log?after=` | [`LogPage`] |
//! | `GET /campaigns/{namespace}/{name}?after=` | [`CampaignPage`] |
//!
//! All below [`ROOT`], with `Authorization: Bearer <access token>`. Every other failure is an
//! [`ErrorBody`] with the status of its [`ErrorCode`].
//!
//! [`Viewer`]: drover::viewer::Viewer
//! [`PreviewPage`]: drover::view::preview::PreviewPage
//! [`ExecutionPage`]: drover::view::execution::ExecutionPage
//! [`Page`]: drover::view::Page
//! [`WorkspaceRow`]: drover::view::execution::WorkspaceRow
//! [`LogPage`]: drover::view::execution::LogPage
//! [`CampaignPage`]: drover::view::campaign::CampaignPage

use drover::{
    campaign::spec::SpecProblem,
    id::{CampaignSpecId, ExecutionId},
    view::preview::{MovedRow, NewerApply, PlanHash},
};
use serde::{Deserialize, Serialize};

pub const ROOT: &str = "/api/v1";
/// The media type of a spec's text.
pub const SPEC_TYPE: &str = "application/yaml";

/// A spec was accepted and is being executed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecCreated {
    pub id: CampaignSpecId,
    pub execution: ExecutionId,
    /// The preview's page for people, with scheme and host.
    pub url: String,
}

/// What is wrong with a spec; empty when it can be previewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problems {
    pub problems: Vec<SpecProblem>,
}

/// Applies the plan that a preview showed, and no other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Apply {
    pub plan_hash: PlanHash,
}

/// The plan holds no more; these rows moved since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    pub moved: Vec<MovedRow>,
    /// What somebody has applied to the campaign since the plan was made.
    #[serde(default)]
    pub newer: Option<NewerApply>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    pub error: ErrorDetail,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorDetail {
    pub code: ErrorCode,
    /// What happened, to what.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    BadRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    Conflict,
    TooLarge,
    Unprocessable,
    Internal,
}

impl ErrorCode {
    /// The HTTP status that goes with it.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::TooLarge => 413,
            Self::Unprocessable => 422,
            Self::Internal => 500,
        }
    }
}
