//! What can go wrong with a code host, classified by what is to be done about it.

use drover::time::Timestamp;

/// Messages are the vendor's own words for people, with secrets taken out; no code reads them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeHostError {
    /// It is not there, or the token may not see it: code hosts do not tell which.
    #[error("the code host has no {what}, or the token may not see it")]
    NotFound { what: String },
    #[error(
        "the code host does not accept the token ({message}): it is unknown, expired or revoked; store a new one"
    )]
    Unauthorized { message: String },
    #[error("the token may not do this: {message}{}", hint(missing.as_deref()))]
    Forbidden {
        message: String,
        /// The scopes or permissions that would do, where the code host names them.
        missing: Option<String>,
    },
    #[error("the code host refused: {message}")]
    Rejected { reason: Rejection, message: String },
    #[error("the code host asks to wait ({limit} limit)")]
    RateLimited { until: Timestamp, limit: Limit },
    /// Nothing was changed; the same can be tried again.
    #[error("the code host cannot be reached or does not answer as it should: {message}")]
    Unavailable { message: String },
    /// A write was sent and its answer was lost: it may or may not have been done.
    #[error("the answer to a write was lost: {message}")]
    UnknownOutcome { message: String },
}

/// Why a write was understood and refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// There is an open pull request from this branch to this base.
    AlreadyExists,
    /// The branch holds nothing that the base does not have.
    NoCommits,
    /// The repository is archived.
    ReadOnly,
    /// The repository cannot have drafts.
    DraftsUnsupported,
    /// Something else in what was sent, or in the state that it met.
    Validation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The quota of the hour is used up.
    Primary,
    /// Too much in too short a time.
    Secondary,
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
        })
    }
}

fn hint(missing: Option<&str>) -> String {
    missing.map_or_else(String::new, |missing| format!("; it needs {missing}"))
}
