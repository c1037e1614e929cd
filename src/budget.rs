//! The publish budget: when may the next write go to a code host, and when will the last one?
//!
//! Code hosts forbid credentials that write too fast, and say so only when it is too late. So
//! Drover keeps below their limits by itself, in sliding windows over all that one credential
//! wrote. The history is a list of times that the caller keeps; nothing is remembered here.

use crate::time::Timestamp;
use std::{collections::VecDeque, time::Duration};

/// How fast a credential may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteLimits {
    pub per_minute: u32,
    pub per_hour: u32,
    /// Between one write and the next.
    pub spacing: Duration,
}

/// What GitHub allows for requests that make content: 80 in a minute and 500 in an hour, one
/// second apart
/// (<https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>,
/// "secondary rate limits", and its best practices). Somewhat less, because its clock is not ours
/// and people use their accounts as well.
pub const GITHUB: WriteLimits =
    WriteLimits { per_minute: 79, per_hour: 495, spacing: Duration::from_secs(1) };

/// The longest window: writes that are older count no more and need not be kept.
pub const HISTORY: Duration = HOUR;
/// Writes that an estimate looks ahead; what lies behind is "later than that".
pub const ETA_WRITES_MAX: u32 = 100_000;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// What one credential has used of its budget.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// The writes of the last [`HISTORY`], the oldest first.
    pub writes: Vec<Timestamp>,
    /// The code host wants to hear nothing before.
    pub blocked_until: Option<Timestamp>,
}

/// When the next write may go: `now`, or later.
#[must_use]
pub fn next_write(spent: &Spent, limits: WriteLimits, now: Timestamp) -> Timestamp {
    let writes: VecDeque<Timestamp> = spent.writes.iter().copied().collect();
    after(&writes, limits, now.max(spent.blocked_until.unwrap_or(now)))
}

/// When the last of `writes` writes will have gone, if nobody else writes; `now` for none.
#[must_use]
pub fn eta(writes: u32, spent: &Spent, limits: WriteLimits, now: Timestamp) -> Timestamp {
    let mut history: VecDeque<Timestamp> = spent.writes.iter().copied().collect();
    let start = now.max(spent.blocked_until.unwrap_or(now));
    let mut last = now;
    for _ in 0..writes.min(ETA_WRITES_MAX) {
        last = after(&history, limits, start.max(last));
        history.push_back(last);
        if history.len() > count(limits.per_hour) {
            history.pop_front();
        }
    }
    last
}

/// The first moment from `from` on at which every window has room.
fn after(writes: &VecDeque<Timestamp>, limits: WriteLimits, from: Timestamp) -> Timestamp {
    let WriteLimits { per_minute, per_hour, spacing } = limits;
    // With `room` writes in a window, the one that is `room` back must have left it.
    let leaves = |room: u32, window: Duration| {
        let index = writes.len().checked_sub(count(room))?;
        writes.get(index).map(|write| *write + window)
    };
    [leaves(1, spacing), leaves(per_minute, MINUTE), leaves(per_hour, HOUR)]
        .into_iter()
        .flatten()
        .fold(from, Timestamp::max)
}

/// A limit of no writes at all would wait for ever; it counts as one.
fn count(limit: u32) -> usize {
    usize::try_from(limit.max(1)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn at(seconds: i64) -> Timestamp {
        Timestamp(1_000_000_000 + seconds * 1_000)
    }

    fn spent(seconds: impl IntoIterator<Item = i64>) -> Spent {
        Spent { writes: seconds.into_iter().map(at).collect(), blocked_until: None }
    }

    const SMALL: WriteLimits =
        WriteLimits { per_minute: 3, per_hour: 5, spacing: Duration::from_secs(2) };

    #[track_caller]
    fn check(writes: impl IntoIterator<Item = i64>, now: i64, expected: i64) {
        assert_eq!(next_write(&spent(writes), SMALL, at(now)), at(expected));
    }

    #[test]
    fn the_next_write_waits_for_every_window() {
        check([], 0, 0);
        check([0], 0, 2);
        check([0], 1, 2);
        check([0], 5, 5);
        check([0, 2, 4], 6, 60);
        check([0, 2, 4], 61, 61);
        check([0, 20, 59], 62, 62);
        check([0, 60, 120, 180, 240], 300, 3_600);
        check([-3_000, 60, 120, 180, 240], 300, 600);
        check([-4_000, -3_900, 0], 2, 2);
    }

    #[test]
    fn a_blocked_credential_is_silent() {
        let blocked = Spent { blocked_until: Some(at(90)), ..spent([0]) };
        assert_eq!(next_write(&blocked, SMALL, at(10)), at(90));
        assert_eq!(next_write(&blocked, SMALL, at(100)), at(100));
        assert_eq!(eta(1, &blocked, SMALL, at(10)), at(90));
    }

    #[test]
    fn an_estimate_counts_what_was_spent() {
        let eta_of = |writes, history: &[i64]| {
            eta(writes, &spent(history.iter().copied()), SMALL, at(0)).0 - at(0).0
        };
        assert_eq!(eta_of(0, &[]), 0);
        assert_eq!(eta_of(1, &[]), 0);
        assert_eq!(eta_of(3, &[]), 4_000);
        assert_eq!(eta_of(4, &[]), 60_000);
        assert_eq!(eta_of(5, &[]), 62_000);
        assert_eq!(eta_of(6, &[]), 3_600_000);
        assert_eq!(eta_of(1, &[-10, -8, -6]), 50_000);
    }

    #[test]
    fn a_thousand_pull_requests_take_two_hours_on_github() {
        let start = at(0);
        let needed = eta(1_000, &Spent::default(), GITHUB, start).since(start);
        assert!((2 * HOUR..2 * HOUR + 2 * MINUTE).contains(&needed), "{needed:?}");
        let far = eta(u32::MAX, &Spent::default(), GITHUB, start).since(start);
        assert!(far > 200 * HOUR);
    }

    #[test]
    fn a_limit_of_nothing_is_taken_as_one() {
        let none = WriteLimits { per_minute: 0, per_hour: 0, spacing: Duration::ZERO };
        assert_eq!(next_write(&spent([0]), none, at(1)), at(3_600));
    }

    #[test]
    fn no_window_ever_holds_more_than_its_limit() {
        let mut random = Random(3);
        let (mut writes, mut now) = (Vec::<Timestamp>::new(), at(0));
        for _ in 0..1_500 {
            let old = writes.partition_point(|it| now.since(*it) >= HISTORY);
            let recent = writes[old..].to_vec();
            let next = next_write(&Spent { writes: recent, blocked_until: None }, GITHUB, now);
            assert!(next >= now);
            writes.push(next);
            now = next + Duration::from_millis(random.next() % 20_000 * (random.next() % 2));
        }
        let inside = |window: Duration, index: usize| {
            writes[index..].iter().take_while(|it| it.since(writes[index]) < window).count()
        };
        for index in 0..writes.len() {
            assert!(inside(MINUTE, index) <= 79 && inside(HOUR, index) <= 495);
        }
    }
}
