//! When to read a pull request from the code host again, webhooks or not.
//!
//! Webhooks only make it sooner. What changed lately is likely to change again, so the wait
//! grows with the age of the last change.

use super::PullState;
use crate::time::Timestamp;
use std::time::Duration;

/// After a write of ours, until the code host has noticed it itself.
pub const AFTER_WRITE: Duration = Duration::from_secs(5);
/// The shortest wait between two reads.
pub const WAIT_MIN: Duration = Duration::from_secs(2 * 60);
/// The longest wait for what is open.
pub const WAIT_OPEN_MAX: Duration = Duration::from_secs(8 * 60 * 60);
/// The longest wait for what is closed, read-only or hidden, and may come back.
pub const WAIT_CLOSED_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// The share of its age that a pull request is left alone.
const AGE_SHARE: u32 = 10;

/// What the next reading depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncFacts {
    pub state: PullState,
    /// When the code host says that it changed last.
    pub updated_at: Timestamp,
    /// When Drover wrote to it last.
    pub written_at: Option<Timestamp>,
    /// When it was read last.
    pub synced_at: Timestamp,
}

/// When to read again; `None` when nothing can change any more.
#[must_use]
pub fn next_sync(facts: &SyncFacts, now: Timestamp) -> Option<Timestamp> {
    let SyncFacts { state, updated_at, written_at, synced_at } = *facts;
    let longest = match state {
        PullState::Merged => return None,
        PullState::Draft | PullState::Open => WAIT_OPEN_MAX,
        PullState::Closed | PullState::ReadOnly => WAIT_CLOSED_MAX,
        // It may only be hidden from the credential.
        PullState::Deleted => return Some(now.max(synced_at + WAIT_CLOSED_MAX)),
    };
    let unread = written_at.filter(|written| *written >= synced_at);
    if let Some(written) = unread {
        return Some(now.max(written + AFTER_WRITE));
    }
    let wait = (synced_at.since(updated_at) / AGE_SHARE).clamp(WAIT_MIN, longest);
    Some(now.max(synced_at + wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const NOW: Timestamp = Timestamp(1_000 * HOUR);

    /// Read just now; last changed so long ago; expected in so many seconds.
    #[track_caller]
    fn check(state: PullState, age_hours: i64, expected_secs: Option<u64>) {
        let facts = SyncFacts {
            state,
            updated_at: Timestamp(NOW.0 - age_hours * HOUR),
            written_at: None,
            synced_at: NOW,
        };
        let expected = expected_secs.map(|secs| NOW + Duration::from_secs(secs));
        assert_eq!(next_sync(&facts, NOW), expected);
    }

    #[test]
    fn fresh_pull_requests_are_read_often_and_old_ones_seldom() {
        check(PullState::Open, 0, Some(120));
        check(PullState::Open, 1, Some(360));
        check(PullState::Draft, 10, Some(3_600));
        check(PullState::Open, 900, Some(8 * 3_600));
        check(PullState::Closed, 900, Some(24 * 3_600));
        check(PullState::ReadOnly, -5, Some(120));
        check(PullState::Deleted, 1, Some(24 * 3_600));
    }

    #[test]
    fn what_is_over_is_never_read_again() {
        check(PullState::Merged, 1, None);
    }

    #[test]
    fn a_write_is_followed_by_a_read_soon() {
        let facts = |synced_at| SyncFacts {
            state: PullState::Open,
            updated_at: Timestamp(0),
            written_at: Some(NOW),
            synced_at,
        };
        let before = facts(Timestamp(NOW.0 - HOUR));
        assert_eq!(next_sync(&before, NOW), Some(NOW + AFTER_WRITE));
        let late = Timestamp(NOW.0 + HOUR);
        assert_eq!(next_sync(&before, late), Some(late));
        let read_since = facts(Timestamp(NOW.0 + 1));
        assert_eq!(next_sync(&read_since, NOW), Some(Timestamp(NOW.0 + 1) + WAIT_OPEN_MAX));
    }
}
