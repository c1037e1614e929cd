//! Counts requests per identity for the `x-ratelimit-*` headers. It never refuses: a test that
//! wants a limit asks for one by a fault.

use chrono::{DateTime, TimeDelta, Utc};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// What GitHub gives a user per hour.
const REQUESTS_PER_HOUR: u64 = 5_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quota {
    pub(crate) limit: u64,
    pub(crate) used: u64,
    pub(crate) reset_at: DateTime<Utc>,
}

impl Quota {
    pub(crate) fn remaining(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}

#[derive(Default)]
pub(crate) struct Quotas(Mutex<BTreeMap<String, Quota>>);

impl Quotas {
    /// Counts one request; an hour after the first one the count begins anew.
    pub(crate) fn count(&self, who: &str, now: DateTime<Utc>) -> Quota {
        self.change(who, now, 1)
    }

    /// A 304 costs nothing.
    pub(crate) fn look(&self, who: &str, now: DateTime<Utc>) -> Quota {
        self.change(who, now, 0)
    }

    fn change(&self, who: &str, now: DateTime<Utc>, cost: u64) -> Quota {
        let fresh =
            Quota { limit: REQUESTS_PER_HOUR, used: 0, reset_at: now + TimeDelta::hours(1) };
        let mut quotas = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let quota = quotas.entry(who.to_owned()).or_insert(fresh);
        if quota.reset_at <= now {
            *quota = fresh;
        }
        quota.used += cost;
        *quota
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_begins_anew_after_an_hour() {
        let (quotas, start) = (Quotas::default(), DateTime::UNIX_EPOCH);
        quotas.count("a", start);
        assert_eq!(quotas.count("a", start + TimeDelta::minutes(59)).used, 2);
        assert_eq!(quotas.look("a", start + TimeDelta::minutes(59)).used, 2);
        assert_eq!(quotas.count("a", start + TimeDelta::minutes(60)).used, 1);
    }
}
