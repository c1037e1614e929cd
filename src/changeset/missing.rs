//! When a pull request that the code host does not show counts as deleted.
//!
//! "Not found" means "gone" or "not visible to this credential", and code hosts do not tell
//! which. So one is no reason to believe anything: only several, apart in time, while the
//! repository itself was shown each time, and even then it is read again every day.

use super::PullState;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How often it must have been missing in a row.
pub const TIMES_MIN: u32 = 3;
/// How long it must have been missing.
pub const SPAN_MIN: Duration = Duration::from_secs(6 * 60 * 60);
/// The waits after the first, the second and every further time.
const WAITS: [Duration; 3] = [
    Duration::from_secs(10 * 60),
    Duration::from_secs(6 * 60 * 60),
    Duration::from_secs(24 * 60 * 60),
];

/// Since when and how often in a row a pull request was missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    pub since: Timestamp,
    pub times: u32,
}

impl Missing {
    /// Counts one more time.
    #[must_use]
    pub fn again(before: Option<Self>, now: Timestamp) -> Self {
        match before {
            Some(Self { since, times }) => Self { since, times: times.saturating_add(1) },
            None => Self { since: now, times: 1 },
        }
    }

    /// The state that it has then: the last one known, until it counts as deleted.
    #[must_use]
    pub fn state(&self, last_known: PullState, now: Timestamp) -> PullState {
        let is_long = self.times >= TIMES_MIN && now.since(self.since) >= SPAN_MIN;
        if is_long { PullState::Deleted } else { last_known }
    }

    #[must_use]
    pub fn next_read(&self, now: Timestamp) -> Timestamp {
        let place = usize::try_from(self.times.saturating_sub(1)).unwrap_or(usize::MAX);
        now + WAITS[place.min(WAITS.len() - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const SINCE: Timestamp = Timestamp(1_000 * HOUR);

    #[track_caller]
    fn check(times: u32, hours: i64, state: PullState, next_after_minutes: i64) {
        let now = Timestamp(SINCE.0 + hours * HOUR);
        let missing = Missing { since: SINCE, times };
        assert_eq!(missing.state(PullState::Open, now), state);
        assert_eq!(missing.next_read(now), Timestamp(now.0 + next_after_minutes * 60_000));
    }

    #[test]
    fn only_several_misses_apart_in_time_mean_deleted() {
        check(1, 0, PullState::Open, 10);
        check(1, 100, PullState::Open, 10);
        check(2, 1, PullState::Open, 6 * 60);
        check(3, 5, PullState::Open, 24 * 60);
        check(3, 7, PullState::Deleted, 24 * 60);
        check(u32::MAX, 7, PullState::Deleted, 24 * 60);
    }

    #[test]
    fn misses_are_counted_from_the_first() {
        let first = Missing::again(None, SINCE);
        assert_eq!(first, Missing { since: SINCE, times: 1 });
        let later = Timestamp(SINCE.0 + HOUR);
        assert_eq!(Missing::again(Some(first), later), Missing { since: SINCE, times: 2 });
    }
}
