//! Campaigns share a queue with people, and do not take it over.

use super::{
    chance::Chance,
    config::{CampaignRules, Canary},
    entry::Entry,
    id::EntryId,
    pull::Origin,
    queue::MergeQueue,
};
use crate::id::CampaignId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How the entries of one campaign have ended in this queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tally {
    pub merged: u32,
    pub failed: u32,
    /// What had ended when somebody let the campaign go on.
    pub forgiven: Forgiven,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Forgiven {
    pub merged: u32,
    pub failed: u32,
}

/// How an entry ended, as its campaign counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Merged,
    /// Ejected, or in conflict with the target.
    Failed,
}

/// Why a campaign's next entry waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CampaignWait {
    /// Too many of its entries failed; somebody has to let it go on.
    Stopped {
        failed: u32,
        ended: u32,
    },
    /// One entry goes ahead alone.
    Canary,
    /// The wave is complete; the next one starts when it has ended.
    Wave {
        size: u32,
    },
    Room {
        in_flight_max: u32,
    },
}

impl Tally {
    fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Merged => self.merged = self.merged.saturating_add(1),
            Outcome::Failed => self.failed = self.failed.saturating_add(1),
        }
    }

    /// An entry that failed has come back.
    fn take_back_failure(&mut self) {
        self.failed = self.failed.saturating_sub(1);
        self.forgiven.failed = self.forgiven.failed.min(self.failed);
    }

    pub(super) fn resume(&mut self) {
        self.forgiven = Forgiven { merged: self.merged, failed: self.failed };
    }

    fn ended(&self) -> u32 {
        self.merged.saturating_add(self.failed)
    }
}

/// Whether a campaign may have one more entry in tests.
pub(super) fn admit(
    tally: Tally,
    in_flight: u32,
    rules: &CampaignRules,
) -> Result<(), CampaignWait> {
    let failed = tally.failed - tally.forgiven.failed;
    let ended = failed + tally.merged - tally.forgiven.merged;
    let rate = Chance::ratio(u64::from(failed), u64::from(ended));
    if ended >= rules.stop_after && rate > rules.failed_max {
        return Err(CampaignWait::Stopped { failed, ended });
    }
    if rules.canary == Canary::First && tally.merged == 0 && in_flight > 0 {
        return Err(CampaignWait::Canary);
    }
    if let Some(size) = full_wave(tally.ended(), in_flight, &rules.waves) {
        return Err(CampaignWait::Wave { size });
    }
    if in_flight >= rules.in_flight_max {
        return Err(CampaignWait::Room { in_flight_max: rules.in_flight_max });
    }
    Ok(())
}

/// The size of the wave that has to end before another entry may start.
fn full_wave(ended: u32, in_flight: u32, waves: &[u32]) -> Option<u32> {
    let mut closed = 0_u32;
    for size in waves {
        closed = closed.saturating_add(*size);
        if ended < closed {
            return (ended + in_flight >= closed).then_some(*size);
        }
    }
    None
}

impl MergeQueue {
    pub(super) fn tally(&self, campaign: CampaignId) -> Tally {
        self.campaigns.get(&campaign).copied().unwrap_or_default()
    }

    /// Counts an entry in when its campaign lets it go.
    pub(super) fn campaign_lets_pass(
        &self,
        id: EntryId,
        in_flight: &mut BTreeMap<CampaignId, u32>,
    ) -> bool {
        let Some(Origin::Campaign(campaign)) = self.entries.get(&id).map(|it| it.origin) else {
            return true;
        };
        let count = in_flight.entry(campaign).or_insert(0);
        let passes = admit(self.tally(campaign), *count, &self.config.campaigns).is_ok();
        *count += u32::from(passes);
        passes
    }

    /// Nothing of the campaign has merged yet: the entry goes alone.
    pub(super) fn is_canary(&self, entry: &Entry) -> bool {
        match (self.config.campaigns.canary, entry.origin) {
            (Canary::First, Origin::Campaign(campaign)) => self.tally(campaign).merged == 0,
            (Canary::None, _) | (_, Origin::Person) => false,
        }
    }

    /// Counts each entry once, by how it ended last.
    pub(super) fn count_for_campaign(&mut self, id: EntryId, outcome: Outcome) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let before = entry.outcome.replace(outcome);
        let Origin::Campaign(campaign) = entry.origin else { return };
        let tally = self.campaigns.entry(campaign).or_default();
        if before == Some(Outcome::Failed) {
            tally.take_back_failure();
        }
        tally.count(outcome);
        self.forget_campaigns();
    }

    /// Forgets campaigns of which nothing is left in the queue, once there are too many.
    fn forget_campaigns(&mut self) {
        if self.campaigns.len() <= CAMPAIGNS_MAX {
            return;
        }
        let living = self.by_pull.values().filter_map(|id| self.entries.get(id));
        let origins: BTreeSet<_> = living.map(|entry| entry.origin).collect();
        self.campaigns.retain(|campaign, _| origins.contains(&Origin::Campaign(*campaign)));
    }
}

/// The campaigns whose tallies are kept beyond their last entry.
const CAMPAIGNS_MAX: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(merged: u32, failed: u32, in_flight: u32, expected: Result<(), CampaignWait>) {
        let rules = CampaignRules {
            in_flight_max: 4,
            canary: Canary::First,
            waves: vec![1, 3],
            failed_max: Chance::percent(30),
            stop_after: 5,
        };
        let tally = Tally { merged, failed, ..Tally::default() };
        assert_eq!(
            admit(tally, in_flight, &rules),
            expected,
            "{tally:?} and {in_flight} in flight"
        );
    }

    #[test]
    fn the_first_entry_goes_alone() {
        check(0, 0, 0, Ok(()));
        check(0, 0, 1, Err(CampaignWait::Canary));
        check(0, 1, 0, Ok(()));
        check(0, 1, 1, Err(CampaignWait::Canary));
    }

    #[test]
    fn a_wave_ends_before_the_next_one_starts() {
        check(1, 0, 2, Ok(()));
        check(1, 0, 3, Err(CampaignWait::Wave { size: 3 }));
        check(3, 0, 1, Err(CampaignWait::Wave { size: 3 }));
        check(4, 0, 0, Ok(()));
    }

    #[test]
    fn a_campaign_has_so_many_entries_in_tests() {
        check(10, 0, 3, Ok(()));
        check(10, 0, 4, Err(CampaignWait::Room { in_flight_max: 4 }));
    }

    #[test]
    fn a_campaign_whose_entries_fail_stops_until_it_is_resumed() {
        check(3, 1, 0, Ok(()));
        check(3, 2, 0, Err(CampaignWait::Stopped { failed: 2, ended: 5 }));
        let mut tally = Tally { merged: 3, failed: 2, ..Tally::default() };
        tally.resume();
        assert_eq!(
            admit(tally, 0, &CampaignRules { waves: vec![], ..CampaignRules::default() }),
            Ok(())
        );
    }

    #[test]
    fn an_entry_that_fails_and_then_merges_counts_as_merged() {
        let mut tally = Tally::default();
        tally.count(Outcome::Failed);
        tally.resume();
        tally.take_back_failure();
        tally.count(Outcome::Merged);
        let forgiven = Forgiven { merged: 0, failed: 0 };
        assert_eq!(tally, Tally { merged: 1, failed: 0, forgiven });
    }
}
