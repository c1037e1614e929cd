//! What came of running a spec, repository by repository.
//!
//! "No result" is not "nothing wanted": a step that failed, a code host that did not answer or a
//! repository that may not be pushed to say nothing about what a campaign wants there. Only a
//! repository that the spec and its queries really leave out is in no row here, and even that
//! means something only when the list of repositories is [`Resolution::Complete`].

use crate::{
    id::RepoId,
    names::{BranchName, RepoName},
};

/// What came of every repository that a spec or its queries name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcomes {
    pub resolution: Resolution,
    pub repositories: Vec<RepositoryOutcome>,
}

/// Whether everything is known that a spec and its queries name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    Complete,
    /// A query was answered in part, or not at all: what is in no row may be wanted all the same.
    Partial {
        reason: String,
    },
}

/// What came of one repository and the branch that its pull request targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryOutcome {
    /// `None`: Drover has never seen a repository of this name.
    pub repo: Option<RepoId>,
    /// The name that it has today, or else the one in the spec.
    pub name: RepoName,
    /// `None`: the default branch of a repository that could not be read, so any may be meant.
    pub base: Option<BranchName>,
    pub outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The steps ran to the end and made changes: there is a wish.
    Changed,
    /// The steps ran to the end and made no change: nothing is wanted here.
    Unchanged,
    /// Nothing is known about what is wanted here.
    NoResult { reason: String },
}

/// What a spec says about one changeset that none of its wishes meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// The spec leaves its repository out, or its steps ran there and changed nothing.
    Dropped,
    /// Nobody knows, so it stays as it is.
    Kept { reason: &'a str },
}

impl Outcomes {
    /// Judges a changeset that no wish of the spec meets, by its repository and base branch.
    #[must_use]
    pub fn verdict(&self, repo: RepoId, name: &RepoName, base: &BranchName) -> Verdict<'_> {
        let concerns = |row: &&RepositoryOutcome| {
            let same_repo = row.repo.map_or(row.name == *name, |id| id == repo);
            same_repo && row.base.as_ref().is_none_or(|it| it == base)
        };
        let unknown =
            self.repositories.iter().filter(concerns).find_map(|row| match &row.outcome {
                Outcome::NoResult { reason } => Some(reason.as_str()),
                Outcome::Changed | Outcome::Unchanged => None,
            });
        match (unknown, &self.resolution) {
            (Some(reason), Resolution::Complete | Resolution::Partial { .. }) => {
                Verdict::Kept { reason }
            }
            (None, Resolution::Partial { reason }) => Verdict::Kept { reason },
            (None, Resolution::Complete) => Verdict::Dropped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const KNOWN: RepoId = RepoId(Uuid::from_u128(1));

    fn row(repo: Option<RepoId>, name: &str, base: Option<&str>, why: &str) -> RepositoryOutcome {
        let outcome = match why {
            "changed" => Outcome::Changed,
            "unchanged" => Outcome::Unchanged,
            reason => Outcome::NoResult { reason: reason.to_owned() },
        };
        let base = base.map(|base| base.parse().unwrap());
        RepositoryOutcome { repo, name: name.parse().unwrap(), base, outcome }
    }

    /// The verdict about the changeset of `zoo/one` (id 1) that goes into `main`.
    #[track_caller]
    fn check(rows: &[RepositoryOutcome], partial: Option<&str>, kept: Option<&str>) {
        let resolution = match partial {
            None => Resolution::Complete,
            Some(reason) => Resolution::Partial { reason: reason.to_owned() },
        };
        let outcomes = Outcomes { resolution, repositories: rows.to_vec() };
        let verdict =
            outcomes.verdict(KNOWN, &"zoo/one".parse().unwrap(), &"main".parse().unwrap());
        assert_eq!(verdict, kept.map_or(Verdict::Dropped, |reason| Verdict::Kept { reason }));
    }

    #[test]
    fn only_what_a_spec_really_leaves_out_is_dropped() {
        check(&[], None, None);
        check(&[row(None, "zoo/two", None, "exit code 3")], None, None);
        check(&[row(Some(KNOWN), "zoo/one", Some("main"), "unchanged")], None, None);
    }

    #[test]
    fn without_a_result_nothing_is_dropped() {
        let why = Some("exit code 3");
        check(&[row(Some(KNOWN), "zoo/one", Some("main"), "exit code 3")], None, why);
        check(&[row(Some(KNOWN), "zoo/renamed", Some("main"), "exit code 3")], None, why);
        check(&[row(None, "zoo/one", Some("main"), "exit code 3")], None, why);
        check(&[row(Some(KNOWN), "zoo/one", None, "exit code 3")], None, why);
    }

    #[test]
    fn another_branch_or_repository_says_nothing() {
        check(&[row(Some(KNOWN), "zoo/one", Some("next"), "exit code 3")], None, None);
        let other = RepoId(Uuid::from_u128(2));
        check(&[row(Some(other), "zoo/one", Some("main"), "exit code 3")], None, None);
    }

    #[test]
    fn a_list_that_is_known_in_part_drops_nothing() {
        check(&[], Some("the second page is missing"), Some("the second page is missing"));
        let rows = [row(Some(KNOWN), "zoo/one", Some("main"), "unchanged")];
        check(&rows, Some("cut"), Some("cut"));
    }
}
