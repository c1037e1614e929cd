//! What follows when branches move, by whichever way: heads follow, pull requests whose commits
//! arrived in their base are merged, those whose branch is gone or that have no commit left are
//! closed, hooks are told.
//!
//! A pull request that is closed keeps the head that it had: what happens to its branch
//! afterwards decides only whether it can be reopened.

use crate::{
    clock::now,
    error::ApiError,
    git::{Git, RefChange, RefMove},
    github::Github,
    hooks::{self, PullAction},
    pulls,
    state::{Freshness, Pull, PullState, Repo, RepoKey},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What a push makes of an open pull request.
enum Fate {
    /// Its commits are in its base now, of which this is the new tip.
    Landed { sha: String },
    /// One of its branches is gone.
    WithoutBranch,
    /// Its head moved.
    Moved(Tips),
    /// Its head moved to where it has no commit that its base has not.
    Emptied(Tips),
}

/// Where both branches are after the push.
struct Tips {
    head: String,
    base: String,
}

/// One pull request that a push changed.
struct Touched {
    number: u64,
    action: PullAction,
}

pub(crate) async fn record(
    github: &Arc<Github>,
    key: &RepoKey,
    changes: &[RefChange],
    pusher: &str,
) -> Result<(), ApiError> {
    let Some(before) = github.store.find(key, Freshness::Current) else { return Ok(()) };
    if changes.is_empty() {
        return Ok(());
    }
    let fates = foresee(&github.git(key), &before, changes).await?;
    let touched = github.store.update(key, |repo| {
        repo.pushed_at = now();
        repo.updated_at = repo.pushed_at;
        let fulfil = |(number, fate)| fulfil(repo, number, fate, pusher);
        Ok::<_, ApiError>(fates.into_iter().flat_map(fulfil).collect::<Vec<_>>())
    })?;
    let Some(after) = github.store.find(key, Freshness::Current) else { return Ok(()) };
    for change in changes.iter().filter(|change| change.branch().is_some()) {
        hooks::tell_push(github, &after, change, pusher).await?;
    }
    for Touched { number, action } in touched.unwrap_or_default() {
        if let Some(pull) = after.pulls.get(&number) {
            github.git(key).keep_pull_head(number, &pull.head.sha).await?;
            pulls::prepare(github, &after, pull).await?;
            hooks::tell_pull(github, &after, pull, &action, pusher).await?;
        }
    }
    Ok(())
}

/// The open pull requests that a push changes, and how.
async fn foresee(
    git: &Git,
    repo: &Repo,
    changes: &[RefChange],
) -> Result<Vec<(u64, Fate)>, ApiError> {
    let find = |branch: &str| changes.iter().find(|change| change.branch() == Some(branch));
    let mut arrivals = BTreeMap::new();
    let mut fates = Vec::new();
    for pull in repo.open_pulls() {
        let (head, base) = (find(&pull.head.branch), find(&pull.base.branch));
        if let Some(base) = base.filter(|_| !arrivals.contains_key(&pull.base.branch)) {
            arrivals.insert(pull.base.branch.clone(), arrived(git, base).await?);
        }
        let arrived = arrivals.get(&pull.base.branch);
        let fate = foresee_one(git, pull, head, base, arrived).await?;
        fates.extend(fate.map(|fate| (pull.number, fate)));
    }
    Ok(fates)
}

/// The commits that a branch has got.
async fn arrived(git: &Git, change: &RefChange) -> Result<BTreeSet<String>, ApiError> {
    match &change.moved {
        RefMove::Updated { from, to } => Ok(git.new_commits(from, to).await?),
        RefMove::Created { .. } | RefMove::Deleted { .. } => Ok(BTreeSet::new()),
    }
}

async fn foresee_one(
    git: &Git,
    pull: &Pull,
    head: Option<&RefChange>,
    base: Option<&RefChange>,
    arrived: Option<&BTreeSet<String>>,
) -> Result<Option<Fate>, ApiError> {
    // Who lands by hand pushes the base and deletes the branch at once.
    let head_sha = match head.map(|change| &change.moved) {
        Some(RefMove::Created { sha: to } | RefMove::Updated { to, .. }) => to,
        Some(RefMove::Deleted { .. }) | None => &pull.head.sha,
    };
    if arrived.is_some_and(|arrived| arrived.contains(head_sha)) {
        return Ok(base.map(|base| Fate::Landed { sha: base.after().to_owned() }));
    }
    let is_gone = |it: &RefChange| matches!(it.moved, RefMove::Deleted { .. });
    if head.is_some_and(is_gone) || base.is_some_and(is_gone) {
        return Ok(Some(Fate::WithoutBranch));
    }
    if head.is_none() {
        return Ok(None);
    }
    let base = match base {
        Some(change) => change.after().to_owned(),
        None => git.branch_tip(&pull.base.branch).await?.unwrap_or_else(|| pull.base.sha.clone()),
    };
    let (ahead, _) = git.ahead_behind(&base, head_sha).await?;
    let tips = Tips { head: head_sha.clone(), base };
    Ok(Some(if ahead == 0 { Fate::Emptied(tips) } else { Fate::Moved(tips) }))
}

fn fulfil(repo: &mut Repo, number: u64, fate: Fate, by: &str) -> Vec<Touched> {
    let at = now();
    let Some(pull) = repo.pulls.get_mut(&number).filter(|pull| pull.is_open()) else {
        return Vec::new();
    };
    pull.updated_at = at;
    let actions = match fate {
        Fate::Landed { sha } => {
            pull.state = PullState::Merged { at, by: by.to_owned(), sha };
            vec![PullAction::Closed]
        }
        Fate::WithoutBranch => {
            pull.state = PullState::Closed { at };
            vec![PullAction::Closed]
        }
        Fate::Moved(tips) => vec![follow(pull, tips)],
        Fate::Emptied(tips) => {
            let followed = follow(pull, tips);
            pull.state = PullState::Closed { at };
            vec![followed, PullAction::Closed]
        }
    };
    actions.into_iter().map(|action| Touched { number, action }).collect()
}

fn follow(pull: &mut Pull, tips: Tips) -> PullAction {
    pull.base.sha = tips.base;
    PullAction::Synchronize { before: std::mem::replace(&mut pull.head.sha, tips.head) }
}
