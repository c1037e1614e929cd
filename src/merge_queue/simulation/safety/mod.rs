//! The safety simulation: a hostile world, and a checker that trusts nobody.
//!
//! - [`host`]: the code host and the runners as they really are
//! - [`world`]: what happens next, drawn from a seed; crashes and replays
//! - `courier`: answers that are late, doubled, lost and out of order
//! - `mischief`: what people, other programs and confused messengers add to that
//! - `calm`: after the storm, everything ends or says what it waits for
//! - [`books`]: what the queue was told and asked for, written by nobody else; [`rules`]: what has
//!   to hold
//! - [`exhaustive`]: every order of a small world instead of random ones

pub mod books;
mod calm;
mod courier;
pub mod exhaustive;
pub mod host;
mod mischief;
pub mod rules;
pub mod world;

use crate::merge_queue::bugs::{self, Bug};

/// A rule was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub step: u64,
    pub rule: String,
}

impl std::error::Error for Violation {}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "step {}: {}", self.step, self.rule)
    }
}

/// What a search through many seeds found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Search {
    Clean { seeds: u64, steps: u64 },
    Found { seed: u64, violation: Violation },
}

/// The events that one world is told before it calms down.
pub const STEPS_PER_SEED: u64 = 500;

/// Runs a world for each seed until a rule is broken or so many events were told.
#[must_use]
pub fn search(seeds: impl IntoIterator<Item = u64>, steps: u64) -> Search {
    let (mut played, mut told) = (0, 0);
    for seed in seeds {
        if told >= steps {
            break;
        }
        let mut world = world::World::new(seed);
        if let Err(violation) = world.run(STEPS_PER_SEED) {
            return Search::Found { seed, violation };
        }
        told += world.steps;
        played += 1;
    }
    Search::Clean { seeds: played, steps: told }
}

/// The worlds in which a planted bug is looked for before it counts as missed.
const BUG_STEPS_MAX: u64 = 4_000_000;

/// Looks for a planted bug in world after world.
#[must_use]
pub fn hunt(bug: PlantedBug) -> Search {
    bugs::planting::with(bug.0, || search(0.., BUG_STEPS_MAX))
}

/// One of the bugs that can be planted.
#[derive(Clone, Copy)]
pub struct PlantedBug(Bug);

impl PlantedBug {
    pub fn all() -> impl Iterator<Item = Self> {
        Bug::ALL.into_iter().map(Self)
    }
}

impl std::fmt::Display for PlantedBug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `make test` pays for; `make simulate-safety` goes on.
    const STEPS: u64 = 1_000_000;

    #[test]
    fn nothing_unsafe_happens_and_nothing_starves() {
        if let Search::Found { seed, violation } = search(0.., STEPS) {
            panic!("seed {seed}, {violation}");
        }
    }

    #[test]
    fn every_planted_bug_is_caught() {
        let missed: Vec<_> = PlantedBug::all()
            .filter(|bug| matches!(hunt(*bug), Search::Clean { .. }))
            .map(|bug| bug.to_string())
            .collect();
        assert_eq!(missed, Vec::<String>::new());
    }
}
