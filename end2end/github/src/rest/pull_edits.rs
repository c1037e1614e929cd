//! Changes of a pull request: its texts, its base, and whether it is open.

use super::pulls::{check_texts, find_base, refuse_second};
use crate::{
    call::Readable,
    clock::now,
    error::ApiError,
    git::Git,
    hooks::{self, PullAction},
    pulls,
    state::{Pull, PullState, Repo, Tip},
};
use serde::Deserialize;

/// `draft` is missing here: GitHub ignores it, too.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct PullEdit {
    pub(crate) title: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) base: Option<String>,
    pub(crate) state: Option<WantedState>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WantedState {
    Open,
    Closed,
}

/// Both tips of a pull request that is opened again.
struct Reopening {
    head: String,
    base: String,
}

/// Changes texts, base and state; all of it or nothing.
pub(crate) async fn edit(
    at: &Readable,
    number: u64,
    login: &str,
    wish: PullEdit,
) -> Result<(), ApiError> {
    check_texts(wish.title.as_deref(), wish.body.as_deref())?;
    // No push comes between what is looked at here and what follows from it.
    let _turn = at.call.github.push_locks.lock(&at.key()).await;
    let known = at.reread()?;
    let pull = known.pulls.get(&number).ok_or(ApiError::NotFound)?;
    let base = match wish.base.filter(|base| *base != pull.base.branch) {
        Some(base) => Some(check_base(at, pull, base).await?),
        None => None,
    };
    let reopening = match (&pull.state, wish.state) {
        (PullState::Closed { .. }, Some(WantedState::Open)) => {
            Some(check_reopening(&at.git, &known, pull).await?)
        }
        (PullState::Merged { .. }, Some(WantedState::Open)) => {
            return Err(not_reopened("The pull request cannot be reopened."));
        }
        (PullState::Open, Some(WantedState::Open)) | (_, Some(WantedState::Closed) | None) => None,
    };
    let tips_changed = base.is_some() || wish.state.is_some();
    let actions = at.update(|repo| {
        let mut pull = repo.pulls.get(&number).ok_or(ApiError::NotFound)?.clone();
        let mut actions = Vec::new();
        actions.extend(change_state(&mut pull, wish.state, reopening));
        if wish.title.is_some() || wish.body.is_some() || base.is_some() {
            pull.title = wish.title.unwrap_or(pull.title);
            pull.body = wish.body.or(pull.body);
            pull.base = base.unwrap_or(pull.base);
            refuse_second(repo, &pull)?;
            actions.push(PullAction::Edited);
        }
        pull.updated_at = now();
        repo.pulls.insert(number, pull);
        Ok(actions)
    })?;
    let repo = at.reread()?;
    let pull = repo.pulls.get(&number).ok_or(ApiError::NotFound)?;
    if tips_changed {
        at.git.keep_pull_head(number, &pull.head.sha).await?;
        pulls::prepare(&at.call.github, &repo, pull).await?;
    }
    for action in &actions {
        hooks::tell_pull(&at.call.github, &repo, pull, action, login).await?;
    }
    Ok(())
}

fn change_state(
    pull: &mut Pull,
    wanted: Option<WantedState>,
    reopening: Option<Reopening>,
) -> Option<PullAction> {
    if let Some(Reopening { head, base }) = reopening {
        pull.head.sha = head;
        pull.base.sha = base;
        pull.state = PullState::Open;
        return Some(PullAction::Reopened);
    }
    match (&pull.state, wanted) {
        (PullState::Open, Some(WantedState::Closed)) => {
            pull.state = PullState::Closed { at: now() };
            Some(PullAction::Closed)
        }
        (PullState::Open, Some(WantedState::Open))
        | (PullState::Closed { .. } | PullState::Merged { .. }, Some(_))
        | (_, None) => None,
    }
}

/// The new base of a pull request, if GitHub lets it have that one.
async fn check_base(at: &Readable, pull: &Pull, name: String) -> Result<Tip, ApiError> {
    let refuse = |text: String| ApiError::rejected("PullRequest", "base", text);
    if !pull.is_open() {
        let text = "Cannot change the base branch of a closed pull request.";
        return Err(refuse(text.to_owned()));
    }
    let head = &pull.head;
    let base = find_base(at, &name).await?;
    let base =
        base.ok_or_else(|| refuse(format!("Proposed base branch '{name}' was not found")))?;
    let (ahead, _) = at.git.ahead_behind(&base.sha, &head.sha).await?;
    if ahead == 0 {
        return Err(refuse(format!(
            "There are no new commits between base branch '{name}' and head branch '{}'",
            head.branch,
        )));
    }
    Ok(base)
}

/// Where both branches are, if GitHub reopens the pull request: only what is there, has commits,
/// and goes on from the head at the close. Whatever else was pushed while it was closed could not
/// be told from what had been reviewed.
async fn check_reopening(git: &Git, repo: &Repo, pull: &Pull) -> Result<Reopening, ApiError> {
    let (head, base) = (&pull.head.branch, &pull.base.branch);
    let is_same = |it: &Pull| it.head.branch == *head && it.base.branch == *base;
    if repo.open_pulls().any(is_same) {
        let text = format!("There is already an open pull request from {head} to {base}.");
        return Err(not_reopened(&text));
    }
    let gone = |branch: &str| not_reopened(&format!("The {branch} branch has been deleted."));
    let head_sha = git.branch_tip(head).await?.ok_or_else(|| gone(head))?;
    let base_sha = git.branch_tip(base).await?.ok_or_else(|| gone(base))?;
    if git.merge_base(&base_sha, &head_sha).await?.is_none() {
        let owner = &repo.owner;
        return Err(not_reopened(&format!(
            "The {owner}:{head} branch has no history in common with {owner}:{base}."
        )));
    }
    if !git.is_ancestor(&pull.head.sha, &head_sha).await? {
        let text = format!("The {head} branch was force-pushed or recreated.");
        return Err(not_reopened(&text));
    }
    let (ahead, _) = git.ahead_behind(&base_sha, &head_sha).await?;
    if ahead == 0 {
        let text = format!("There are no new commits on the {head} branch.");
        return Err(not_reopened(&text));
    }
    Ok(Reopening { head: head_sha, base: base_sha })
}

fn not_reopened(why: &str) -> ApiError {
    ApiError::rejected("PullRequest", "state", format!("state cannot be changed. {why}"))
}
