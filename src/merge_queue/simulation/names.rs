//! Made-up things, and names for them.

use crate::{
    merge_queue::pull::{PullFacts, Readiness, Trust},
    names::{BranchName, CommitSha, NameError, PullNumber},
};
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

/// A pull request that lacks nothing but an approval.
#[must_use]
pub fn unapproved(number: PullNumber, head: CommitSha) -> PullFacts {
    PullFacts {
        number,
        version: 1,
        head,
        target: branch(),
        readiness: Readiness::Ready,
        approved: None,
        author: Trust::Trusted,
        checks_missing: vec![],
        conversations_open: 0,
    }
}

/// A pull request that lacks nothing.
#[must_use]
pub fn approved(number: PullNumber, head: CommitSha) -> PullFacts {
    PullFacts { approved: Some(head.clone()), ..unapproved(number, head) }
}
