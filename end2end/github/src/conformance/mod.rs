//! Holds every exchange of the REST API against GitHub's OpenAPI description, and keeps a list of
//! what did not hold.
//!
//! A stand-in that drifts from GitHub makes tests that prove nothing; so the server's tests look
//! at this list, too. Requests are judged only when they were accepted: a test may well send what
//! GitHub refuses.

mod spec;

pub use spec::SpecError;

use crate::{call::ENTERPRISE_PREFIX, clock::now, github::Github, requests::API_ROOTS};
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{StatusCode, header, request, response},
    middleware::Next,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use spec::{Exchange, Spec};
use std::{
    borrow::Cow,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// Bodies above this are passed on without being judged by anybody else.
const BODY_BYTES_MAX: usize = 64 << 20;
/// One violation repeated for ever must not fill the memory.
const VIOLATIONS_MAX: usize = 1_000;
/// Where npm puts the description below its `node_modules`.
const IN_NODE_MODULES: &str = "node_modules/@octokit/openapi/generated/api.github.com.json";

/// What does not hold, and where.
#[derive(Clone, Debug, Serialize)]
pub struct Violation {
    pub method: String,
    pub path: String,
    pub status: u16,
    pub problem: String,
    pub at: DateTime<Utc>,
}

pub(crate) struct Judge {
    spec: Arc<Spec>,
    violations: Mutex<Vec<Violation>>,
}

impl Judge {
    pub(crate) fn load(path: &Path) -> Result<Self, SpecError> {
        Ok(Self { spec: Spec::load(path)?, violations: Mutex::default() })
    }

    pub(crate) fn violations(&self) -> Vec<Violation> {
        self.violations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn hold(&self, exchange: &Exchange<'_>) {
        let problems = self.spec.problems(exchange);
        let mut violations = self.violations.lock().unwrap_or_else(PoisonError::into_inner);
        for problem in problems {
            if violations.len() < VIOLATIONS_MAX {
                violations.push(Violation {
                    method: exchange.method.to_owned(),
                    path: exchange.path.to_owned(),
                    status: exchange.status,
                    problem,
                    at: now(),
                });
            }
        }
    }
}

impl crate::Config {
    /// A stand-in for tests that holds every exchange against the description that the project's
    /// set-up installed with npm, found from this crate's directory upwards.
    #[must_use]
    pub fn conforming() -> Self {
        Self { openapi: Some(find_description()), ..Self::default() }
    }
}

/// The nearest one; without any, the place where it should be, for the error to name.
fn find_description() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let candidates = || here.ancestors().map(|dir| dir.join(IN_NODE_MODULES));
    candidates()
        .find(|path| path.is_file())
        .unwrap_or_else(|| here.ancestors().nth(2).unwrap_or(here).join(IN_NODE_MODULES))
}

/// The layer: reads both bodies, judges them, and passes them on.
pub(crate) async fn judge(
    State(github): State<Arc<Github>>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let first = path.split('/').nth(1).unwrap_or_default();
    let is_api = API_ROOTS.contains(&first) && !path.ends_with("/graphql");
    let Some(judge) = github.conformance.as_ref().filter(|_| is_api) else {
        return next.run(request).await;
    };
    let (asked, body) = request.into_parts();
    let Ok(sent) = to_bytes(body, BODY_BYTES_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let again = Request::from_parts(asked.clone(), Body::from(sent.clone()));
    let (answered, body) = next.run(again).await.into_parts();
    let Ok(received) = to_bytes(body, BODY_BYTES_MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    hold(judge, &asked, &sent, &answered, &received);
    Response::from_parts(answered, Body::from(received))
}

/// The description knows repositories by their names only; every one answers below its number.
fn by_name(path: &str) -> Cow<'_, str> {
    let Some(rest) = path.strip_prefix("/repositories/") else { return Cow::Borrowed(path) };
    let (id, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let slash = if rest.is_empty() { "" } else { "/" };
    Cow::Owned(format!("/repos/id/{id}{slash}{rest}"))
}

fn hold(
    judge: &Judge,
    asked: &request::Parts,
    sent: &Bytes,
    answered: &response::Parts,
    received: &Bytes,
) {
    let path = asked.uri.path();
    let path = by_name(path.strip_prefix(ENTERPRISE_PREFIX).unwrap_or(path));
    let is_json = answered
        .headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    // What other media types give has no schema, or another one than the rest.
    let given = answered.headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let is_other = given.is_some_and(|kind| kind.starts_with("application/vnd.github"));
    let wanted = asked.headers.get(header::ACCEPT).and_then(|it| it.to_str().ok());
    let is_object = wanted.is_some_and(|accept| accept.contains("github.object"));
    if (is_other || is_object) && answered.status.is_success() {
        return;
    }
    judge.hold(&Exchange {
        method: asked.method.as_str(),
        path: &path,
        query: asked.uri.query().unwrap_or_default(),
        status: answered.status.as_u16(),
        sent: serde_json::from_slice::<Value>(sent).ok(),
        received: if is_json { serde_json::from_slice(received).ok() } else { None },
    });
}
