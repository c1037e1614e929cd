//! The other bodies that GitHub gives at an address when `Accept` asks for them:
//! `application/vnd.github.diff` and its like.

use crate::{error::ApiError, github::Github};
use axum::{
    Json,
    extract::FromRequestParts,
    http::{header, request::Parts},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use std::{convert::Infallible, sync::Arc};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    Json,
    Diff,
    Patch,
    Raw,
    Sha,
    /// A directory as an object instead of a list.
    Object,
}

impl Media {
    fn of(accept: &str) -> Self {
        accept.split(',').find_map(Self::of_type).unwrap_or(Self::Json)
    }

    /// With or without a version, `+json` and parameters: `application/vnd.github.v3.raw+json`.
    fn of_type(text: &str) -> Option<Self> {
        let name = text.split(';').next().unwrap_or_default().trim();
        let name = name.strip_prefix("application/vnd.github")?;
        let name = name.strip_suffix("+json").unwrap_or(name);
        match name.rsplit('.').next()? {
            "diff" => Some(Self::Diff),
            "patch" => Some(Self::Patch),
            "raw" => Some(Self::Raw),
            "sha" => Some(Self::Sha),
            "object" => Some(Self::Object),
            _ => None,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Diff => "diff",
            Self::Patch => "patch",
            Self::Raw => "raw",
            Self::Sha => "sha",
            Self::Object => "object",
        }
    }

    /// An answer that is no JSON.
    pub(super) fn answer(self, body: impl Into<Vec<u8>>) -> Response {
        let kind = format!("application/vnd.github.v3.{}; charset=utf-8", self.word());
        ([(header::CONTENT_TYPE, kind)], body.into()).into_response()
    }

    pub(super) fn json(body: Value) -> Result<Response, ApiError> {
        Ok(Json(body).into_response())
    }
}

impl FromRequestParts<Arc<Github>> for Media {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Github>) -> Result<Self, Infallible> {
        let accept = parts.headers.get(header::ACCEPT).and_then(|it| it.to_str().ok());
        Ok(accept.map_or(Self::Json, Self::of))
    }
}

#[cfg(test)]
mod tests {
    use super::Media;

    #[test]
    fn a_media_type_is_found_with_and_without_its_version() {
        let check = |accept, expected| assert_eq!(Media::of(accept), expected, "{accept}");
        check("application/vnd.github.diff", Media::Diff);
        check("application/vnd.github.v3.patch", Media::Patch);
        check("application/vnd.github.v3.raw+json", Media::Raw);
        check("application/vnd.github.sha; charset=utf-8", Media::Sha);
        check("text/html, application/vnd.github.object", Media::Object);
        check("application/vnd.github.v3+json", Media::Json);
        check("application/vnd.github+json", Media::Json);
        check("*/*", Media::Json);
        check("application/json.diff", Media::Json);
    }
}
