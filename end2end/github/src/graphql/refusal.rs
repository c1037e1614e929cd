//! Why a field has no value, with GitHub's `type` beside the message.

use crate::error::ApiError;
use apollo_compiler::resolvers::{AsyncObjectValue, AsyncResolvedValue, FieldError, ResolveInfo};
use futures::future::BoxFuture;

/// Stands around type and message while the engine carries both in a text of its own.
const SEPARATOR: char = '\u{1f}';

#[derive(Clone, Debug)]
pub(super) struct Refusal {
    kind: Kind,
    message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    NotFound,
    Forbidden,
    Unprocessable,
    MissingPaginationBoundaries,
    ExcessivePagination,
    Internal,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::NotFound,
        Self::Forbidden,
        Self::Unprocessable,
        Self::MissingPaginationBoundaries,
        Self::ExcessivePagination,
        Self::Internal,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::Forbidden => "FORBIDDEN",
            Self::Unprocessable => "UNPROCESSABLE",
            Self::MissingPaginationBoundaries => "MISSING_PAGINATION_BOUNDARIES",
            Self::ExcessivePagination => "EXCESSIVE_PAGINATION",
            Self::Internal => "INTERNAL",
        }
    }
}

impl Refusal {
    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(super) fn no_node(id: &str) -> Self {
        let text = format!("Could not resolve to a node with the global id of '{id}'");
        Self::new(Kind::NotFound, text)
    }

    pub(super) fn no_repository(owner: &str, name: &str) -> Self {
        let text = format!("Could not resolve to a Repository with the name '{owner}/{name}'.");
        Self::new(Kind::NotFound, text)
    }

    pub(super) fn no_pull(number: i64) -> Self {
        let text = format!("Could not resolve to a PullRequest with the number of {number}.");
        Self::new(Kind::NotFound, text)
    }

    pub(super) fn no_account(kind: &str, login: &str) -> Self {
        let text = format!("Could not resolve to a {kind} with the login of '{login}'.");
        Self::new(Kind::NotFound, text)
    }

    pub(super) fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(Kind::Unprocessable, message)
    }

    pub(super) fn no_bounds(connection: &str) -> Self {
        let text = format!(
            "You must provide a `first` or `last` value to properly paginate the `{connection}` \
             connection."
        );
        Self::new(Kind::MissingPaginationBoundaries, text)
    }

    pub(super) fn too_many(connection: &str, argument: &str, count: i64, max: i64) -> Self {
        let text = format!(
            "Requesting {count} records on the `{connection}` connection exceeds the `{argument}` \
             limit of {max} records."
        );
        Self::new(Kind::ExcessivePagination, text)
    }

    pub(super) fn negative(connection: &str, argument: &str) -> Self {
        let text = format!("`{argument}` on the `{connection}` connection must be at least 0.");
        Self::new(Kind::ExcessivePagination, text)
    }

    /// GitHub's `type` and the message, out of the one text that the engine carried.
    pub(super) fn parts(text: &str) -> Option<(&'static str, &str)> {
        let mut parts = text.split(SEPARATOR).skip(1);
        let (word, message) = (parts.next()?, parts.next()?);
        let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word)?;
        Some((kind.word(), message))
    }

    fn text(&self) -> String {
        format!("{SEPARATOR}{}{SEPARATOR}{}{SEPARATOR}", self.kind.word(), self.message)
    }
}

/// An item of a list that has no value. The engine gives up a whole list for an item that is an
/// error, but only the item for an object of a type that there is not.
pub(super) struct Refused(String);

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(refusal.text())
    }
}

impl AsyncObjectValue for Refused {
    fn type_name(&self) -> &str {
        &self.0
    }

    fn resolve_field<'a>(
        &'a self,
        info: &'a ResolveInfo<'a>,
    ) -> BoxFuture<'a, Result<AsyncResolvedValue<'a>, FieldError>> {
        Box::pin(async { Err(self.unknown_field_error(info)) })
    }
}

impl From<Refusal> for FieldError {
    fn from(refusal: Refusal) -> Self {
        Self { message: refusal.text() }
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        let status = error.status();
        let kind = match status.as_u16() {
            401 | 403 => Kind::Forbidden,
            404 => Kind::NotFound,
            500.. => Kind::Internal,
            _ => Kind::Unprocessable,
        };
        if status.is_server_error() {
            tracing::error!(error = ?error, "the stand-in failed");
        }
        let message = match error {
            ApiError::Invalid(field) => {
                field.message.unwrap_or_else(|| format!("{} is {}", field.resource, field.code))
            }
            other => other.to_string(),
        };
        Self::new(kind, message)
    }
}

impl From<crate::git::GitError> for Refusal {
    fn from(error: crate::git::GitError) -> Self {
        ApiError::from(error).into()
    }
}
