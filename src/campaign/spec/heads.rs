//! Which branch is pushed for which: the heads of the pull requests of one repository.
//!
//! A head is the template's `branch`. Where pull requests go into several branches of one
//! repository, each has a head of its own, named after its target as well. A changeset keeps the
//! head that it has, in either form: what is added to `on` later renames nobody's branch.
//!
//! What pull requests go into is never pushed to, and what git cannot hold is not tried.

use super::{
    ChangesetTemplate,
    values::{Place, Reader},
};
use crate::names::{BranchName, NameError, RepoName};
use std::collections::{BTreeMap, BTreeSet};

/// The head that a changeset of the campaign has in a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadInUse {
    pub base: BranchName,
    pub head: BranchName,
}

/// Why there is no branch that could be pushed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    #[error("pull requests go into `{head}`, so Drover cannot push to it")]
    IsBase { head: BranchName },
    #[error("git cannot have a branch `{head}` beside the branch `{base}`")]
    Excluded { head: BranchName, base: BranchName },
    #[error("`{first}` and `{second}` would both get the branch `{head}`")]
    Doubled { first: BranchName, second: BranchName, head: BranchName },
    #[error("the pull request into `{base}` needs a branch of its own, and {reason}")]
    NoName { base: BranchName, reason: NameError },
}

impl ChangesetTemplate {
    /// The branches to push for pull requests into `bases`, in their order.
    ///
    /// `in_use` are the heads that the campaign has in the repository, the live ones first;
    /// `others` are branches that are not pushed to, beside the bases.
    pub fn heads(
        &self,
        bases: &[BranchName],
        in_use: &[HeadInUse],
        others: &[BranchName],
    ) -> Result<Vec<BranchName>, HeadError> {
        let wanted: BTreeSet<&BranchName> = bases.iter().collect();
        let mut kept: BTreeMap<&BranchName, &BranchName> = BTreeMap::new();
        let mut taken: BTreeSet<&BranchName> = BTreeSet::new();
        for HeadInUse { base, head } in in_use.iter().filter(|it| wanted.contains(&it.base)) {
            let fits = *head == self.branch || self.named_after(base).is_ok_and(|it| it == *head);
            if fits && !kept.contains_key(base) && taken.insert(head) {
                kept.insert(base, head);
            }
        }
        let heads: Vec<BranchName> = bases
            .iter()
            .map(|base| match kept.get(base) {
                Some(head) => Ok((*head).clone()),
                None => self.head(base, bases.len()),
            })
            .collect::<Result<_, _>>()?;
        let never: Vec<&BranchName> = bases.iter().chain(others).collect();
        let pairs: Vec<_> = bases.iter().zip(&heads).collect();
        match conflicts(&pairs, &never).into_iter().next() {
            Some((_, conflict)) => Err(conflict),
            None => Ok(heads),
        }
    }

    /// The head of a new pull request, one of so many in its repository.
    fn head(&self, base: &BranchName, count: usize) -> Result<BranchName, HeadError> {
        if count <= 1 {
            return Ok(self.branch.clone());
        }
        self.named_after(base).map_err(|reason| HeadError::NoName { base: base.clone(), reason })
    }

    fn named_after(&self, base: &BranchName) -> Result<BranchName, NameError> {
        format!("{}-{}", self.branch, base.as_str().replace('/', "-")).parse()
    }
}

/// What stands against heads, each with the index of its base. `never` are not pushed to.
fn conflicts(
    heads: &[(&BranchName, &BranchName)],
    never: &[&BranchName],
) -> Vec<(usize, HeadError)> {
    let never: BTreeMap<&str, &BranchName> = never.iter().map(|it| (it.as_str(), *it)).collect();
    let mut pushed: BTreeMap<&str, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for (index, (base, head)) in heads.iter().enumerate() {
        let text = head.as_str();
        let in_folder = folders(text).find_map(|it| never.get(it));
        let head = (*head).clone();
        if let Some(before) = pushed.insert(text, index) {
            let (first, second) = (heads[before].0.clone(), (*base).clone());
            found.push((index, HeadError::Doubled { first, second, head }));
        } else if never.contains_key(text) {
            found.push((index, HeadError::IsBase { head }));
        } else if let Some(base) = in_folder {
            let base = (*base).clone();
            found.push((index, HeadError::Excluded { head, base }));
        }
    }
    for (text, base) in &never {
        if let Some(index) = folders(text).find_map(|it| pushed.get(it)) {
            let (head, base) = (heads[*index].1.clone(), (*base).clone());
            found.push((*index, HeadError::Excluded { head, base }));
        }
    }
    found
}

/// The folders in which git keeps a branch: none of them can be a branch as well.
fn folders(branch: &str) -> impl Iterator<Item = &str> {
    branch.match_indices('/').map(|(at, _)| &branch[..at])
}

/// A branch that the spec names for pull requests, with its place in the text.
pub(super) struct Target {
    repo: String,
    /// `None`: the default branch, whichever that is.
    base: Option<BranchName>,
    place: Place,
    path: String,
}

impl Target {
    pub(super) fn new(
        repo: &RepoName,
        base: Option<BranchName>,
        place: Place,
        path: String,
    ) -> Self {
        // Code hosts do not tell names apart by their case.
        Self { repo: repo.as_str().to_lowercase(), base, place, path }
    }
}

/// Refuses what the spec alone tells: branches to push that cannot be pushed. `place` is that of
/// the key `branch` of the template; `suggestion` a branch that may serve instead.
pub(super) fn check(
    reader: &mut Reader<'_>,
    targets: &[Target],
    template: &ChangesetTemplate,
    branch: Option<(Place, String)>,
    suggestion: Option<BranchName>,
) {
    let problems = problems(targets, template);
    let other = suggestion
        .map(|branch| ChangesetTemplate { branch, ..template.clone() })
        .filter(|other| self::problems(targets, other).is_empty())
        .map_or_else(String::new, |other| format!(", such as `{}`", other.branch));
    for (target, error) in problems {
        let of_target = (target.place, target.path.clone());
        let ((place, path), hint) = match &error {
            HeadError::IsBase { head } | HeadError::Excluded { head, .. } => {
                let is_template = *head == template.branch;
                let place = branch.clone().filter(|_| is_template).unwrap_or(of_target);
                (place, format!("choose another `branch` in `changesetTemplate`{other}"))
            }
            HeadError::Doubled { .. } => (
                of_target,
                "name them in two campaigns, each with a `branch` of its own".to_owned(),
            ),
            HeadError::NoName { .. } => {
                (of_target, "choose a shorter `branch` in `changesetTemplate`".to_owned())
            }
        };
        reader.problem(place, &path, error.to_string(), Some(hint));
    }
}

fn problems<'a>(
    targets: &'a [Target],
    template: &ChangesetTemplate,
) -> Vec<(&'a Target, HeadError)> {
    // In the order of the text, each branch once.
    let mut repos: BTreeMap<&str, Vec<&Target>> = BTreeMap::new();
    let mut seen: BTreeSet<(&str, Option<&BranchName>)> = BTreeSet::new();
    for target in targets {
        if seen.insert((&target.repo, target.base.as_ref())) {
            repos.entry(&target.repo).or_default().push(target);
        }
    }
    let mut found = Vec::new();
    // A repository with one target gets the template's branch, so no target may have that name.
    let named = targets.iter().filter(|it| it.base.as_ref() == Some(&template.branch));
    found.extend(named.take(1).map(|it| (it, HeadError::IsBase { head: template.branch.clone() })));
    for of_repo in repos.values() {
        let mut heads = Vec::new();
        for (base, target) in of_repo.iter().filter_map(|it| Some((it.base.as_ref()?, *it))) {
            match template.head(base, of_repo.len()) {
                Ok(head) => heads.push((base, target, head)),
                Err(error) => found.push((target, error)),
            }
        }
        let never: Vec<&BranchName> = of_repo.iter().filter_map(|it| it.base.as_ref()).collect();
        let pairs: Vec<_> = heads.iter().map(|(base, _, head)| (*base, head)).collect();
        for (index, error) in conflicts(&pairs, &never) {
            if let Some((_, target, _)) = heads.get(index) {
                found.push((*target, error));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{SAMPLE, spec::CampaignSpec};

    fn branch(name: &str) -> BranchName {
        name.parse().unwrap()
    }

    fn template() -> ChangesetTemplate {
        let spec = CampaignSpec::parse(SAMPLE.as_bytes()).unwrap();
        ChangesetTemplate { branch: branch("x"), ..spec.changeset_template.unwrap() }
    }

    /// `in_use` and `expected` are pairs of a base and its head.
    #[track_caller]
    fn check(bases: &[&str], in_use: &[(&str, &str)], expected: Result<&[&str], &str>) {
        let bases: Vec<BranchName> = bases.iter().map(|it| branch(it)).collect();
        let in_use: Vec<HeadInUse> = in_use
            .iter()
            .map(|(base, head)| HeadInUse { base: branch(base), head: branch(head) })
            .collect();
        let heads = template().heads(&bases, &in_use, &[branch("trunk")]);
        let heads = heads.as_ref().map(|it| it.iter().map(BranchName::as_str).collect::<Vec<_>>());
        assert_eq!(
            heads.map_err(ToString::to_string),
            expected.map(<[_]>::to_vec).map_err(str::to_owned)
        );
    }

    #[test]
    fn pull_requests_into_several_branches_have_branches_of_their_own() {
        check(&["main"], &[], Ok(&["x"]));
        check(&["main", "release/1.x"], &[], Ok(&["x-main", "x-release-1.x"]));
    }

    #[test]
    fn a_changeset_keeps_the_head_that_it_has() {
        check(&["main", "dev"], &[("main", "x")], Ok(&["x", "x-dev"]));
        check(&["dev", "main"], &[("main", "x")], Ok(&["x-dev", "x"]));
        check(&["main"], &[("main", "x-main"), ("dev", "x-dev")], Ok(&["x-main"]));
        check(&["dev"], &[("main", "x")], Ok(&["x"]));
        // Another `branch` in the spec is another branch.
        check(&["main", "dev"], &[("main", "y")], Ok(&["x-main", "x-dev"]));
        check(&["main"], &[("main", "y")], Ok(&["x"]));
        // The live one stands first; what two had one behind the other, one of them keeps.
        check(&["main"], &[("main", "x-main"), ("main", "x")], Ok(&["x-main"]));
        check(&["a", "b"], &[("b", "x"), ("a", "x")], Ok(&["x-a", "x"]));
        check(&["a", "b"], &[("a", "x-a"), ("b", "x"), ("a", "x")], Ok(&["x-a", "x"]));
    }

    #[test]
    fn a_branch_that_cannot_be_pushed_is_refused() {
        let is_base =
            |head: &str| format!("pull requests go into `{head}`, so Drover cannot push to it");
        check(&["x"], &[], Err(&is_base("x")));
        check(&["x-b", "b"], &[], Err(&is_base("x-b")));
        check(&["x", "b"], &[("b", "x")], Err(&is_base("x")));
        check(
            &["release/1", "release-1"],
            &[],
            Err("`release/1` and `release-1` would both get the branch `x-release-1`"),
        );
        check(&["x/1"], &[], Err("git cannot have a branch `x` beside the branch `x/1`"));
        let other = ChangesetTemplate { branch: branch("trunk"), ..template() };
        let bases = [branch("dev")];
        let never = [branch("trunk")];
        let is_default = other.heads(&bases, &[], &never).unwrap_err();
        assert_eq!(is_default, HeadError::IsBase { head: branch("trunk") });
        let below = ChangesetTemplate { branch: branch("trunk/x"), ..template() };
        let excluded = below.heads(&bases, &[], &never).unwrap_err();
        let (head, base) = (branch("trunk/x"), branch("trunk"));
        assert_eq!(excluded, HeadError::Excluded { head, base });
        let long = branch(&"b".repeat(243));
        let no_name = template().heads(&[branch("main"), long], &[], &[]).unwrap_err();
        assert!(matches!(no_name, HeadError::NoName { .. }), "{no_name}");
    }
}
