//! After the storm nothing goes wrong any more: everything has to end, or to say what it waits for.

use super::world::World;
use crate::{
    id::CampaignId,
    merge_queue::{
        config::Policy,
        entry::{Entry, Phase},
        event::{Action, Event, QueueAction},
    },
};
use std::time::Duration;

/// The rounds within which everything has to end once nothing goes wrong any more.
const CALM_ROUNDS_MAX: u32 = 400;
const SETTLE_ROUNDS_MAX: u32 = 2_000;

impl World {
    pub(super) fn calm(&mut self) -> Result<(), String> {
        self.host.faults = self.host.faults.of_pulls();
        // Freezes may keep entries waiting, but not the queue busy for ever.
        self.settle()?;
        let mut config = self.queue.config.clone();
        config.workers = 2;
        self.tell(Event::ConfigChanged(config))?;
        self.thaw_all()?;
        for round in 0..CALM_ROUNDS_MAX {
            self.settle()?;
            if round > 0 && self.unfinished().is_none() {
                return self.books.check_end(&self.queue);
            }
            self.command(Action::Queue(QueueAction::Open))?;
            for campaign in Self::CAMPAIGNS {
                let resume = QueueAction::ResumeCampaign(CampaignId(campaign));
                self.command(Action::Queue(resume))?;
            }
            self.now = self.now + Duration::from_secs(1_200);
            match round % 4 {
                0 => self.reconcile()?,
                1 => self.tell(Event::TargetHinted)?,
                _ => self.tell(Event::Tick)?,
            }
        }
        let why = self.unfinished().unwrap_or_default();
        Err(format!("something starves: {why}"))
    }

    /// Carries out and answers until there is nothing left to do.
    fn settle(&mut self) -> Result<(), String> {
        for _ in 0..SETTLE_ROUNDS_MAX {
            if self.effects.is_empty() && self.answers.is_empty() {
                return Ok(());
            }
            for effect in std::mem::take(&mut self.effects) {
                self.carry_out(effect);
            }
            for answer in std::mem::take(&mut self.answers) {
                self.tell(answer)?;
            }
        }
        Err(format!("effects go on for ever: {:?}", self.effects))
    }

    /// An entry that the queue still has to bring to an end.
    fn unfinished(&self) -> Option<String> {
        let entry = self.queue.entries.values().find(|entry| match entry.phase {
            Phase::Queued { .. } | Phase::InPipeline { .. } | Phase::Landing { .. } => true,
            Phase::Suspect(_) => !self.waits_for_machinery(entry),
            // What waits for people has to say for what.
            Phase::Observed => match self.queue.config.policy {
                Policy::Speculative(_) => self.queue.missing(entry).is_empty(),
                // Who has passed lands, and who is pending is tested. Who has failed waits for the
                // next event, by design.
                Policy::Serial(_) => match self.queue.serial_test(entry) {
                    Some(_) => {
                        self.queue.passing().contains(&entry.number())
                            && self.queue.missing(entry).is_empty()
                    }
                    None => self.queue.may_be_tested(entry.id) && !self.waits_for_machinery(entry),
                },
            },
            Phase::Held(_)
            | Phase::Conflicted
            | Phase::Ejected(_)
            | Phase::Merged(_)
            | Phase::Withdrawn(_) => false,
        })?;
        let (pull, phase) = (entry.number(), &entry.phase);
        Some(format!("{pull} is {phase:?}: {}", self.queue.why(entry, None)))
    }

    /// The machinery breaks with this one, and with nobody else there it cannot be told whether
    /// that is its own fault.
    fn waits_for_machinery(&self, entry: &Entry) -> bool {
        entry.record.broke_at == Some(self.queue.outage.verdicts)
    }
}
