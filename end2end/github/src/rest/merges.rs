use crate::{
    call::{Input, Readable, Writable},
    clock::now,
    error::ApiError,
    git::{MergeMethod, MergeOrder, MergeOutcome, RefChange, RefMove, RefMoved, Signature},
    hooks::{self, PullAction},
    json,
    pulls::prepare,
    pushes,
    state::{Pull, PullState},
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

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Method {
    #[default]
    Merge,
    Squash,
    Rebase,
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
    if let Some(reason) = repo.blocked_branches.get(&pull.base.branch) {
        return Err(ApiError::NotMergeable(reason.clone()));
    }
    let refused = || ApiError::NotMergeable("Pull Request is not mergeable".to_owned());
    let base = at.git.branch_tip(&pull.base.branch).await?.ok_or_else(refused)?;
    let sha = match build(at, pull, &base, login, wish).await? {
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
    pull: &Pull,
    base: &str,
    login: &str,
    wish: &Merge,
) -> Result<MergeOutcome, ApiError> {
    let (method, title) = match wish.merge_method.unwrap_or_default() {
        Method::Merge => {
            let from = format!("{}/{}", at.repo.owner, pull.head.branch);
            (MergeMethod::Merge, format!("Merge pull request #{} from {from}", pull.number))
        }
        Method::Squash => (MergeMethod::Squash, format!("{} (#{})", pull.title, pull.number)),
        Method::Rebase => (MergeMethod::Rebase, String::new()),
    };
    let title = wish.commit_title.as_ref().unwrap_or(&title);
    let body = wish.commit_message.as_ref().unwrap_or(&pull.title);
    let message = format!("{title}\n\n{body}");
    let by = Signature::of_user(login, json::time(now()));
    let head = &pull.head.sha;
    let order = MergeOrder { method, base, head, message: &message, author: &by, committer: &by };
    Ok(at.git.build_merge(&order).await?)
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
