//! No request while GitHub asks to wait.
//!
//! The budget in the database keeps all servers below the limits. This is the last gate, in this
//! process and for this credential: going on while limited can get an integration banned.

use crate::code_host::{CodeHostError, Limit};
use axum::http::HeaderMap;
use drover::time::Timestamp;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// GitHub's least wait after a secondary limit that names none; it doubles with each in a row.
const UNNAMED_WAIT: Duration = Duration::from_secs(60);
const UNNAMED_WAIT_MAX: Duration = Duration::from_secs(60 * 60);
/// No header of an answer makes us wait longer.
const NAMED_WAIT_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// `x-ratelimit-reset` has whole seconds.
const RESET_SLACK: Duration = Duration::from_secs(1);

/// GitHub counts REST and GraphQL apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quota {
    Rest,
    GraphQl,
}

#[derive(Debug, Default)]
pub(super) struct Limits(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    rest: Option<Timestamp>,
    graphql: Option<Timestamp>,
    /// Covers both.
    secondary: Option<Timestamp>,
    /// Secondary limits without a named wait since the last success.
    unnamed: u32,
}

impl Limits {
    pub(super) fn check(&self, quota: Quota, now: Timestamp) -> Result<(), CodeHostError> {
        let state = self.lock();
        let primary = match quota {
            Quota::Rest => state.rest,
            Quota::GraphQl => state.graphql,
        };
        let waits = [(state.secondary, Limit::Secondary), (primary, Limit::Primary)];
        match waits.into_iter().find(|(until, _)| until.is_some_and(|until| until > now)) {
            Some((Some(until), limit)) => Err(CodeHostError::RateLimited { until, limit }),
            _ => Ok(()),
        }
    }

    /// An answer came through; when it was the last one of the hour, none is sent after it.
    pub(super) fn passed(&self, quota: Quota, headers: &HeaderMap, now: Timestamp) {
        let mut state = self.lock();
        state.unnamed = 0;
        if is_used_up(headers)
            && let Some(until) = reset_at(headers, now)
        {
            state.set_primary(quota, until);
        }
    }

    /// GitHub refused because of a limit: the error that says until when.
    pub(super) fn refused(
        &self,
        quota: Quota,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> CodeHostError {
        let mut state = self.lock();
        if let Some(wait) = retry_after(headers) {
            let until = now + wait;
            state.secondary = Some(until);
            return CodeHostError::RateLimited { until, limit: Limit::Secondary };
        }
        if is_used_up(headers)
            && let Some(until) = reset_at(headers, now)
        {
            state.set_primary(quota, until);
            return CodeHostError::RateLimited { until, limit: Limit::Primary };
        }
        let until = now + unnamed_wait(state.unnamed);
        state.unnamed = state.unnamed.saturating_add(1);
        state.secondary = Some(until);
        CodeHostError::RateLimited { until, limit: Limit::Secondary }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each field is written in one go, so a panic elsewhere leaves nothing half-done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn set_primary(&mut self, quota: Quota, until: Timestamp) {
        match quota {
            Quota::Rest => self.rest = Some(until),
            Quota::GraphQl => self.graphql = Some(until),
        }
    }
}

/// Whether a refusal with 403 or 429 is about a limit rather than about permissions.
pub(super) fn is_limit(status: u16, headers: &HeaderMap, message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    status == 429
        || status == 403
            && (headers.contains_key("retry-after")
                || is_used_up(headers)
                || message.contains("rate limit")
                || message.contains("abuse detection"))
}

fn unnamed_wait(before: u32) -> Duration {
    2u32.checked_pow(before)
        .and_then(|factor| UNNAMED_WAIT.checked_mul(factor))
        .map_or(UNNAMED_WAIT_MAX, |wait| wait.min(UNNAMED_WAIT_MAX))
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    Some(Duration::from_secs(number(headers, "retry-after")?).min(NAMED_WAIT_MAX))
}

fn is_used_up(headers: &HeaderMap) -> bool {
    number(headers, "x-ratelimit-remaining") == Some(0)
}

fn reset_at(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let seconds = i64::try_from(number(headers, "x-ratelimit-reset")?).ok()?;
    let reset = Timestamp(seconds.saturating_mul(1_000)) + RESET_SLACK;
    Some(reset.max(now + RESET_SLACK).min(now + NAMED_WAIT_MAX))
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderName;

    const NOW: Timestamp = Timestamp(1_000_000_000_000);

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let header = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), value.parse().unwrap())
        };
        pairs.iter().map(header).collect()
    }

    fn check(pairs: &[(&'static str, &str)], wait_secs: u64, limit: Limit) {
        let limits = Limits::default();
        let until = NOW + Duration::from_secs(wait_secs);
        let expected = CodeHostError::RateLimited { until, limit };
        assert_eq!(limits.refused(Quota::Rest, &headers(pairs), NOW), expected, "{pairs:?}");
        assert_eq!(limits.check(Quota::Rest, NOW), Err(expected), "the gate is shut");
        assert_eq!(limits.check(Quota::Rest, until), Ok(()), "and opens when it is time");
    }

    #[test]
    fn the_headers_say_how_long_to_wait() {
        let used_up = |reset| [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", reset)];
        check(&[("retry-after", "30")], 30, Limit::Secondary);
        check(&[("retry-after", "99999999999")], 86_400, Limit::Secondary);
        check(&used_up("1000000300"), 301, Limit::Primary);
        check(&used_up("0"), 1, Limit::Primary);
        check(&used_up("99999999999999999"), 86_400, Limit::Primary);
    }

    #[test]
    fn without_headers_the_wait_is_a_minute() {
        check(&[], 60, Limit::Secondary);
        check(&[("retry-after", "soon")], 60, Limit::Secondary);
        check(&[("x-ratelimit-remaining", "12")], 60, Limit::Secondary);
    }

    #[test]
    fn unnamed_waits_grow_until_a_request_comes_through() {
        let limits = Limits::default();
        let wait = || match limits.refused(Quota::Rest, &HeaderMap::new(), NOW) {
            CodeHostError::RateLimited { until, .. } => until.since(NOW).as_secs(),
            other => panic!("{other:?}"),
        };
        let waits: Vec<u64> = (0..8).map(|_| wait()).collect();
        assert_eq!(waits, [60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
        limits.passed(Quota::Rest, &HeaderMap::new(), NOW);
        assert_eq!(wait(), 60);
    }

    #[test]
    fn the_last_request_of_the_hour_shuts_its_own_gate_only() {
        let limits = Limits::default();
        let last = headers(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1000000300")]);
        limits.passed(Quota::GraphQl, &last, NOW);
        assert!(limits.check(Quota::GraphQl, NOW).is_err());
        assert_eq!(limits.check(Quota::Rest, NOW), Ok(()));
    }

    #[test]
    fn a_refusal_is_a_limit_or_a_matter_of_permissions() {
        for (status, pairs, message, expected) in [
            (429, &[][..], "", true),
            (403, &[("retry-after", "1")][..], "", true),
            (403, &[("x-ratelimit-remaining", "0")][..], "", true),
            (403, &[][..], "You have exceeded a secondary rate limit.", true),
            (403, &[][..], "You have triggered an abuse detection mechanism.", true),
            (403, &[][..], "Resource not accessible by personal access token", false),
            (404, &[("retry-after", "1")][..], "", false),
        ] {
            assert_eq!(is_limit(status, &headers(pairs), message), expected, "{status} {message}");
        }
    }
}
