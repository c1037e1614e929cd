//! What the queue has learned from its runs.

use super::{
    chance::{Chance, Seen},
    entry::Standing,
};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Estimates {
    /// That an entry which was never tested makes its candidate fail.
    pub fails: Chance,
    /// The same for an entry that passed alone after a failure.
    pub cleared_fails: Chance,
    /// How long a passing run takes; nothing is known before the first one.
    pub typical_millis: Option<u64>,
    /// When the last entry joined the line, and how long after the one before, typically.
    pub joined_at: Option<Timestamp>,
    pub interval_millis: Option<u64>,
}

/// The newest duration's share in the typical one is one part of so many.
const DURATION_MEMORY: u64 = 16;

impl Default for Estimates {
    fn default() -> Self {
        Self {
            fails: Chance::percent(7),
            cleared_fails: Chance::percent(5),
            typical_millis: None,
            joined_at: None,
            interval_millis: None,
        }
    }
}

impl Estimates {
    #[must_use]
    pub fn passes(&self, standing: Standing) -> Chance {
        match standing {
            Standing::Untested | Standing::Apart => self.fails.not(),
            Standing::Cleared => self.cleared_fails.not(),
        }
    }

    pub(super) fn note(&mut self, standing: Standing, failing: Seen) {
        let estimate = match standing {
            Standing::Untested | Standing::Apart => &mut self.fails,
            Standing::Cleared => &mut self.cleared_fails,
        };
        *estimate = estimate.after(failing);
    }

    /// The failing runs that it takes to eject an entry: one fewer, but two at least, in a quiet
    /// queue, where cost is what counts.
    #[must_use]
    pub fn failures_to_eject(&self, configured: u32) -> u32 {
        configured - u32::from(self.is_quiet() && configured > 2)
    }

    pub(super) fn note_duration(&mut self, took: Duration) {
        self.typical_millis = Some(smoothed(self.typical_millis, took));
    }

    pub(super) fn note_joined(&mut self, now: Timestamp) {
        if let Some(before) = self.joined_at.replace(now) {
            self.interval_millis = Some(smoothed(self.interval_millis, now.since(before)));
        }
    }

    /// Whether entries come more rarely than tests are long: then most find the queue idle.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        match (self.interval_millis, self.typical_millis) {
            (Some(interval), Some(typical)) => interval > typical,
            (None, _) | (_, None) => false,
        }
    }

    /// How long a run takes, as far as is known.
    #[must_use]
    pub fn typical(&self) -> Option<Duration> {
        self.typical_millis.map(Duration::from_millis)
    }
}

fn smoothed(known: Option<u64>, seen: Duration) -> u64 {
    let seen = u64::try_from(seen.as_millis()).unwrap_or(u64::MAX);
    match known {
        None => seen,
        Some(known) => known - known / DURATION_MEMORY + seen / DURATION_MEMORY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_settle_around_what_is_seen() {
        let mut estimates = Estimates::default();
        assert_eq!(estimates.typical(), None);
        estimates.note_duration(Duration::from_secs(160));
        assert_eq!(estimates.typical(), Some(Duration::from_secs(160)));
        estimates.note_duration(Duration::from_secs(320));
        assert_eq!(estimates.typical(), Some(Duration::from_secs(170)));
    }

    #[test]
    fn entries_that_passed_alone_are_judged_apart() {
        let mut estimates = Estimates::default();
        estimates.note(Standing::Cleared, Seen::DidNot);
        assert_eq!(estimates.passes(Standing::Untested), Chance::percent(93));
        assert!(estimates.passes(Standing::Cleared) > Chance::percent(95));
    }
}
