//! What follows when branches move, by whichever way: heads follow, pull requests whose commits
//! arrived in their base are merged, those whose branch is gone are closed, hooks are told.

use crate::{
    clock::now,
    error::ApiError,
    git::{RefChange, RefMove},
    github::Github,
    hooks::{self, PullAction},
    state::{Freshness, PullState, Repo, RepoKey},
};
use std::{collections::BTreeMap, sync::Arc};

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
    let heads = new_heads(&before, changes);
    let landed = find_landed(github, &before, changes, &heads).await?;
    let touched = github.store.update(key, |repo| {
        repo.pushed_at = now();
        repo.updated_at = repo.pushed_at;
        let mut touched = move_heads(repo, changes);
        touched.extend(land(repo, &landed, pusher));
        Ok::<_, ApiError>(touched)
    })?;
    let Some(after) = github.store.find(key, Freshness::Current) else { return Ok(()) };
    for change in changes.iter().filter(|change| change.branch().is_some()) {
        hooks::tell_push(github, &after, change, pusher).await?;
    }
    for Touched { number, action } in touched.unwrap_or_default() {
        if let Some(pull) = after.pulls.get(&number) {
            github.git(key).keep_pull_head(number, &pull.head.sha).await?;
            hooks::tell_pull(github, &after, pull, &action, pusher).await?;
        }
    }
    Ok(())
}

/// The heads of open pull requests after the push.
fn new_heads(repo: &Repo, changes: &[RefChange]) -> BTreeMap<u64, String> {
    let mut heads = BTreeMap::new();
    for pull in repo.open_pulls() {
        let change = changes.iter().find(|change| change.branch() == Some(&pull.head.branch));
        let sha = change.map_or(pull.head.sha.as_str(), RefChange::after);
        heads.insert(pull.number, sha.to_owned());
    }
    heads
}

/// Open pull requests whose head is now in their base, with the base's new commit.
async fn find_landed(
    github: &Github,
    repo: &Repo,
    changes: &[RefChange],
    heads: &BTreeMap<u64, String>,
) -> Result<Vec<(u64, String)>, ApiError> {
    let git = github.git(&repo.key());
    let mut landed = Vec::new();
    for change in changes {
        let RefMove::Updated { from, to } = &change.moved else { continue };
        let mut based = repo.open_pulls().filter(|it| change.branch() == Some(&it.base.branch));
        let Some(first) = based.next() else { continue };
        let arrived = git.new_commits(from, to).await?;
        let theirs = std::iter::once(first).chain(based);
        let numbers = theirs.map(|pull| pull.number);
        let has_landed =
            |number: &u64| heads.get(number).is_some_and(|head| arrived.contains(head));
        landed.extend(numbers.filter(has_landed).map(|number| (number, to.clone())));
    }
    Ok(landed)
}

fn move_heads(repo: &mut Repo, changes: &[RefChange]) -> Vec<Touched> {
    let at = now();
    let mut touched = Vec::new();
    for pull in repo.pulls.values_mut().filter(|pull| pull.is_open()) {
        let change = changes.iter().find(|change| change.branch() == Some(&pull.head.branch));
        let action = match change.map(|change| &change.moved) {
            None => continue,
            Some(RefMove::Deleted { .. }) => {
                pull.state = PullState::Closed { at };
                PullAction::Closed
            }
            Some(RefMove::Created { sha: to } | RefMove::Updated { to, .. }) => {
                let before = std::mem::replace(&mut pull.head.sha, to.clone());
                PullAction::Synchronize { before }
            }
        };
        pull.updated_at = at;
        touched.push(Touched { number: pull.number, action });
    }
    touched
}

fn land(repo: &mut Repo, landed: &[(u64, String)], by: &str) -> Vec<Touched> {
    let at = now();
    let mut touched = Vec::new();
    for (number, sha) in landed {
        let Some(pull) = repo.pulls.get_mut(number).filter(|pull| pull.is_open()) else { continue };
        pull.state = PullState::Merged { at, by: by.to_owned(), sha: sha.clone() };
        pull.updated_at = at;
        touched.push(Touched { number: *number, action: PullAction::Closed });
    }
    touched
}
