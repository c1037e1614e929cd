//! Probabilities as whole numbers, so that every machine decides alike.

use serde::{Deserialize, Serialize};

/// A probability in parts per million.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(from = "u32", into = "u32")]
pub struct Chance(u32);

impl From<u32> for Chance {
    /// More than a million parts are a million.
    fn from(parts: u32) -> Self {
        Self::parts_per_million(parts)
    }
}

impl From<Chance> for u32 {
    fn from(chance: Chance) -> Self {
        chance.0
    }
}

/// What a thousand thousandths are.
const WHOLE: u32 = 1_000_000;

impl Chance {
    pub const NEVER: Self = Self(0);
    pub const SURE: Self = Self(WHOLE);

    /// More than a whole is a whole.
    #[must_use]
    pub const fn parts_per_million(parts: u32) -> Self {
        Self(if parts > WHOLE { WHOLE } else { parts })
    }

    #[must_use]
    pub const fn percent(percent: u32) -> Self {
        Self::parts_per_million(percent.saturating_mul(WHOLE / 100))
    }

    /// `part` of `whole`; nothing of nothing is never.
    #[must_use]
    pub fn ratio(part: u64, whole: u64) -> Self {
        let parts = part.saturating_mul(u64::from(WHOLE)).checked_div(whole).unwrap_or(0);
        Self::parts_per_million(u32::try_from(parts).unwrap_or(WHOLE))
    }

    #[must_use]
    pub const fn in_parts_per_million(self) -> u32 {
        self.0
    }

    /// That this and, independently, `other` happens.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let product = u64::from(self.0) * u64::from(other.0) / u64::from(WHOLE);
        Self(u32::try_from(product).unwrap_or(WHOLE))
    }

    /// That this does not happen.
    #[must_use]
    pub const fn not(self) -> Self {
        Self(WHOLE - self.0)
    }

    /// Moves towards what was just seen, by one part of `memory`: about so many observations
    /// make the estimate.
    #[must_use]
    pub fn after(self, seen: Seen, memory: u32) -> Self {
        let part = |of: u32| of.checked_div(memory).unwrap_or(0);
        match seen {
            Seen::Happened => Self(self.0 + part(WHOLE - self.0)),
            Seen::DidNot => Self(self.0 - part(self.0)),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    Happened,
    DidNot,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_multiply_and_never_leave_the_whole() {
        let half = Chance::percent(50);
        assert_eq!(half.and(half), Chance::percent(25));
        assert_eq!(Chance::percent(7).not(), Chance::percent(93));
        assert_eq!(Chance::percent(200), Chance::SURE);
        assert_eq!(Chance::ratio(1, 0), Chance::NEVER);
        assert_eq!(Chance::ratio(1, 4), Chance::percent(25));
    }

    #[test]
    fn an_estimate_follows_what_is_seen() {
        let many = |seen| (0..1_000).fold(Chance::percent(5), |chance, _| chance.after(seen, 64));
        assert!(many(Seen::Happened) > Chance::percent(99));
        assert!(many(Seen::DidNot) < Chance::percent(1));
    }
}
