//! The list of requests that were made, so that a test can say "exactly one POST /pulls".

use axum::http::Method;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The oldest are forgotten beyond this.
const REQUESTS_MAX: usize = 100_000;

/// One request and how it ended.
#[derive(Clone, Debug, Serialize)]
pub struct Exchange {
    pub method: String,
    /// Without the prefix of GitHub Enterprise Server.
    pub path: String,
    pub query: String,
    /// What the stand-in did, though a fault may have kept it from the caller; none while it is
    /// still at it.
    pub status: Option<u16>,
    pub login: Option<String>,
    pub class: Class,
    pub fault: Option<String>,
    pub at: DateTime<Utc>,
}

/// How a request counts against GitHub's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    Read,
    /// `POST`, `PATCH`, `PUT` and `DELETE`: 80 per minute and 500 per hour on GitHub.
    ContentWrite,
    GraphQl,
    GitRead,
    GitPush,
    Page,
}

impl Class {
    pub(crate) fn of(method: &Method, path: &str) -> Self {
        if path.ends_with("/git-receive-pack") {
            return Self::GitPush;
        }
        if path.ends_with("/git-upload-pack") || path.ends_with("/info/refs") {
            return Self::GitRead;
        }
        if path.ends_with("/graphql") {
            return Self::GraphQl;
        }
        if *method != Method::GET && *method != Method::HEAD {
            return Self::ContentWrite;
        }
        let first = path.split('/').nth(1).unwrap_or("");
        if API_ROOTS.contains(&first) { Self::Read } else { Self::Page }
    }
}

/// First segments of the REST API's paths.
pub(crate) const API_ROOTS: [&str; 9] =
    ["user", "users", "orgs", "repos", "repositories", "search", "rate_limit", "meta", "api"];

#[derive(Default)]
pub(crate) struct Requests(Mutex<Log>);

#[derive(Default)]
struct Log {
    exchanges: VecDeque<Exchange>,
    /// How many were forgotten, so that the others keep their places.
    forgotten: u64,
}

/// Where an exchange stands in the log.
#[derive(Clone, Copy)]
pub(crate) struct Place(u64);

impl Requests {
    /// Writes a request down as it comes in.
    pub(crate) fn begin(&self, exchange: Exchange) -> Place {
        let mut log = self.lock();
        if log.exchanges.len() >= REQUESTS_MAX {
            log.exchanges.pop_front();
            log.forgotten += 1;
        }
        let place = Place(log.forgotten + log.exchanges.len() as u64);
        log.exchanges.push_back(exchange);
        place
    }

    /// Writes down how it ended, unless it was forgotten by then.
    pub(crate) fn end(&self, place: Place, status: u16) {
        let mut log = self.lock();
        let index = place.0.checked_sub(log.forgotten).and_then(|it| usize::try_from(it).ok());
        if let Some(exchange) = index.and_then(|index| log.exchanges.get_mut(index)) {
            exchange.status = Some(status);
        }
    }

    pub(crate) fn list(&self) -> Vec<Exchange> {
        self.lock().exchanges.iter().cloned().collect()
    }

    pub(crate) fn counts(&self) -> BTreeMap<Class, u64> {
        let mut counts = BTreeMap::new();
        for exchange in &self.lock().exchanges {
            *counts.entry(exchange.class).or_default() += 1;
        }
        counts
    }

    pub(crate) fn clear(&self) {
        let mut log = self.lock();
        log.forgotten += log.exchanges.len() as u64;
        log.exchanges.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_classed_by_what_they_cost_on_github() {
        let check = |method, path, expected| assert_eq!(Class::of(&method, path), expected);
        check(Method::GET, "/repos/a/b", Class::Read);
        check(Method::POST, "/repos/a/b/pulls", Class::ContentWrite);
        check(Method::POST, "/graphql", Class::GraphQl);
        check(Method::GET, "/a/b.git/info/refs", Class::GitRead);
        check(Method::POST, "/a/b.git/git-receive-pack", Class::GitPush);
        check(Method::GET, "/a/b/pull/1", Class::Page);
    }
}
