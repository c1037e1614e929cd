//! What applying a spec does to the changesets of a campaign.
//!
//! The preview shows it row by row. Apply does the same in set-based SQL, and a test holds the
//! two together. Nothing is sent here: every changeset that was touched is reconciled then.
//!
//! - A wish meets the changeset that the campaign has in its repository and branch already.
//! - What was archived comes back when it is wanted again, unless its pull request is over: then
//!   a new changeset is made, because a merged pull request cannot be opened again.
//! - What is wanted no more is archived, and closed where it is open, if the campaign opened it
//!   itself; it is let go if there is no pull request, or if others made it.
//! - What a person closed, here or on the code host, stays closed: a new spec changes what is
//!   wanted of the changeset and not whether it is wanted.
//! - What the person who applies cannot see is left as it is.
//! - A branch belongs to one live changeset, whichever campaign that is of.

use crate::{
    changeset::{Filing, PullState, spec::ChangesetSpec},
    id::{ChangesetId, ChangesetSpecId},
    names::{BranchName, PullNumber, RepoName},
};
use std::collections::{BTreeMap, BTreeSet};

/// What a changeset is about. A campaign has one live changeset for each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A branch that the campaign pushes.
    Branch(RepoName, BranchName),
    /// A pull request that others made.
    Pull(RepoName, PullNumber),
}

impl ChangesetSpec {
    #[must_use]
    pub fn target(&self) -> Target {
        match self {
            Self::Branch(spec) => Target::Branch(spec.repo.clone(), spec.head.clone()),
            Self::Existing { repo, number } => Target::Pull(repo.clone(), *number),
        }
    }
}

/// A wish of the spec that is applied.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    pub id: ChangesetSpecId,
    pub spec: &'a ChangesetSpec,
}

/// A changeset that the campaign has.
#[derive(Clone, Copy, Debug)]
pub struct Existing<'a> {
    pub id: ChangesetId,
    pub spec: &'a ChangesetSpec,
    pub filing: Filing,
    /// `None`: there is no pull request.
    pub pull: Option<PullState>,
    pub access: Access,
}

/// Whether the person who applies may read the repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Readable,
    Hidden,
}

/// What becomes of a wish or of a changeset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rewiring {
    Create {
        spec: ChangesetSpecId,
    },
    /// The changeset wants this very thing already.
    Keep {
        changeset: ChangesetId,
    },
    /// The changeset follows the new wish.
    Update {
        changeset: ChangesetId,
        spec: ChangesetSpecId,
    },
    /// The changeset was put aside, and follows the new wish.
    Revive {
        changeset: ChangesetId,
        spec: ChangesetSpecId,
    },
    Archive {
        changeset: ChangesetId,
    },
    Detach {
        changeset: ChangesetId,
    },
    /// Wanted no more, and left as it is because its repository is hidden.
    Skip {
        changeset: ChangesetId,
    },
    /// The branch belongs to a live changeset of another campaign: nothing is made of the wish.
    Taken {
        spec: ChangesetSpecId,
    },
}

/// Several wishes of one spec for the same branch of the same repository.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} wishes are for the same {}; give each a branch of its own", specs.len(), describe(target))]
pub struct Conflict {
    pub target: Target,
    /// In the order of the wishes.
    pub specs: Vec<ChangesetSpecId>,
}

fn describe(target: &Target) -> String {
    match target {
        Target::Branch(repo, branch) => format!("branch `{branch}` of `{repo}`"),
        Target::Pull(repo, number) => format!("pull request {repo}{number}"),
    }
}

/// Decides about every wish and every changeset, ordered by what they are about. `taken` are the
/// branches of live changesets of other campaigns.
pub fn rewire(
    wishes: &[Wish<'_>],
    existing: &[Existing<'_>],
    taken: &BTreeSet<Target>,
) -> Result<Vec<Rewiring>, Vec<Conflict>> {
    let mut wanted = by_target(wishes)?;
    let mut rows: Vec<(Target, Rewiring)> = Vec::new();
    for (target, wish) in wanted.iter().filter(|(target, _)| taken.contains(*target)) {
        rows.push((target.clone(), Rewiring::Taken { spec: wish.id }));
    }
    wanted.retain(|target, _| !taken.contains(target));
    let mut met: BTreeSet<Target> = BTreeSet::new();
    for changeset in existing {
        let target = changeset.spec.target();
        let wish = wanted.get(&target);
        let rewiring = match wish {
            Some(wish) => meet(*wish, changeset),
            None => let_go(changeset),
        };
        if wish.is_some() && rewiring.is_some() {
            met.insert(target.clone());
        }
        rows.extend(rewiring.map(|rewiring| (target, rewiring)));
    }
    wanted.retain(|target, _| !met.contains(target));
    rows.extend(
        wanted.into_iter().map(|(target, wish)| (target, Rewiring::Create { spec: wish.id })),
    );
    rows.sort();
    Ok(rows.into_iter().map(|(_, rewiring)| rewiring).collect())
}

fn by_target<'a>(wishes: &[Wish<'a>]) -> Result<BTreeMap<Target, Wish<'a>>, Vec<Conflict>> {
    let mut all: BTreeMap<Target, Vec<Wish<'a>>> = BTreeMap::new();
    for wish in wishes {
        all.entry(wish.spec.target()).or_default().push(*wish);
    }
    let conflicts: Vec<Conflict> = all
        .iter()
        .filter(|(_, wishes)| wishes.len() > 1)
        .map(|(target, wishes)| Conflict {
            target: target.clone(),
            specs: wishes.iter().map(|wish| wish.id).collect(),
        })
        .collect();
    if !conflicts.is_empty() {
        return Err(conflicts);
    }
    Ok(all.into_iter().filter_map(|(target, wishes)| Some((target, *wishes.first()?))).collect())
}

/// What a wish makes of a changeset about the same; `None` when it cannot use it.
fn meet(wish: Wish<'_>, changeset: &Existing<'_>) -> Option<Rewiring> {
    let (id, spec) = (changeset.id, wish.id);
    let over = match changeset.pull {
        Some(PullState::Merged | PullState::Deleted) => true,
        Some(PullState::Draft | PullState::Open | PullState::Closed | PullState::ReadOnly)
        | None => false,
    };
    match changeset.filing {
        Filing::Active if changeset.spec == wish.spec => Some(Rewiring::Keep { changeset: id }),
        Filing::Active => Some(Rewiring::Update { changeset: id, spec }),
        Filing::Archived if over => None,
        Filing::Archived => Some(Rewiring::Revive { changeset: id, spec }),
        Filing::Detached => None,
    }
}

/// What becomes of a changeset that no wish is about; `None` when it is put aside already.
fn let_go(changeset: &Existing<'_>) -> Option<Rewiring> {
    let id = changeset.id;
    match (changeset.filing, changeset.access, changeset.spec, changeset.pull) {
        (Filing::Archived | Filing::Detached, _, _, _) => None,
        (Filing::Active, Access::Hidden, _, _) => Some(Rewiring::Skip { changeset: id }),
        (Filing::Active, Access::Readable, ChangesetSpec::Branch(_), Some(_)) => {
            Some(Rewiring::Archive { changeset: id })
        }
        (Filing::Active, Access::Readable, ChangesetSpec::Branch(_), None)
        | (Filing::Active, Access::Readable, ChangesetSpec::Existing { .. }, _) => {
            Some(Rewiring::Detach { changeset: id })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::changeset::spec::tests::branch_spec;
    use uuid::Uuid;

    fn wish_id(number: u128) -> ChangesetSpecId {
        ChangesetSpecId(Uuid::from_u128(number))
    }

    fn changeset_id(number: u128) -> ChangesetId {
        ChangesetId(Uuid::from_u128(number))
    }

    fn on_branch(branch: &str, title: &str) -> ChangesetSpec {
        let (head, title) = (branch.parse().unwrap(), title.to_owned());
        ChangesetSpec::Branch(crate::changeset::spec::BranchSpec { head, title, ..branch_spec() })
    }

    fn tracking() -> ChangesetSpec {
        ChangesetSpec::Existing { repo: "acme/web".parse().unwrap(), number: PullNumber(7) }
    }

    /// One changeset, which meets one wish or none.
    #[track_caller]
    fn check(
        wish: Option<&ChangesetSpec>,
        filing: Filing,
        pull: Option<PullState>,
        expected: &[Rewiring],
    ) {
        let spec = on_branch("x", "old");
        let access = Access::Readable;
        let existing = [Existing { id: changeset_id(1), spec: &spec, filing, pull, access }];
        let wishes: Vec<Wish<'_>> =
            wish.into_iter().map(|spec| Wish { id: wish_id(2), spec }).collect();
        assert_eq!(rewire(&wishes, &existing, &BTreeSet::new()).unwrap(), expected);
    }

    const CREATE: Rewiring = Rewiring::Create { spec: ChangesetSpecId(Uuid::from_u128(2)) };
    const CHANGESET: ChangesetId = ChangesetId(Uuid::from_u128(1));

    #[test]
    fn a_wish_that_meets_nothing_makes_a_changeset() {
        let (spec, tracking) = (on_branch("x", "t"), tracking());
        let wishes =
            [Wish { id: wish_id(1), spec: &spec }, Wish { id: wish_id(2), spec: &tracking }];
        let made = [Rewiring::Create { spec: wish_id(1) }, Rewiring::Create { spec: wish_id(2) }];
        assert_eq!(rewire(&wishes, &[], &BTreeSet::new()).unwrap(), made);
    }

    #[test]
    fn a_wish_that_is_met_changes_the_changeset_or_keeps_it() {
        let (same, new) = (on_branch("x", "old"), on_branch("x", "new"));
        let (keep, update) = (
            Rewiring::Keep { changeset: CHANGESET },
            Rewiring::Update { changeset: CHANGESET, spec: wish_id(2) },
        );
        for pull in [None, Some(PullState::Open), Some(PullState::Closed), Some(PullState::Merged)]
        {
            check(Some(&same), Filing::Active, pull, &[keep]);
            check(Some(&new), Filing::Active, pull, &[update]);
        }
    }

    #[test]
    fn what_was_put_aside_comes_back_unless_it_is_over() {
        let same = on_branch("x", "old");
        let revive = Rewiring::Revive { changeset: CHANGESET, spec: wish_id(2) };
        check(Some(&same), Filing::Archived, Some(PullState::Closed), &[revive]);
        check(Some(&same), Filing::Archived, None, &[revive]);
        check(Some(&same), Filing::Archived, Some(PullState::Merged), &[CREATE]);
        check(Some(&same), Filing::Archived, Some(PullState::Deleted), &[CREATE]);
        check(Some(&same), Filing::Detached, Some(PullState::Open), &[CREATE]);
    }

    #[test]
    fn another_branch_is_another_changeset() {
        let other = on_branch("y", "old");
        let archive = Rewiring::Archive { changeset: CHANGESET };
        check(Some(&other), Filing::Active, Some(PullState::Open), &[archive, CREATE]);
    }

    #[test]
    fn what_is_wanted_no_more_is_archived_or_let_go() {
        let (archive, detach) =
            (Rewiring::Archive { changeset: CHANGESET }, Rewiring::Detach { changeset: CHANGESET });
        check(None, Filing::Active, Some(PullState::Open), &[archive]);
        check(None, Filing::Active, Some(PullState::Merged), &[archive]);
        check(None, Filing::Active, None, &[detach]);
        check(None, Filing::Archived, Some(PullState::Closed), &[]);
        check(None, Filing::Detached, Some(PullState::Open), &[]);
    }

    #[test]
    fn pull_requests_of_others_are_let_go_and_hidden_ones_left_alone() {
        let (tracking, branch) = (tracking(), on_branch("x", "t"));
        let left = |spec, access| Existing {
            id: CHANGESET,
            spec,
            filing: Filing::Active,
            pull: Some(PullState::Open),
            access,
        };
        let detach = Rewiring::Detach { changeset: CHANGESET };
        let skip = Rewiring::Skip { changeset: CHANGESET };
        assert_eq!(
            rewire(&[], &[left(&tracking, Access::Readable)], &BTreeSet::new()).unwrap(),
            [detach]
        );
        assert_eq!(
            rewire(&[], &[left(&branch, Access::Hidden)], &BTreeSet::new()).unwrap(),
            [skip]
        );
    }

    #[test]
    fn two_wishes_for_one_branch_are_a_conflict() {
        let (one, other) = (on_branch("x", "one"), on_branch("x", "other"));
        let wishes = [Wish { id: wish_id(1), spec: &one }, Wish { id: wish_id(2), spec: &other }];
        let conflicts = rewire(&wishes, &[], &BTreeSet::new()).unwrap_err();
        assert_eq!(conflicts[0].specs, [wish_id(1), wish_id(2)]);
        assert_eq!(
            conflicts[0].to_string(),
            "2 wishes are for the same branch `x` of `acme/web`; give each a branch of its own"
        );
    }

    #[test]
    fn a_branch_of_another_campaign_is_taken() {
        let (spec, other) = (on_branch("x", "t"), on_branch("y", "t"));
        let wishes = [Wish { id: wish_id(1), spec: &spec }, Wish { id: wish_id(2), spec: &other }];
        let taken = BTreeSet::from([spec.target()]);
        let expected =
            [Rewiring::Taken { spec: wish_id(1) }, Rewiring::Create { spec: wish_id(2) }];
        assert_eq!(rewire(&wishes, &[], &taken).unwrap(), expected);
    }

    #[test]
    fn an_archived_and_a_live_changeset_of_one_branch_do_not_quarrel() {
        let (old, new) = (on_branch("x", "old"), on_branch("x", "new"));
        let at = |number, spec, filing, pull| Existing {
            id: changeset_id(number),
            spec,
            filing,
            pull: Some(pull),
            access: Access::Readable,
        };
        let existing = [
            at(1, &old, Filing::Archived, PullState::Merged),
            at(2, &old, Filing::Active, PullState::Open),
        ];
        let update = Rewiring::Update { changeset: changeset_id(2), spec: wish_id(3) };
        let wishes = [Wish { id: wish_id(3), spec: &new }];
        assert_eq!(rewire(&wishes, &existing, &BTreeSet::new()).unwrap(), [update]);
    }
}
