//! What may be tested and what may land: freezes, draining, and the halt after an alarm.

use super::{
    bugs::{Bug, planted},
    effect::Refusal,
    entry::Entry,
    event::Commit,
    id::{EntryId, FreezeId, LandingId},
    order::Landable,
    pull::{Origin, Priority},
    queue::{MergeQueue, Outbox, Slot},
};
use crate::{id::CampaignId, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Gate {
    pub mode: Mode,
    pub freezes: BTreeMap<FreezeId, Freeze>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    #[default]
    Open,
    /// What is in tests goes on; nothing new starts.
    Draining,
    /// Nothing starts and nothing lands until a maintainer opens the queue.
    Halted(Alarm),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alarm {
    /// What landed is not what was tested.
    LandedDiffers { landing: LandingId, tested: Commit, found: Commit },
    /// Somebody moved the target back, or elsewhere: what was there is not in its history.
    Rewound { from: Commit, to: Commit },
}

/// An order not to land.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Freeze {
    pub scope: Scope,
    /// Entries of this class and more urgent ones pass.
    pub least_priority: Option<Priority>,
    pub reason: String,
    pub by: String,
    pub until: Option<Timestamp>,
    pub testing: Testing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    Everything,
    Campaigns,
    Campaign(CampaignId),
}

/// What happens to the tests of frozen entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Testing {
    /// They go on while nothing that may land wants the workers.
    Goes,
    Stops,
}

pub const FREEZES_MAX: usize = 32;

impl Freeze {
    fn lasts(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    fn holds(&self, entry: &Entry) -> bool {
        let in_scope = match (self.scope, entry.origin) {
            (Scope::Everything, _) | (Scope::Campaigns, Origin::Campaign(_)) => true,
            (Scope::Campaigns | Scope::Campaign(_), Origin::Person) => false,
            (Scope::Campaign(frozen), Origin::Campaign(campaign)) => frozen == campaign,
        };
        in_scope && self.least_priority.is_none_or(|least| entry.priority > least)
    }
}

impl Gate {
    /// The freeze that keeps an entry from landing.
    #[must_use]
    pub fn freeze_of(&self, entry: &Entry, now: Timestamp) -> Option<&Freeze> {
        self.freezes.values().find(|freeze| freeze.lasts(now) && freeze.holds(entry))
    }

    pub(super) fn may_test(&self, entry: &Entry, now: Timestamp) -> bool {
        !self.freezes.values().any(|freeze| {
            freeze.testing == Testing::Stops && freeze.lasts(now) && freeze.holds(entry)
        })
    }

    pub(super) fn freeze(&mut self, id: FreezeId, freeze: Freeze) -> Result<(), Refusal> {
        if self.freezes.len() >= FREEZES_MAX {
            return Err(Refusal::TooManyFreezes(u32::try_from(FREEZES_MAX).unwrap_or(u32::MAX)));
        }
        self.freezes.insert(id, freeze);
        Ok(())
    }

    pub(super) fn thaw(&mut self, id: FreezeId) -> Result<(), Refusal> {
        self.freezes.remove(&id).map(|_| ()).ok_or(Refusal::UnknownFreeze(id))
    }

    /// A halt is stronger: only opening the queue ends it.
    pub(super) fn drain(&mut self) -> Result<(), Refusal> {
        match self.mode {
            Mode::Open | Mode::Draining => {
                self.mode = Mode::Draining;
                Ok(())
            }
            Mode::Halted(_) => Err(Refusal::Halted),
        }
    }

    pub(super) fn forget_expired(&mut self, now: Timestamp) {
        self.freezes.retain(|_, freeze| freeze.lasts(now));
    }

    pub(super) fn next_expiry(&self, now: Timestamp) -> Option<Timestamp> {
        self.freezes.values().filter_map(|freeze| freeze.until).filter(|until| *until > now).min()
    }
}

impl MergeQueue {
    pub(super) fn is_frozen(&self, id: EntryId) -> bool {
        !planted(Bug::IgnoreFreeze)
            && self.entries.get(&id).is_some_and(|it| self.gate.freeze_of(it, self.now).is_some())
    }

    /// Frozen entries give their place in the pipeline to those that may land: to whoever stands
    /// behind them, or is next in line.
    pub(super) fn recall_frozen(&mut self, out: &mut Outbox) {
        if self.gate.freezes.is_empty() {
            return;
        }
        let lands = |slot: &Slot| slot.members.iter().any(|id| !self.is_frozen(*id));
        let in_the_way = match self.line().landable() {
            Some(Landable::Now) => self.slots.len(),
            _ if planted(Bug::ServeFrozen) && self.slots.iter().any(lands) => self.slots.len(),
            Some(Landable::Later) | None => {
                self.slots.iter().rposition(lands).map_or(0, |last| last + 1)
            }
        };
        let members = |slots: &[Slot]| -> Vec<EntryId> {
            slots.iter().flat_map(|slot| &slot.members).copied().collect()
        };
        let mut recalled = members(&self.slots[..in_the_way]);
        recalled.retain(|id| self.is_frozen(*id));
        let may_test = |id: &EntryId| {
            self.entries.get(id).is_some_and(|entry| self.gate.may_test(entry, self.now))
        };
        recalled.extend(members(&self.slots[in_the_way..]).iter().filter(|id| !may_test(id)));
        for id in recalled {
            self.recall(id, out);
            self.requeue(id, out);
        }
    }
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LandedDiffers { landing, tested, found } => write!(
                f,
                "landing {landing} tested commit {} with tree {}, and the target shows commit {} \
                 with tree {}",
                tested.commit.short(),
                tested.tree,
                found.commit.short(),
                found.tree
            ),
            Self::Rewound { from, to } => write!(
                f,
                "the target was at {}, and is at {} now, whose history does not hold that",
                from.commit.short(),
                to.commit.short()
            ),
        }
    }
}
