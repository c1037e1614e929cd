//! What the queue has learned from its runs.

use super::{
    chance::{Chance, Seen},
    config::{Ejection, FAILURES_MAX},
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
    /// That a run fails though nothing is wrong with what it tests.
    pub flakes: Chance,
    /// How long a passing run takes; nothing is known before the first one.
    pub typical_millis: Option<u64>,
    /// When entries landed last, and how long each of them took after the one before, typically.
    pub landed_at: Option<Timestamp>,
    pub landing_interval_millis: Option<u64>,
    /// When the last entry joined the line, and how long after the one before, typically.
    pub joined_at: Option<Timestamp>,
    pub interval_millis: Option<u64>,
}

/// A pause between two entries counts as so many usual ones, at most.
const PAUSE_TIMES_MAX: u64 = 4;
/// The entries of one landing by which the usual pace is learned, at most.
const ENTRIES_COUNTED_MAX: usize = 64;
/// How many durations make the typical one, roughly.
const DURATION_MEMORY: u64 = 16;
/// The same for the pace of landing: entries land many at a time, so it takes more of them.
const LANDINGS_MEMORY: u64 = 128;

/// Failure rates follow what is committed this week.
const FAILURES_MEMORY: u32 = 64;
/// Flakes are rare, so their rate takes longer to learn; it decides who is ejected.
const FLAKES_MEMORY: u32 = 128;
/// One failing run convicts nobody, however rare flakes are.
const FAILURES_MIN: u32 = 2;

impl Default for Estimates {
    fn default() -> Self {
        Self {
            fails: Chance::percent(7),
            cleared_fails: Chance::percent(5),
            flakes: Chance::percent(2),
            typical_millis: None,
            landed_at: None,
            landing_interval_millis: None,
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
        *estimate = estimate.after(failing, FAILURES_MEMORY);
    }

    /// An entry has passed alone, after so many runs of the same kind that failed. The run that
    /// made it a suspect does not count: without its failure, there would have been no others.
    pub(super) fn note_flakes(&mut self, failures: u32) {
        for _ in 0..failures {
            self.flakes = self.flakes.after(Seen::Happened, FLAKES_MEMORY);
        }
        self.flakes = self.flakes.after(Seen::DidNot, FLAKES_MEMORY);
    }

    /// The failing runs that it takes to eject an entry: one fewer, but two at least, in a quiet
    /// queue, where cost is what counts.
    #[must_use]
    pub fn failures_to_eject(&self, ejection: Ejection) -> u32 {
        match ejection {
            Ejection::After(failures) => failures,
            Ejection::Sparing(innocents_max) => {
                let needed = self.failures_beyond(innocents_max);
                needed - u32::from(self.is_quiet() && needed > FAILURES_MIN)
            }
        }
    }

    /// How many flakes in a row are rarer than that.
    fn failures_beyond(&self, innocents_max: Chance) -> u32 {
        let (mut failures, mut all_flakes) = (1, self.flakes);
        while failures < FAILURES_MIN || (all_flakes > innocents_max && failures < FAILURES_MAX) {
            failures += 1;
            all_flakes = all_flakes.and(self.flakes);
        }
        failures
    }

    pub(super) fn note_duration(&mut self, took: Duration) {
        self.typical_millis = Some(smoothed(self.typical_millis, took, DURATION_MEMORY));
    }

    /// A night or a weekend says no more than a somewhat longer pause.
    pub(super) fn note_joined(&mut self, now: Timestamp) {
        if let Some(before) = self.joined_at.replace(now) {
            let longest = self.interval_millis.max(self.typical_millis);
            let longest = longest.map_or(Duration::MAX, |it| {
                Duration::from_millis(it.saturating_mul(PAUSE_TIMES_MAX))
            });
            let seen = now.since(before).min(longest);
            self.interval_millis = Some(smoothed(self.interval_millis, seen, DURATION_MEMORY));
        }
    }

    /// So many have landed together.
    pub(super) fn note_landed(&mut self, now: Timestamp, entries: usize) {
        let Some(before) = self.landed_at.replace(now) else { return };
        let each = now.since(before).checked_div(u32::try_from(entries).unwrap_or(u32::MAX));
        // When nobody is there to land, that says nothing of how fast others would.
        let each = each.unwrap_or_default().min(self.typical().unwrap_or(Duration::MAX));
        // Each of them counts: the usual pace is that of entries, not of landings.
        for _ in 0..entries.min(ENTRIES_COUNTED_MAX) {
            self.landing_interval_millis =
                Some(smoothed(self.landing_interval_millis, each, LANDINGS_MEMORY));
        }
    }

    /// How long it takes until so many have landed; one test each, while no pace is known.
    #[must_use]
    pub fn drain(&self, entries: usize) -> Duration {
        let each = self.landing_interval_millis.or(self.typical_millis).unwrap_or(0);
        Duration::from_millis(each.saturating_mul(entries as u64))
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

/// The newest sample's share is one part of `memory`.
fn smoothed(known: Option<u64>, seen: Duration, memory: u64) -> u64 {
    let seen = u64::try_from(seen.as_millis()).unwrap_or(u64::MAX);
    match known {
        None => seen,
        Some(known) => known - known / memory + seen / memory,
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
    fn the_more_flakes_the_more_failing_runs_it_takes() {
        let innocents_max = Ejection::Sparing(Chance::parts_per_million(50));
        let rows = [(0, 2), (5_000, 2), (20_000, 3), (50_000, 4), (300_000, FAILURES_MAX)];
        for (flakes, expected) in rows {
            let flakes = Chance::parts_per_million(flakes);
            let estimates = Estimates { flakes, ..Estimates::default() };
            assert_eq!(estimates.failures_to_eject(innocents_max), expected, "{flakes:?}");
            assert_eq!(estimates.failures_to_eject(Ejection::After(1)), 1);
        }
    }

    #[test]
    fn flakes_are_what_failed_before_a_pass() {
        let mut estimates = Estimates::default();
        (0..1_000).for_each(|round| estimates.note_flakes(u32::from(round % 10 == 0)));
        let flakes = estimates.flakes.in_parts_per_million();
        assert!((50_000..150_000).contains(&flakes), "{flakes}");
    }

    #[test]
    fn entries_that_passed_alone_are_judged_apart() {
        let mut estimates = Estimates::default();
        estimates.note(Standing::Cleared, Seen::DidNot);
        assert_eq!(estimates.passes(Standing::Untested), Chance::percent(93));
        assert!(estimates.passes(Standing::Cleared) > Chance::percent(95));
    }
}
