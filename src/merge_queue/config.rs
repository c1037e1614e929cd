//! How a queue behaves: one target, so many workers, one policy.

use super::chance::Chance;
use crate::names::BranchName;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Config {
    pub target: BranchName,
    /// The runs that may go at once.
    pub workers: u32,
    pub policy: Policy,
    pub campaigns: CampaignRules,
    /// An entry that waits this long is treated as one class more urgent.
    pub ageing: Duration,
    pub preemption: Preemption,
}

/// Whether tests are stopped for somebody who comes later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preemption {
    #[default]
    Never,
    /// A critical entry goes to the front of the pipeline; what is tested there starts over.
    ForCritical,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    Speculative(Speculation),
    /// One pull request per move of the target, as Hail's document says.
    Serial(Serial),
}

/// The knobs of the pipeline; the module's documentation shows what turning them does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Speculation {
    /// The entries of one batch, at most.
    pub batch_max: u32,
    /// A test that is worth less is not started. The worth is the probability that the test is
    /// needed, times the share of a test by which starting it now is earlier.
    pub worth_min: Chance,
    /// Tests that are worth more go before those of the isolation lane.
    pub before_lane: Chance,
    /// While one test goes, a single fresh entry waits this share of it for company.
    pub patience: Chance,
    pub ejection: Ejection,
}

/// How many failing runs that tested an entry alone eject it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ejection {
    /// Always so many.
    After(u32),
    /// As many as it takes, by the flakes seen so far, to eject no greater share of the innocent.
    Sparing(Chance),
}

/// Draws from `seed` stand in for the random choice, so that a replay draws alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Serial {
    pub seed: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CampaignRules {
    /// The entries of one campaign that are in tests or landing at once.
    pub in_flight_max: u32,
    pub canary: Canary,
    /// How many entries of a campaign may end before the next wave starts; the last is
    /// followed by all that remain.
    pub waves: Vec<u32>,
    /// A campaign stops when more than `failed_max` of its entries failed…
    pub failed_max: Chance,
    /// …once this many have ended.
    pub stop_after: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Canary {
    /// The first entry of a campaign goes alone, and the others wait until one has merged.
    First,
    None,
}

/// A configuration under which nothing could ever land.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum ConfigError {
    #[error("a queue without workers tests nothing: set `workers` to 1 to {WORKERS_MAX}, not {0}")]
    Workers(u32),
    #[error("batches hold 1 to {BATCH_MAX} entries: set `batch_max` accordingly, not to {0}")]
    Batch(u32),
    #[error("entries are ejected after 1 to {FAILURES_MAX} failing runs, not after {0}")]
    Failures(u32),
    #[error("a campaign needs room for at least one entry: set `in_flight_max`")]
    CampaignRoom,
    #[error("wave {0} of campaigns is empty: leave it out")]
    EmptyWave(u32),
    #[error("the queue belongs to `{is}`, not to `{asked}`: make another queue for that")]
    Target { is: BranchName, asked: BranchName },
}

pub const WORKERS_MAX: u32 = 1_024;
pub const BATCH_MAX: u32 = 64;
pub const FAILURES_MAX: u32 = 8;

impl Config {
    /// What a new queue starts with.
    #[must_use]
    pub fn new(target: BranchName, workers: u32) -> Self {
        Self {
            target,
            workers,
            policy: Policy::Speculative(Speculation::default()),
            campaigns: CampaignRules::default(),
            ageing: Duration::from_secs(24 * 3_600),
            preemption: Preemption::default(),
        }
    }

    pub fn validate(&self) -> Result<(), ConfigError> {
        if !(1..=WORKERS_MAX).contains(&self.workers) {
            return Err(ConfigError::Workers(self.workers));
        }
        if let Policy::Speculative(speculation) = self.policy {
            if !(1..=BATCH_MAX).contains(&speculation.batch_max) {
                return Err(ConfigError::Batch(speculation.batch_max));
            }
            if let Ejection::After(failures) = speculation.ejection
                && !(1..=FAILURES_MAX).contains(&failures)
            {
                return Err(ConfigError::Failures(failures));
            }
        }
        if self.campaigns.in_flight_max == 0 {
            return Err(ConfigError::CampaignRoom);
        }
        match (1..).zip(&self.campaigns.waves).find(|(_, size)| **size == 0) {
            Some((number, _)) => Err(ConfigError::EmptyWave(number)),
            None => Ok(()),
        }
    }
}

impl Default for Speculation {
    fn default() -> Self {
        Self {
            batch_max: 3,
            worth_min: Chance::parts_per_million(135_000),
            before_lane: Chance::percent(50),
            patience: Chance::SURE,
            ejection: Ejection::Sparing(Chance::parts_per_million(50)),
        }
    }
}

impl Default for CampaignRules {
    fn default() -> Self {
        Self {
            in_flight_max: 4,
            canary: Canary::First,
            waves: vec![1, 5, 25],
            failed_max: Chance::percent(30),
            stop_after: 5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut Config), expected: Result<(), ConfigError>) {
        let mut config = Config::new("main".parse().unwrap(), 8);
        change(&mut config);
        assert_eq!(config.validate(), expected);
    }

    fn speculate(change: impl FnOnce(&mut Speculation)) -> impl FnOnce(&mut Config) {
        let mut speculation = Speculation::default();
        change(&mut speculation);
        move |config| config.policy = Policy::Speculative(speculation)
    }

    #[test]
    fn a_configuration_that_lands_nothing_is_refused() {
        check(|_| (), Ok(()));
        check(|config| config.workers = 0, Err(ConfigError::Workers(0)));
        check(|config| config.workers = 5_000, Err(ConfigError::Workers(5_000)));
        check(speculate(|it| it.batch_max = 0), Err(ConfigError::Batch(0)));
        check(speculate(|it| it.ejection = Ejection::After(0)), Err(ConfigError::Failures(0)));
        check(|config| config.campaigns.in_flight_max = 0, Err(ConfigError::CampaignRoom));
        check(|config| config.campaigns.waves = vec![1, 0], Err(ConfigError::EmptyWave(2)));
    }
}
