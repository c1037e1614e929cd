//! The safety simulation: a hostile world, and a checker that trusts nobody.
//!
//! - [`host`]: the code host and the runners as they really are
//! - [`world`]: what happens next, drawn from a seed: answers late, doubled, lost and out of
//!   order, crashes, pushes, other people's landings
//! - [`checker`]: its own books of what the queue was told and asked for, and the rules
//! - [`exhaustive`]: every order of a small world instead of random ones

pub mod checker;
pub mod exhaustive;
pub mod host;
pub mod world;

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

#[cfg(test)]
mod tests {
    use super::world::World;

    #[test]
    fn nothing_unsafe_happens_and_nothing_starves() {
        let mut total = 0;
        for seed in 0..200 {
            let mut world = World::new(seed);
            if let Err(violation) = world.run(500) {
                panic!("seed {seed}, {violation}");
            }
            total += world.steps;
        }
        println!("{total} steps");
    }
}
