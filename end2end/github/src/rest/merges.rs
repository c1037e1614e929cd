use super::merge_texts::{self, Text, github};
use crate::{
    call::{Input, Readable, Writable},
    clock::now,
    error::ApiError,
    git::{MergeMethod, MergeOrder, MergeOutcome, RefChange, RefMove, RefMoved, Signature},
    hooks::{self, PullAction},
    json,
    pulls::prepare,
    pushes,
    state::{MergedHeads, Method, Pull, PullState, Repo, Tip},
};
use axum::{Json, http::StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Merge {
    pub(crate) commit_title: Option<String>,
    pub(crate) commit_message: Option<String>,
    /// The head that the caller believes to merge.
    pub(crate) sha: Option<String>,
    pub(crate) merge_method: Option<Method>,
}

pub(super) async fn get(at: Readable) -> Result<StatusCode, ApiError> {
    let pull = at.repo.pulls.get(&at.number()?).ok_or(ApiError::NotFound)?;
    match pull.state {
        PullState::Merged { .. } => Ok(StatusCode::NO_CONTENT),
        PullState::Open | PullState::Closed { .. } => Err(ApiError::NotFound),
    }
}

pub(super) async fn put(
    Writable { at, login }: Writable,
    Input(wish): Input<Merge>,
) -> Result<Json<Value>, ApiError> {
    let sha = merge(&at, at.number()?, &login, &wish).await?;
    let message = "Pull Request successfully merged";
    Ok(Json(json!({ "sha": sha, "merged": true, "message": message })))
}

/// Merges onto the base as it is now, and returns the commit that the base moved to.
pub(crate) async fn merge(
    at: &Readable,
    number: u64,
    login: &str,
    wish: &Merge,
) -> Result<String, ApiError> {
    let _turn = at.call.github.push_locks.lock(&at.key()).await;
    let repo = at.reread()?;
    let pull = repo.pulls.get(&number).ok_or(ApiError::NotFound)?;
    refuse(pull, wish)?;
    refuse_method(&repo, wish.merge_method.unwrap_or_default())?;
    if let Some(reason) = repo.blocked_branches.get(&pull.base.branch) {
        return Err(ApiError::NotMergeable(reason.clone()));
    }
    let refused = || ApiError::NotMergeable("Pull Request is not mergeable".to_owned());
    let base = at.git.branch_tip(&pull.base.branch).await?.ok_or_else(refused)?;
    let sha = match build(at, &repo, pull, &base, login, wish).await? {
        MergeOutcome::Built { sha } => sha,
        MergeOutcome::Conflict => return Err(refused()),
    };
    let moved = RefMove::Updated { from: base, to: sha.clone() };
    let change = RefChange { name: format!("refs/heads/{}", pull.base.branch), moved };
    if let RefMoved::Refused { .. } = at.git.move_ref(&change).await? {
        let text = "Base branch was modified. Review and try the merge again.";
        return Err(ApiError::Conflict(text.to_owned()));
    }
    close_as_merged(at, number, login, &sha).await?;
    pushes::record(&at.call.github, &at.key(), &[change], login).await?;
    delete_head(at, number, login).await?;
    Ok(sha)
}

fn refuse(pull: &Pull, wish: &Merge) -> Result<(), ApiError> {
    if !pull.is_open() {
        return Err(ApiError::NotMergeable("Pull Request is not mergeable".to_owned()));
    }
    if pull.is_draft() {
        let text = "Pull Request is still a draft";
        return Err(ApiError::NotMergeable(text.to_owned()));
    }
    if wish.sha.as_ref().is_some_and(|sha| *sha != pull.head.sha) {
        let text = "Head branch was modified. Review and try the merge again.";
        return Err(ApiError::Conflict(text.to_owned()));
    }
    Ok(())
}

async fn build(
    at: &Readable,
    repo: &Repo,
    pull: &Pull,
    base: &str,
    login: &str,
    wish: &Merge,
) -> Result<MergeOutcome, ApiError> {
    let time = json::time(now());
    let merger = Signature::of_user(login, time.clone());
    let opener = Signature::of_user(&pull.author, time.clone());
    let (method, text, author, committer) = match wish.merge_method.unwrap_or_default() {
        Method::Merge => {
            (MergeMethod::Merge, merge_texts::of_merge(repo, pull), merger, github(time))
        }
        Method::Squash => {
            let commits = at.git.commits_between(base, &pull.head.sha).await?;
            let text = merge_texts::of_squash(repo, pull, &commits, &opener);
            (MergeMethod::Squash, text, opener, github(time))
        }
        // A rebase keeps the texts and authors that it finds.
        Method::Rebase => {
            let text = Text { title: String::new(), message: String::new() };
            (MergeMethod::Rebase, text, opener, merger)
        }
    };
    let title = wish.commit_title.clone().filter(|title| !title.is_empty());
    let message = wish.commit_message.clone();
    let text =
        Text { title: title.unwrap_or(text.title), message: message.unwrap_or(text.message) };
    let (message, head) = (text.whole(), &pull.head.sha);
    let (author, committer) = (&author, &committer);
    let order = MergeOrder { method, base, head, message: &message, author, committer };
    Ok(at.git.build_merge(&order).await?)
}

fn refuse_method(repo: &Repo, method: Method) -> Result<(), ApiError> {
    if repo.merging.methods.contains(&method) {
        return Ok(());
    }
    let text = match method {
        Method::Merge => "Merge commits are not allowed on this repository.",
        Method::Squash => "Squash merges are not allowed on this repository.",
        Method::Rebase => "Rebase merges are not allowed on this repository.",
    };
    Err(ApiError::NotMergeable(text.to_owned()))
}

/// By the repository's setting, the branch goes with its merge; what was to be merged into it is
/// to be merged into the base then.
async fn delete_head(at: &Readable, number: u64, login: &str) -> Result<(), ApiError> {
    let repo = at.reread()?;
    let merged = repo.pulls.get(&number).ok_or(ApiError::NotFound)?;
    let branch = merged.head.branch.clone();
    let is_needed = branch == repo.default_branch
        || repo.is_protected(&branch)
        || repo.open_pulls().any(|pull| pull.head.branch == branch);
    if repo.merging.merged_heads == MergedHeads::Kept || is_needed {
        return Ok(());
    }
    let Some(from) = at.git.branch_tip(&branch).await? else { return Ok(()) };
    let base = Tip {
        branch: merged.base.branch.clone(),
        sha: at.git.branch_tip(&merged.base.branch).await?.unwrap_or_default(),
    };
    let retargeted = at.update(|repo| {
        let open = repo.pulls.values_mut().filter(|pull| pull.is_open());
        let mut retargeted = Vec::new();
        for pull in open.filter(|pull| pull.base.branch == branch) {
            pull.base = base.clone();
            retargeted.push(pull.number);
        }
        Ok(retargeted)
    })?;
    let moved = RefMove::Deleted { from };
    let change = RefChange { name: format!("refs/heads/{branch}"), moved };
    if let RefMoved::Done = at.git.move_ref(&change).await? {
        pushes::record(&at.call.github, &at.key(), &[change], login).await?;
    }
    let repo = at.reread()?;
    for pull in retargeted.iter().filter_map(|number| repo.pulls.get(number)) {
        hooks::tell_pull(&at.call.github, &repo, pull, &PullAction::Edited, login).await?;
    }
    Ok(())
}

async fn close_as_merged(
    at: &Readable,
    number: u64,
    login: &str,
    sha: &str,
) -> Result<(), ApiError> {
    at.update(|repo| {
        let pull = repo.pulls.get_mut(&number).ok_or(ApiError::NotFound)?;
        let (by, sha) = (login.to_owned(), sha.to_owned());
        pull.state = PullState::Merged { at: now(), by, sha };
        pull.updated_at = now();
        Ok(())
    })?;
    let repo = at.reread()?;
    let pull = repo.pulls.get(&number).ok_or(ApiError::NotFound)?;
    prepare(&at.call.github, &repo, pull).await?;
    hooks::tell_pull(&at.call.github, &repo, pull, &PullAction::Closed, login).await
}
