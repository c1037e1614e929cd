//! What GitHub answers when it refuses, with its shapes and its words.

use crate::{git::GitError, state::StoreError};
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

const DOCUMENTATION_URL: &str = "https://docs.github.com/rest";

#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("Bad credentials")]
    BadCredentials,
    #[error("Requires authentication")]
    SignInFirst,
    #[error("Not Found")]
    NotFound,
    #[error("Branch not found")]
    BranchNotFound,
    #[error("{0}")]
    Missing(String),
    /// The repository has another name now.
    #[error("Moved Permanently")]
    Moved(Moved),
    #[error("Resource not accessible by personal access token")]
    MayNot,
    #[error("Repository was archived so is read-only.")]
    Archived,
    #[error("Problems parsing JSON")]
    BadJson,
    #[error("A query attribute must be specified and must be a string.")]
    NoQuery,
    #[error("Invalid request.\n\n{0}")]
    BadInput(String),
    #[error("Validation Failed")]
    Invalid(FieldError),
    #[error("{0}")]
    Unprocessable(String),
    #[error("{0}")]
    NotMergeable(String),
    #[error("{0}")]
    Conflict(String),
    #[error("The request body is larger than {0} bytes")]
    TooLarge(usize),
    #[error("the stand-in's own git failed")]
    Git(#[source] GitError),
    #[error("the stand-in's own store failed")]
    Store(#[from] StoreError),
}

/// Where a repository is now, by an address that the next rename leaves as it is.
#[derive(Clone, Debug)]
pub(crate) struct Moved {
    pub(crate) url: String,
    /// 301 for reads, and 307 for what must be sent again as it was.
    pub(crate) status: StatusCode,
}

/// One entry of `errors` in a 422.
#[derive(Clone, Debug)]
pub(crate) struct FieldError {
    pub(crate) resource: &'static str,
    pub(crate) field: Option<&'static str>,
    pub(crate) code: &'static str,
    pub(crate) message: Option<String>,
}

impl ApiError {
    pub(crate) fn missing(resource: &'static str, field: &'static str) -> Self {
        let code = "missing_field";
        Self::Invalid(FieldError { resource, field: Some(field), code, message: None })
    }

    pub(crate) fn invalid(resource: &'static str, field: &'static str) -> Self {
        let code = "invalid";
        Self::Invalid(FieldError { resource, field: Some(field), code, message: None })
    }

    /// A field without which GitHub does not even begin.
    pub(crate) fn not_supplied(field: &str) -> Self {
        Self::BadInput(format!("\"{field}\" wasn't supplied."))
    }

    /// A field whose value is refused with a reason.
    pub(crate) fn rejected(resource: &'static str, field: &'static str, message: String) -> Self {
        let (field, message) = (Some(field), Some(message));
        Self::Invalid(FieldError { resource, field, code: "invalid", message })
    }

    pub(crate) fn custom(resource: &'static str, message: impl Into<String>) -> Self {
        let message = Some(message.into());
        Self::Invalid(FieldError { resource, field: None, code: "custom", message })
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::BadCredentials | Self::SignInFirst => StatusCode::UNAUTHORIZED,
            Self::NotFound | Self::BranchNotFound | Self::Missing(_) => StatusCode::NOT_FOUND,
            Self::Moved(Moved { status, .. }) => *status,
            Self::MayNot | Self::Archived => StatusCode::FORBIDDEN,
            Self::BadJson | Self::NoQuery => StatusCode::BAD_REQUEST,
            Self::BadInput(_) | Self::Invalid(_) | Self::Unprocessable(_) => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::NotMergeable(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Git(_) | Self::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<GitError> for ApiError {
    fn from(error: GitError) -> Self {
        match error {
            GitError::Nul => Self::BadInput(error.to_string()),
            GitError::Start { .. }
            | GitError::Failed { .. }
            | GitError::TooSlow { .. }
            | GitError::TooMuch { .. }
            | GitError::Odd { .. } => Self::Git(error),
        }
    }
}

impl From<FieldError> for Value {
    fn from(error: FieldError) -> Self {
        let FieldError { resource, field, code, message } = error;
        let mut value = json!({ "resource": resource, "code": code });
        if let Some(field) = field {
            value["field"] = json!(field);
        }
        if let Some(message) = message {
            value["message"] = json!(message);
        }
        value
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        if status.is_server_error() {
            tracing::error!(error = ?self, "the stand-in failed");
        }
        let mut body = message_body(status, &self.to_string());
        let mut location = None;
        match self {
            Self::Invalid(error) => body["errors"] = json!([Value::from(error)]),
            Self::Moved(Moved { url, .. }) => {
                location = HeaderValue::from_str(&url).ok();
                body = json!({
                    "message": "Moved Permanently",
                    "url": url,
                    "documentation_url": "https://docs.github.com/v3/#http-redirects",
                });
            }
            Self::BadCredentials
            | Self::SignInFirst
            | Self::NotFound
            | Self::BranchNotFound
            | Self::Missing(_)
            | Self::MayNot
            | Self::Archived
            | Self::BadJson
            | Self::NoQuery
            | Self::BadInput(_)
            | Self::Unprocessable(_)
            | Self::NotMergeable(_)
            | Self::Conflict(_)
            | Self::TooLarge(_)
            | Self::Git(_)
            | Self::Store(_) => (),
        }
        let mut response = (status, Json(body)).into_response();
        if let Some(location) = location {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }
}

/// GitHub's plain error body.
pub(crate) fn message_body(status: StatusCode, message: &str) -> Value {
    json!({
        "message": message,
        "documentation_url": DOCUMENTATION_URL,
        "status": status.as_u16().to_string(),
    })
}

/// Git asks for credentials only when it is challenged.
pub(crate) fn challenge(message: &'static str) -> Response {
    let realm = HeaderValue::from_static("Basic realm=\"GitHub\"");
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, realm)], message).into_response()
}
