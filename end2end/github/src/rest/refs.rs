use super::page::Page;
use crate::{
    call::{Input, Readable, Writable},
    error::ApiError,
    git::{RefChange, RefMove, RefMoved, blocked_name, is_branch_name, is_sha},
    json, pushes,
    state::BranchChange,
};
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
pub(super) struct NewRef {
    r#ref: Option<String>,
    sha: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct RefEdit {
    sha: Option<String>,
    force: Option<bool>,
}

pub(super) async fn get(at: Readable) -> Result<Json<Value>, ApiError> {
    let name = format!("refs/{}", at.param("reference"));
    let sha = at.git.find_ref(&name).await?.ok_or(ApiError::NotFound)?;
    show(&at, &name, &sha).await.map(Json)
}

/// Refs that begin with a text, which need not end at a slash.
pub(super) async fn list_matching(at: Readable, page: Page) -> Result<Response, ApiError> {
    let prefix = format!("refs/{}", at.param("reference"));
    let mut found = at.git.typed_refs().await?;
    found.retain(|(name, ..)| name.starts_with(&prefix));
    Ok(page.of(at.urls(), &found, |(name, sha, kind)| {
        json::git_ref(&at.repo, at.urls(), name, sha, *kind)
    }))
}

pub(super) async fn create(
    Writable { at, login }: Writable,
    Input(NewRef { r#ref, sha }): Input<NewRef>,
) -> Result<Response, ApiError> {
    let name = r#ref.ok_or_else(|| ApiError::missing("Reference", "ref"))?;
    if !name.strip_prefix("refs/").is_some_and(|rest| rest.contains('/') && is_branch_name(rest)) {
        return Err(ApiError::Unprocessable(format!("{name} is not a valid ref name.")));
    }
    let short = name.trim_start_matches("refs/").split_once('/').map_or("", |(_, rest)| rest);
    if let Some(why) = blocked_name(short) {
        return Err(ApiError::Unprocessable(why.to_owned()));
    }
    if name.starts_with("refs/pull/") {
        return Err(ApiError::Unprocessable(format!("{name} is not a valid ref name.")));
    }
    let sha = find_object(&at, sha).await?;
    if at.git.find_ref(&name).await?.is_some() {
        return Err(ApiError::Unprocessable("Reference already exists".to_owned()));
    }
    let moved = RefMove::Created { sha: sha.clone() };
    go(&at, RefChange { name: name.clone(), moved }, &login).await?;
    let body = show(&at, &name, &sha).await?;
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

pub(super) async fn update(
    Writable { at, login }: Writable,
    Input(RefEdit { sha, force }): Input<RefEdit>,
) -> Result<Json<Value>, ApiError> {
    let (name, from) = find(&at).await?;
    let to = find_object(&at, sha).await?;
    if force != Some(true) && !at.git.is_ancestor(&from, &to).await? {
        return Err(ApiError::Unprocessable("Update is not a fast forward".to_owned()));
    }
    if from != to {
        let moved = RefMove::Updated { from, to: to.clone() };
        go(&at, RefChange { name: name.clone(), moved }, &login).await?;
    }
    show(&at, &name, &to).await.map(Json)
}

pub(super) async fn delete(Writable { at, login }: Writable) -> Result<StatusCode, ApiError> {
    let (name, from) = find(&at).await?;
    go(&at, RefChange { name, moved: RefMove::Deleted { from } }, &login).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn show(at: &Readable, name: &str, sha: &str) -> Result<Value, ApiError> {
    let kind = at.git.kind_of(sha).await?.ok_or(ApiError::NotFound)?;
    Ok(json::git_ref(&at.repo, at.urls(), name, sha, kind))
}

async fn find(at: &Readable) -> Result<(String, String), ApiError> {
    let name = format!("refs/{}", at.param("reference"));
    let sha = at.git.find_ref(&name).await?;
    let missing = || ApiError::Unprocessable("Reference does not exist".to_owned());
    Ok((name, sha.ok_or_else(missing)?))
}

async fn find_object(at: &Readable, sha: Option<String>) -> Result<String, ApiError> {
    let sha = sha.ok_or_else(|| ApiError::missing("Reference", "sha"))?;
    if !is_sha(&sha) {
        return Err(ApiError::Unprocessable(
            "The sha parameter must be exactly 40 characters and contain only [0-9a-f].".to_owned(),
        ));
    }
    let missing = || ApiError::Unprocessable("Object does not exist".to_owned());
    // A tag's object is kept as it is: it is what the ref shall show.
    at.git.kind_of(&sha).await?.ok_or_else(missing)?;
    Ok(sha)
}

/// Moves the ref and lets everything follow.
async fn go(at: &Readable, change: RefChange, login: &str) -> Result<(), ApiError> {
    let _turn = at.call.github.push_locks.lock(&at.key()).await;
    move_branch(at, change, login).await
}

/// The same for who holds the turn. A branch `a` keeps one `a/b` from being made, and a ref that
/// has moved meanwhile keeps its place.
pub(super) async fn move_branch(
    at: &Readable,
    change: RefChange,
    login: &str,
) -> Result<(), ApiError> {
    refuse_protected(at, &change).await?;
    match at.git.move_ref(&change).await? {
        RefMoved::Done => pushes::record(&at.call.github, &at.key(), &[change], login).await,
        RefMoved::Refused { why } => {
            tracing::info!(%why, "git refused to move a ref");
            Err(ApiError::Unprocessable("Reference update failed".to_owned()))
        }
    }
}

async fn refuse_protected(at: &Readable, change: &RefChange) -> Result<(), ApiError> {
    let Some(branch) = change.branch() else { return Ok(()) };
    let repo = at.reread()?;
    let kind = match &change.moved {
        RefMove::Created { .. } => BranchChange::Forward,
        RefMove::Deleted { .. } if branch == repo.default_branch => {
            return Err(ApiError::Unprocessable("Cannot delete this branch".to_owned()));
        }
        RefMove::Deleted { .. } => BranchChange::Deleted,
        RefMove::Updated { from, to } if at.git.is_ancestor(from, to).await? => {
            BranchChange::Forward
        }
        RefMove::Updated { .. } => BranchChange::Rewritten,
    };
    let protection = repo.protections.get(branch);
    match protection.and_then(|protection| protection.decline(kind)) {
        Some(why) => Err(ApiError::Unprocessable(why.to_owned())),
        None => Ok(()),
    }
}
