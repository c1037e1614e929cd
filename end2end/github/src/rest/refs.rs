use super::page::Page;
use crate::{
    call::{Input, Readable, Writable},
    error::ApiError,
    git::{RefChange, RefMove, RefMoved, is_branch_name, is_sha},
    json, pushes,
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
    Ok(Json(json::git_ref(&at.repo, at.urls(), &name, &sha)))
}

/// Refs that begin with a text, which need not end at a slash.
pub(super) async fn list_matching(at: Readable, page: Page) -> Result<Response, ApiError> {
    let prefix = format!("refs/{}", at.param("reference"));
    let refs = at.git.refs("").await?;
    let found: Vec<_> = refs.into_iter().filter(|(name, _)| name.starts_with(&prefix)).collect();
    Ok(page.of(at.urls(), &found, |(name, sha)| json::git_ref(&at.repo, at.urls(), name, sha)))
}

pub(super) async fn create(
    Writable { at, login }: Writable,
    Input(NewRef { r#ref, sha }): Input<NewRef>,
) -> Result<Response, ApiError> {
    let name = r#ref.ok_or_else(|| ApiError::missing("Reference", "ref"))?;
    if !name.strip_prefix("refs/").is_some_and(|rest| rest.contains('/') && is_branch_name(rest)) {
        return Err(ApiError::Unprocessable(format!("{name} is not a valid ref name.")));
    }
    let sha = find_object(&at, sha).await?;
    if at.git.find_ref(&name).await?.is_some() {
        return Err(ApiError::Unprocessable("Reference already exists".to_owned()));
    }
    let moved = RefMove::Created { sha: sha.clone() };
    go(&at, RefChange { name: name.clone(), moved }, &login).await?;
    let body = json::git_ref(&at.repo, at.urls(), &name, &sha);
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
    Ok(Json(json::git_ref(&at.repo, at.urls(), &name, &to)))
}

pub(super) async fn delete(Writable { at, login }: Writable) -> Result<StatusCode, ApiError> {
    let (name, from) = find(&at).await?;
    go(&at, RefChange { name, moved: RefMove::Deleted { from } }, &login).await?;
    Ok(StatusCode::NO_CONTENT)
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
    at.git.find_commit(&sha).await?.ok_or_else(missing)
}

/// Moves the ref and lets everything follow.
async fn go(at: &Readable, change: RefChange, login: &str) -> Result<(), ApiError> {
    let _turn = at.call.github.push_locks.lock(&at.key()).await;
    match at.git.move_ref(&change).await? {
        RefMoved::Done => pushes::record(&at.call.github, &at.key(), &[change], login).await,
        RefMoved::Refused { why } => Err(ApiError::Conflict(why)),
    }
}
