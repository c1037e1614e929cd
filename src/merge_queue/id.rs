//! Ids that the queue hands out itself, from one counter in its state.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! counted {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl From<u64> for $name {
            fn from(count: u64) -> Self {
                Self(count)
            }
        }
    )*};
}

counted! {
    /// A pull request in the queue.
    EntryId,
    /// A commit that was built, or is to be: a base plus entries.
    CandidateId,
    /// One test of a candidate.
    RunId,
    /// One attempt to move the target.
    LandingId,
    /// One question to the code host about where the target stands.
    ReadingId,
    /// A place in the pipeline, held by one entry or a batch of them.
    SlotId,
    /// One order not to land.
    FreezeId,
}
