//! The branches that Drover may push to.
//!
//! Only [`PushTarget::check`] makes a [`PushTarget`], and the push takes nothing else: so no code
//! path can move a branch that pull requests go into.

use crate::names::BranchName;

/// A branch that was found to be nobody's target, read now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushTarget {
    branch: BranchName,
}

/// What the code host and the database say about a branch, read now.
#[derive(Clone, Copy, Debug)]
pub struct BranchFacts<'a> {
    /// `None`: the repository is empty.
    pub default_branch: Option<&'a BranchName>,
    /// The branch that the pull request goes into.
    pub base: &'a BranchName,
    /// The branches of the repository that live changesets of all campaigns go into.
    pub bases: &'a [BranchName],
    pub protection: Protection,
    pub tip: TipOf,
}

/// Whether a rule of the code host guards a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    Protected,
    Open,
    /// The credential may not read it.
    Unknown,
}

/// Whose commit a branch stands at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TipOf {
    /// There is no such branch, or it stands at a commit that Drover pushed.
    NobodyElse,
    Somebody,
}

/// Why a branch is not pushed to. No retry helps.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTarget {
    #[error(
        "`{branch}` is the default branch of the repository, and Drover never pushes to it: give \
         the campaign another branch"
    )]
    DefaultBranch { branch: BranchName },
    #[error(
        "`{branch}` is the branch that the pull request is to go into: give the campaign another \
         branch"
    )]
    Base { branch: BranchName },
    #[error(
        "pull requests of a campaign go into `{branch}`, so Drover never pushes to it: give this \
         campaign another branch"
    )]
    BaseOfCampaign { branch: BranchName },
    #[error(
        "a rule of the code host protects `{branch}`: give the campaign another branch, or take \
         the branch out of the rule"
    )]
    Protected { branch: BranchName },
    #[error(
        "`{branch}` holds somebody's commits and Drover's token may not read whether a rule \
         protects it: give the token that permission, or the campaign another branch"
    )]
    ProtectionUnknown { branch: BranchName },
}

impl PushTarget {
    /// Finds out whether a branch may be pushed to. Code hosts tell upper case from lower case in
    /// the names of branches.
    pub fn check(branch: &BranchName, facts: &BranchFacts<'_>) -> Result<Self, NoTarget> {
        let BranchFacts { default_branch, base, bases, protection, tip } = *facts;
        let branch = branch.clone();
        if default_branch == Some(&branch) {
            return Err(NoTarget::DefaultBranch { branch });
        }
        if *base == branch {
            return Err(NoTarget::Base { branch });
        }
        if bases.contains(&branch) {
            return Err(NoTarget::BaseOfCampaign { branch });
        }
        match (protection, tip) {
            (Protection::Protected, _) => Err(NoTarget::Protected { branch }),
            (Protection::Unknown, TipOf::Somebody) => Err(NoTarget::ProtectionUnknown { branch }),
            (Protection::Unknown, TipOf::NobodyElse) | (Protection::Open, _) => Ok(Self { branch }),
        }
    }

    #[must_use]
    pub fn branch(&self) -> &BranchName {
        &self.branch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> BranchName {
        text.parse().unwrap()
    }

    #[track_caller]
    fn check(branch: &str, protection: Protection, tip: TipOf, expected: Option<&str>) {
        let (main, next, bases) = (name("main"), name("next"), [name("next"), name("release")]);
        let default_branch = Some(&main);
        let facts = BranchFacts { default_branch, base: &next, bases: &bases, protection, tip };
        match (PushTarget::check(&name(branch), &facts), expected) {
            (Ok(target), None) => assert_eq!(target.branch().as_str(), branch),
            (Err(refusal), Some(part)) => assert!(refusal.to_string().contains(part), "{refusal}"),
            (found, expected) => panic!("{branch}: {found:?} and not {expected:?}"),
        }
    }

    #[test]
    fn a_branch_that_pull_requests_go_into_is_never_pushed_to() {
        for tip in [TipOf::NobodyElse, TipOf::Somebody] {
            check("main", Protection::Open, tip, Some("default branch"));
            check("next", Protection::Open, tip, Some("is to go into"));
            check("release", Protection::Open, tip, Some("of a campaign go into"));
            check("drover/x", Protection::Protected, tip, Some("protects"));
            check("drover/x", Protection::Open, tip, None);
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_open() {
        check("drover/x", Protection::Unknown, TipOf::NobodyElse, None);
        check("drover/x", Protection::Unknown, TipOf::Somebody, Some("may not read"));
    }

    #[test]
    fn an_empty_repository_has_no_default_branch() {
        let (branch, base) = (name("drover/x"), name("main"));
        let (protection, tip) = (Protection::Open, TipOf::NobodyElse);
        let facts = BranchFacts { default_branch: None, base: &base, bases: &[], protection, tip };
        assert!(PushTarget::check(&branch, &facts).is_ok());
    }
}
