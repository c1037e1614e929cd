//! Counts requests per identity and resource for the `x-ratelimit-*` headers.
//!
//! It refuses only when it is told to: to hold a limit of its own for a resource, or to be strict,
//! as GitHub is. Otherwise a test that wants a limit asks for one by a fault. Requests of git cost
//! nothing: GitHub counts them apart from its API.

use crate::requests::Class;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
};

/// GitHub's secondary limits for one identity.
const WRITES_PER_MINUTE: usize = 80;
const WRITES_PER_HOUR: usize = 500;
const POINTS_PER_MINUTE: u64 = 900;
const WRITE_POINTS: u64 = 5;
/// GitHub asks to wait so long after a secondary limit.
const RETRY_AFTER_SECS: u64 = 60;
/// More identities than anybody has; all are forgotten beyond this.
const IDENTITIES_MAX: usize = 10_000;

/// What GitHub counts by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    Core,
    Search,
    CodeSearch,
    Graphql,
}

/// Whether GitHub's limits are held or only told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strictness {
    #[default]
    Lenient,
    Strict,
}

/// A limit of one resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limit {
    requests: u64,
    window: TimeDelta,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quota {
    pub(crate) resource: Resource,
    pub(crate) limit: u64,
    pub(crate) used: u64,
    pub(crate) reset_at: DateTime<Utc>,
}

/// Whether a request may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Granted,
    UsedUp(Quota),
    TooFast { retry_after_secs: u64 },
}

#[derive(Default)]
pub(crate) struct Quotas(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    strictness: Strictness,
    /// Limits that were asked for.
    limits: BTreeMap<Resource, Limit>,
    used: BTreeMap<(String, Resource), Quota>,
    /// The requests of each identity in the last hour, oldest first; kept when strict.
    recent: BTreeMap<String, VecDeque<Recent>>,
}

#[derive(Clone, Copy)]
struct Recent {
    at: DateTime<Utc>,
    points: u64,
    is_write: bool,
}

impl Resource {
    /// What a request is counted for; git and pages for nothing.
    pub(crate) fn of(class: Class, path: &str) -> Option<Self> {
        match class {
            Class::Read if path == "/rate_limit" => None,
            Class::Read if path.starts_with("/search/code") => Some(Self::CodeSearch),
            Class::Read if path.starts_with("/search/") => Some(Self::Search),
            Class::Read | Class::ContentWrite => Some(Self::Core),
            Class::GraphQl => Some(Self::Graphql),
            Class::GitRead | Class::GitPush | Class::Page => None,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Search => "search",
            Self::CodeSearch => "code_search",
            Self::Graphql => "graphql",
        }
    }

    /// What GitHub gives a user.
    fn limit(self) -> Limit {
        match self {
            Self::Core | Self::Graphql => Limit { requests: 5_000, window: TimeDelta::hours(1) },
            Self::Search => Limit { requests: 30, window: TimeDelta::minutes(1) },
            Self::CodeSearch => Limit { requests: 10, window: TimeDelta::minutes(1) },
        }
    }
}

impl Quota {
    pub(crate) fn remaining(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}

impl Quotas {
    /// Counts one request; when its window has passed, the count begins anew.
    pub(crate) fn count(&self, who: &str, resource: Resource, now: DateTime<Utc>) -> Quota {
        self.change(|counts| counts.change(who, resource, now, 1))
    }

    /// A 304 costs nothing.
    pub(crate) fn look(&self, who: &str, resource: Resource, now: DateTime<Utc>) -> Quota {
        self.change(|counts| counts.change(who, resource, now, 0))
    }

    pub(crate) fn admit(
        &self,
        who: &str,
        class: Class,
        resource: Resource,
        now: DateTime<Utc>,
    ) -> Admission {
        self.change(|counts| {
            let quota = counts.change(who, resource, now, 0);
            let is_strict = counts.strictness == Strictness::Strict;
            let is_held = is_strict || counts.limits.contains_key(&resource);
            if is_held && quota.remaining() == 0 {
                return Admission::UsedUp(quota);
            }
            if is_strict { counts.pace(who, class, now) } else { Admission::Granted }
        })
    }

    /// Holds another limit for everybody, beginning now.
    pub(crate) fn limit(&self, resource: Resource, requests: u64, window: TimeDelta) {
        self.change(|counts| {
            counts.limits.insert(resource, Limit { requests, window });
            counts.used.retain(|(_, counted), _| *counted != resource);
        });
    }

    pub(crate) fn be(&self, strictness: Strictness) {
        self.change(|counts| {
            counts.strictness = strictness;
            counts.recent.clear();
        });
    }

    /// Back to GitHub's own limits, told and not held, with nothing counted.
    pub(crate) fn clear(&self) {
        self.change(|counts| *counts = Counts::default());
    }

    fn change<T>(&self, change: impl FnOnce(&mut Counts) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Counts {
    fn change(&mut self, who: &str, resource: Resource, now: DateTime<Utc>, cost: u64) -> Quota {
        let Limit { requests: limit, window } =
            self.limits.get(&resource).copied().unwrap_or_else(|| resource.limit());
        let fresh = Quota { resource, limit, used: 0, reset_at: now + window };
        if self.used.len() >= IDENTITIES_MAX {
            self.used.clear();
        }
        let quota = self.used.entry((who.to_owned(), resource)).or_insert(fresh);
        if quota.reset_at <= now {
            *quota = fresh;
        }
        quota.used += cost;
        *quota
    }

    /// Holds the secondary limits, and counts what they let pass.
    fn pace(&mut self, who: &str, class: Class, now: DateTime<Utc>) -> Admission {
        if self.recent.len() >= IDENTITIES_MAX {
            self.recent.clear();
        }
        let recent = self.recent.entry(who.to_owned()).or_default();
        while recent.front().is_some_and(|it| it.at + TimeDelta::hours(1) <= now) {
            recent.pop_front();
        }
        let is_write = class == Class::ContentWrite;
        let points = if is_write { WRITE_POINTS } else { 1 };
        let minute = || recent.iter().filter(|it| it.at + TimeDelta::minutes(1) > now);
        let is_too_fast = is_write
            && (minute().filter(|it| it.is_write).count() >= WRITES_PER_MINUTE
                || recent.iter().filter(|it| it.is_write).count() >= WRITES_PER_HOUR);
        let spent: u64 = minute().map(|it| it.points).sum();
        if is_too_fast || spent + points > POINTS_PER_MINUTE {
            return Admission::TooFast { retry_after_secs: RETRY_AFTER_SECS };
        }
        recent.push_back(Recent { at: now, points, is_write });
        Admission::Granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
    }

    #[test]
    fn each_resource_is_counted_by_itself_and_anew_after_its_window() {
        let quotas = Quotas::default();
        quotas.count("a", Resource::Core, at(0));
        assert_eq!(quotas.count("a", Resource::Core, at(59)).used, 2);
        assert_eq!(quotas.look("a", Resource::Core, at(59)).used, 2);
        assert_eq!(quotas.look("a", Resource::Search, at(59)).used, 0);
        assert_eq!(quotas.look("b", Resource::Core, at(59)).used, 0);
        assert_eq!(quotas.count("a", Resource::Core, at(60)).used, 1);
    }

    #[test]
    fn a_request_is_counted_for_what_it_asks() {
        let check = |class, path, expected| assert_eq!(Resource::of(class, path), expected);
        check(Class::Read, "/repos/a/b", Some(Resource::Core));
        check(Class::ContentWrite, "/repos/a/b/pulls", Some(Resource::Core));
        check(Class::Read, "/search/issues", Some(Resource::Search));
        check(Class::Read, "/search/code", Some(Resource::CodeSearch));
        check(Class::Read, "/rate_limit", None);
        check(Class::GraphQl, "/graphql", Some(Resource::Graphql));
        check(Class::GitPush, "/a/b.git/git-receive-pack", None);
        check(Class::GitRead, "/a/b.git/info/refs", None);
        check(Class::Page, "/a/b", None);
    }

    #[test]
    fn a_limit_is_held_only_when_that_is_asked_for() {
        let quotas = Quotas::default();
        let admit = || quotas.admit("a", Class::Read, Resource::Search, at(0));
        for _ in 0..40 {
            quotas.count("a", Resource::Search, at(0));
        }
        assert_eq!(admit(), Admission::Granted);
        quotas.be(Strictness::Strict);
        assert!(matches!(admit(), Admission::UsedUp(Quota { used: 40, .. })));
        quotas.clear();
        quotas.limit(Resource::Search, 1, TimeDelta::minutes(5));
        assert_eq!(admit(), Admission::Granted);
        quotas.count("a", Resource::Search, at(0));
        assert!(matches!(admit(), Admission::UsedUp(quota) if quota.reset_at == at(5)));
    }

    #[test]
    fn who_is_strict_holds_the_secondary_limits() {
        let check = |class, passed: usize| {
            let quotas = Quotas::default();
            quotas.be(Strictness::Strict);
            let admit = |time| quotas.admit("a", class, Resource::Core, time);
            let admitted = (0..1_000).take_while(|_| admit(at(0)) == Admission::Granted).count();
            assert_eq!(admitted, passed, "{class:?}");
            assert_eq!(admit(at(1)), Admission::Granted, "{class:?}");
        };
        check(Class::ContentWrite, 80);
        check(Class::Read, 900);
    }
}
