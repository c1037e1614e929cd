//! The safety simulation: a hostile world, and a checker that trusts nobody.
//!
//! - [`host`]: the code host and the runners as they really are
//! - [`world`]: what happens next, drawn from a seed: answers late, doubled, lost and out of
//!   order, crashes, pushes, other people's landings
//! - `mischief`: what people and confused messengers add to that
//! - [`checker`]: its own books of what the queue was told and asked for, and the rules
//! - [`exhaustive`]: every order of a small world instead of random ones

pub mod checker;
pub mod exhaustive;
pub mod host;
mod mischief;
pub mod world;

use crate::merge_queue::bugs::{self, Bug};

/// A rule was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub step: u64,
    pub rule: String,
}

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

/// Runs worlds from `first_seed` on until a rule is broken or so many events were told.
#[must_use]
pub fn search(first_seed: u64, steps: u64) -> Search {
    let (mut seed, mut told) = (first_seed, 0);
    while told < steps {
        let mut world = world::World::new(seed);
        if let Err(violation) = world.run(STEPS_PER_SEED) {
            return Search::Found { seed, violation };
        }
        told += world.steps;
        seed += 1;
    }
    Search::Clean { seeds: seed - first_seed, steps: told }
}

/// The worlds in which a planted bug is looked for before it counts as missed.
const BUG_STEPS_MAX: u64 = 400_000;

/// Plants each bug, and says in which world it was caught.
#[must_use]
pub fn plant_bugs() -> Vec<(String, Search)> {
    let caught = |bug| bugs::planting::with(bug, || search(0, BUG_STEPS_MAX));
    Bug::ALL.into_iter().map(|bug| (format!("{bug:?}"), caught(bug))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `make test` pays for; `make simulate-safety` goes on.
    const STEPS: u64 = 1_000_000;

    #[test]
    fn nothing_unsafe_happens_and_nothing_starves() {
        if let Search::Found { seed, violation } = search(0, STEPS) {
            panic!("seed {seed}, {violation}");
        }
    }

    #[test]
    fn every_planted_bug_is_caught() {
        let missed: Vec<_> = plant_bugs()
            .into_iter()
            .filter(|(_, search)| matches!(search, Search::Clean { .. }))
            .map(|(bug, _)| bug)
            .collect();
        assert_eq!(missed, Vec::<String>::new());
    }
}
