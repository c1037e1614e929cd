//! Names for made-up things.

use crate::names::{BranchName, NameError};
use std::{fmt::Debug, str::FromStr};

/// A commit or tree that is known by a number.
#[must_use]
#[expect(clippy::expect_used, reason = "40 hexadecimal digits, not all zero, are a name")]
pub fn sha<Sha: FromStr<Err = NameError> + Debug>(number: u64) -> Sha {
    format!("{:024x}{number:016x}", 1).parse().expect("40 hexadecimal digits")
}

#[must_use]
#[expect(clippy::expect_used, reason = "`main` is a branch name")]
pub fn branch() -> BranchName {
    "main".parse().expect("a branch name")
}
