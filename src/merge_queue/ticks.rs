//! When something may change though nobody says anything, the queue asks for a tick.

use super::{
    build::BUILD_WAIT_MAX,
    candidate::Stage,
    effect::Effect,
    landing::{ANSWER_WAIT_MAX, Answer},
    queue::{MergeQueue, Outbox},
    run::RUN_WAIT_MAX,
};
use crate::time::Timestamp;

impl MergeQueue {
    pub(super) fn ask_for_tick_at(&mut self, at: Timestamp, out: &mut Outbox) {
        if self.wake_at.is_none_or(|known| known <= self.now || at < known) {
            self.wake_at = Some(at);
            out.push(Effect::WakeAt(at));
        }
    }

    pub(super) fn ask_for_tick(&mut self, out: &mut Outbox) {
        let soonest = [
            self.gate.next_expiry(self.now),
            self.outage.retry_at.filter(|at| *at > self.now),
            self.soonest_answer(),
            self.soonest_overdue_test(),
        ];
        if let Some(at) = soonest.into_iter().flatten().min() {
            self.ask_for_tick_at(at, out);
        }
    }

    /// When an answer about the target is overdue.
    fn soonest_answer(&self) -> Option<Timestamp> {
        let landing = self.landing.as_ref().and_then(|landing| match landing.answer {
            Answer::Awaited { since } => Some(since),
            // The reading is what is waited for.
            Answer::Unknown => None,
        });
        let reading = self.reading.as_ref().map(|reading| reading.since);
        let audit = self.unaudited.values().map(|it| it.since).min();
        [landing, reading, audit].into_iter().flatten().min().map(|it| it + ANSWER_WAIT_MAX)
    }

    fn soonest_overdue_test(&self) -> Option<Timestamp> {
        let builds = self.candidates.values().filter_map(|candidate| match candidate.stage {
            Stage::Building { since } => Some(since + BUILD_WAIT_MAX),
            Stage::Planned
            | Stage::Built(_)
            | Stage::Testing { .. }
            | Stage::Passed { .. }
            | Stage::Failed { .. } => None,
        });
        builds.chain(self.runs.values().map(|it| it.asked_at + RUN_WAIT_MAX)).min()
    }
}
