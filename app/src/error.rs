//! The one error that crosses the wire.

use drover::{
    campaign::spec::SpecProblem,
    view::preview::{MovedRow, NewerApply},
    viewer::Denied,
};
use serde::{Deserialize, Serialize};
use server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
pub enum ApiError {
    #[error("you must sign in first")]
    SignedOut,
    #[error(transparent)]
    Denied(#[from] Denied),
    /// There is no such thing, or the viewer may not know of it.
    #[error("there is no {what}")]
    NotFound { what: String },
    #[error("the spec has {} problems", problems.len())]
    Spec { problems: Vec<SpecProblem> },
    /// The plan that was applied holds no more; these rows moved.
    #[error("the plan has changed since it was shown; look at the new one")]
    PlanMoved { moved: Vec<MovedRow>, newer: Option<NewerApply> },
    /// The request was understood and refused: why, and what to do.
    #[error("{message}")]
    Refused { message: String },
    /// The log has the details under this reference.
    #[error("Drover failed to do this; its log says why under the reference {reference}")]
    Internal { reference: String },
    #[error("the server could not be reached: {message}")]
    Transport { message: String },
}

impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        Self::Transport { message: error.to_string() }
    }
}
