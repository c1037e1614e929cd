//! What the status of an answer means.

use super::limits::{Limits, Quota, is_limit};
use crate::{
    code_host::{CodeHostError, Rejection},
    secret::redact::redact,
};
use axum::{body::Bytes, http::HeaderMap};
use drover::time::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};

/// Whether a request changes something: only then a lost answer leaves a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Read,
    Write,
}

impl Effect {
    /// The error for an answer that was lost or cannot be read.
    pub(super) fn lost(self, message: &str) -> CodeHostError {
        let message = redact(message);
        match self {
            Self::Read => CodeHostError::Unavailable { message },
            Self::Write => CodeHostError::UnknownOutcome { message },
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) effect: Effect,
}

impl Answer {
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, CodeHostError> {
        serde_json::from_slice(&self.body)
            .map_err(|error| self.effect.lost(&format!("the answer cannot be read: {error}")))
    }

    /// The number of the next page, from the `Link` header.
    pub(super) fn next_page(&self) -> Option<u32> {
        let link = self.headers.get("link")?.to_str().ok()?;
        let next = link.split(',').find(|one| one.contains("rel=\"next\""))?;
        let (_, rest) = next.split_once('<')?;
        let (url, _) = rest.split_once('>')?;
        let (_, query) = url.split_once('?')?;
        query.split('&').find_map(|pair| pair.strip_prefix("page=")?.parse().ok())
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Passes a success on, and says what any other status means. `what` names the thing that
    /// was asked for.
    pub(super) fn check(
        self,
        what: &str,
        quota: Quota,
        limits: &Limits,
        now: Timestamp,
    ) -> Result<Self, CodeHostError> {
        if (200..300).contains(&self.status) {
            limits.passed(quota, &self.headers, now);
            return Ok(self);
        }
        let message = self.message();
        if is_limit(self.status, &self.headers, &message) {
            return Err(limits.refused(quota, &self.headers, now));
        }
        Err(match self.status {
            401 => CodeHostError::Unauthorized { message },
            403 if message.contains("archived") => rejected(Rejection::ReadOnly, message),
            403 | 451 => CodeHostError::Forbidden { missing: self.missing_scope(), message },
            404 | 410 => CodeHostError::NotFound { what: what.to_owned() },
            405 | 409 | 415 | 422 => rejected(rejection(&message), message),
            // A timeout of GitHub's own front; the request may be under way behind it.
            408 => self.effect.lost(&message),
            400..500 => rejected(Rejection::Validation, message),
            status => self.effect.lost(&format!("status {status}: {message}")),
        })
    }

    /// GitHub's words, with the details of a validation error.
    fn message(&self) -> String {
        let text = match serde_json::from_slice::<ErrorJson>(&self.body) {
            Ok(ErrorJson { message, errors }) => {
                let details: Vec<String> = errors.iter().filter_map(detail).collect();
                match details.is_empty() {
                    true => message,
                    false => format!("{message}: {}", details.join("; ")),
                }
            }
            Err(_) => String::from_utf8_lossy(&self.body).into_owned(),
        };
        if text.trim().is_empty() { format!("status {}", self.status) } else { redact(&text) }
    }

    fn missing_scope(&self) -> Option<String> {
        let scopes = self.header("x-accepted-oauth-scopes").filter(|text| !text.is_empty());
        let permissions = self.header("x-accepted-github-permissions");
        match (scopes, permissions) {
            (Some(scopes), _) => Some(format!("the scope {}", redact(scopes))),
            (None, Some(permissions)) => Some(format!("the permission {}", redact(permissions))),
            (None, None) => None,
        }
    }
}

#[derive(Deserialize)]
struct ErrorJson {
    message: String,
    #[serde(default)]
    errors: Vec<serde_json::Value>,
}

/// An error is a text, or an object with a message or with the field that is wrong.
fn detail(error: &serde_json::Value) -> Option<String> {
    let text = |key: &str| error.get(key).and_then(|value| value.as_str());
    match (error.as_str(), text("message"), text("field"), text("code")) {
        (Some(text), ..) | (None, Some(text), ..) => Some(text.to_owned()),
        (None, None, Some(field), Some(code)) => Some(format!("{field} is {code}")),
        _ => None,
    }
}

fn rejected(reason: Rejection, message: String) -> CodeHostError {
    CodeHostError::Rejected { reason, message }
}

fn rejection(message: &str) -> Rejection {
    let message = message.to_ascii_lowercase();
    let says = |part: &str| message.contains(part);
    if says("pull request already exists") {
        Rejection::AlreadyExists
    } else if says("no commits between") {
        Rejection::NoCommits
    } else if says("draft pull requests are not supported") {
        Rejection::DraftsUnsupported
    } else if says("archived") {
        Rejection::ReadOnly
    } else {
        Rejection::Validation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str, effect: Effect) -> Answer {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        Answer { status, headers, body: Bytes::from(body.to_owned()), effect }
    }

    fn error(status: u16, body: &str, effect: Effect) -> CodeHostError {
        answer(status, &[], body, effect)
            .check("pull request", Quota::Rest, &Limits::default(), Timestamp(0))
            .unwrap_err()
    }

    fn check(status: u16, body: &str, read: &CodeHostError, write: &CodeHostError) {
        assert_eq!(error(status, body, Effect::Read), *read, "read, {status} {body}");
        assert_eq!(error(status, body, Effect::Write), *write, "write, {status} {body}");
    }

    #[test]
    fn a_lost_answer_leaves_a_question_only_after_a_write() {
        for (status, body, message) in [
            (500, "", "status 500: status 500"),
            (502, "<html>", "status 502: <html>"),
            (503, r#"{"message":"Unicorn!"}"#, "status 503: Unicorn!"),
            (408, "", "status 408"),
            (302, "", "status 302: status 302"),
        ] {
            let message = message.to_owned();
            check(
                status,
                body,
                &CodeHostError::Unavailable { message: message.clone() },
                &CodeHostError::UnknownOutcome { message },
            );
        }
    }

    #[test]
    fn refusals_say_that_nothing_was_done() {
        let message = |text: &str| text.to_owned();
        for (status, body, expected) in [
            (
                401,
                r#"{"message":"Bad credentials"}"#,
                CodeHostError::Unauthorized { message: message("Bad credentials") },
            ),
            (
                403,
                r#"{"message":"Resource not accessible by integration"}"#,
                CodeHostError::Forbidden {
                    message: message("Resource not accessible by integration"),
                    missing: None,
                },
            ),
            (
                403,
                r#"{"message":"Repository was archived so is read-only."}"#,
                rejected(Rejection::ReadOnly, message("Repository was archived so is read-only.")),
            ),
            (404, "{}", CodeHostError::NotFound { what: message("pull request") }),
            (410, "", CodeHostError::NotFound { what: message("pull request") }),
        ] {
            check(status, body, &expected, &expected);
        }
    }

    #[test]
    fn validation_errors_are_told_apart() {
        for (body, expected, words) in [
            (
                r#"{"message":"Validation Failed","errors":[{"resource":"PullRequest","code":"custom","message":"A pull request already exists for acme:x."}]}"#,
                Rejection::AlreadyExists,
                "Validation Failed: A pull request already exists for acme:x.",
            ),
            (
                r#"{"message":"Validation Failed","errors":[{"message":"No commits between main and x"}]}"#,
                Rejection::NoCommits,
                "Validation Failed: No commits between main and x",
            ),
            (
                r#"{"message":"Draft pull requests are not supported in this repository."}"#,
                Rejection::DraftsUnsupported,
                "Draft pull requests are not supported in this repository.",
            ),
            (
                r#"{"message":"Validation Failed","errors":[{"resource":"PullRequest","field":"base","code":"invalid"}]}"#,
                Rejection::Validation,
                "Validation Failed: base is invalid",
            ),
            (
                r#"{"message":"Validation Failed","errors":["state cannot be changed"]}"#,
                Rejection::Validation,
                "Validation Failed: state cannot be changed",
            ),
        ] {
            let expected = rejected(expected, words.to_owned());
            check(422, body, &expected, &expected);
        }
    }

    #[test]
    fn a_missing_scope_is_named() {
        let refused = answer(
            403,
            &[("x-accepted-oauth-scopes", "repo")],
            r#"{"message":"Must have admin rights"}"#,
            Effect::Write,
        );
        let error =
            refused.check("repository", Quota::Rest, &Limits::default(), Timestamp(0)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the token may not do this: Must have admin rights; it needs the scope repo"
        );
    }

    #[test]
    fn words_of_the_code_host_carry_no_token() {
        let token = format!("ghp_{}", "a".repeat(36));
        let body = format!(r#"{{"message":"Bad credentials: {token}"}}"#);
        for status in [401, 403, 422, 500] {
            let error = error(status, &body, Effect::Write).to_string();
            assert!(!error.contains(&token), "{error}");
        }
    }

    #[test]
    fn the_next_page_is_read_from_the_link_header() {
        let link = r#"<https://api.github.com/orgs/a/repos?page=1>; rel="prev", <https://api.github.com/orgs/a/repos?per_page=100&page=3>; rel="next""#;
        assert_eq!(answer(200, &[("link", link)], "", Effect::Read).next_page(), Some(3));
        let last = r#"<https://api.github.com/orgs/a/repos?page=1>; rel="prev""#;
        assert_eq!(answer(200, &[("link", last)], "", Effect::Read).next_page(), None);
        assert_eq!(answer(200, &[], "", Effect::Read).next_page(), None);
    }
}
