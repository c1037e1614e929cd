//! When the machinery fails, the queue waits; no entry is blamed for it.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Outage {
    /// Failures of the machinery in a row, without a verdict between them.
    pub failures: u32,
    /// No run starts before.
    pub retry_at: Option<Timestamp>,
}

/// The failures in a row that are answered by an immediate new run.
const IMMEDIATE_MAX: u32 = 3;
const PAUSE_MIN: Duration = Duration::from_secs(30);
const DOUBLINGS_MAX: u32 = 5;

impl Outage {
    #[must_use]
    pub fn lasts(&self, now: Timestamp) -> bool {
        self.retry_at.is_some_and(|at| now < at)
    }

    /// Failures during a pause belong to it, however many runs they cut off.
    pub(super) fn note_failure(&mut self, now: Timestamp) {
        if self.lasts(now) {
            return;
        }
        self.failures = self.failures.saturating_add(1);
        self.retry_at = pause(self.failures).map(|pause| now + pause);
    }

    pub(super) fn end(&mut self) {
        *self = Self::default();
    }
}

fn pause(failures: u32) -> Option<Duration> {
    let beyond = failures.checked_sub(IMMEDIATE_MAX + 1)?;
    Some(PAUSE_MIN * 2_u32.pow(beyond.min(DOUBLINGS_MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_start_late_double_and_are_bounded() {
        let rows = [(1, None), (3, None), (4, Some(30)), (5, Some(60)), (9, Some(960))];
        for (failures, secs) in rows {
            assert_eq!(pause(failures), secs.map(Duration::from_secs), "{failures} failures");
        }
        assert_eq!(pause(1_000), Some(Duration::from_secs(960)));
    }

    #[test]
    fn failures_during_a_pause_do_not_lengthen_it() {
        let mut outage = Outage { failures: 3, retry_at: None };
        outage.note_failure(Timestamp(0));
        let pause = outage.clone();
        outage.note_failure(Timestamp(1));
        assert_eq!(outage, pause);
        assert!(outage.lasts(Timestamp(29_999)) && !outage.lasts(Timestamp(30_000)));
        outage.end();
        assert_eq!(outage, Outage::default());
    }
}
