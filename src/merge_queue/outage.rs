//! When the machinery fails, the queue waits; no entry is blamed for it.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Outage {
    /// Breakdowns in a row, without a verdict between them.
    pub breakdowns: u32,
    /// Nothing starts before.
    pub retry_at: Option<Timestamp>,
    /// All verdicts so far: whether the machinery worked in the meantime shows in this.
    pub verdicts: u64,
}

/// The breakdowns in a row that are answered by an immediate new run.
const IMMEDIATE_MAX: u32 = 3;
const PAUSE_MIN: Duration = Duration::from_secs(30);
const DOUBLINGS_MAX: u32 = 5;

impl Outage {
    #[must_use]
    pub fn lasts(&self, now: Timestamp) -> bool {
        self.retry_at.is_some_and(|at| now < at)
    }

    /// How many runs may be under way: after a pause, one shows whether the machinery works.
    #[must_use]
    pub fn runs_max(&self) -> usize {
        if self.retry_at.is_some() { 1 } else { usize::MAX }
    }

    /// Breakdowns during a pause belong to it, however many runs they cut off.
    pub(super) fn note_breakdown(&mut self, now: Timestamp) {
        if self.lasts(now) {
            return;
        }
        self.breakdowns = self.breakdowns.saturating_add(1);
        self.retry_at = pause(self.breakdowns).map(|pause| now + pause);
    }

    pub(super) fn note_verdict(&mut self) {
        let verdicts = self.verdicts.saturating_add(1);
        *self = Self { verdicts, ..Self::default() };
    }
}

fn pause(breakdowns: u32) -> Option<Duration> {
    let beyond = breakdowns.checked_sub(IMMEDIATE_MAX + 1)?;
    Some(PAUSE_MIN * 2_u32.pow(beyond.min(DOUBLINGS_MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_start_late_double_and_are_bounded() {
        let rows = [(1, None), (3, None), (4, Some(30)), (5, Some(60)), (9, Some(960))];
        for (breakdowns, secs) in rows {
            assert_eq!(pause(breakdowns), secs.map(Duration::from_secs), "{breakdowns} in a row");
        }
        assert_eq!(pause(1_000), Some(Duration::from_secs(960)));
    }

    #[test]
    fn breakdowns_during_a_pause_do_not_lengthen_it_and_one_run_ends_it() {
        let mut outage = Outage { breakdowns: 3, ..Outage::default() };
        assert_eq!(outage.runs_max(), usize::MAX);
        outage.note_breakdown(Timestamp(0));
        let pause = outage.clone();
        outage.note_breakdown(Timestamp(1));
        assert_eq!((&outage, outage.runs_max()), (&pause, 1));
        assert!(outage.lasts(Timestamp(29_999)) && !outage.lasts(Timestamp(30_000)));
        outage.note_verdict();
        assert_eq!(outage, Outage { verdicts: 1, ..Outage::default() });
    }
}
