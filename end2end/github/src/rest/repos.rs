use super::page::Page;
use crate::{
    call::{Call, Input, Readable, Writable},
    clock::now,
    error::ApiError,
    json,
    state::{Access, AccountKind, Repo},
};
use axum::{Json, extract::Path, response::Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// GitHub's own limit for topics of one repository.
const TOPICS_MAX: usize = 20;

/// What may be changed of a repository.
#[derive(Deserialize)]
pub(super) struct RepoEdit {
    description: Option<String>,
    archived: Option<bool>,
}

#[derive(Deserialize)]
pub(super) struct Topics {
    names: Vec<String>,
}

pub(super) async fn get(at: Readable) -> Json<Value> {
    let accounts = at.call.github.store.accounts();
    Json(json::repo(&at.repo, &accounts, at.urls(), at.call.login.as_deref()))
}

/// An archived repository can be taken out of the archive, and nothing else.
pub(super) async fn patch(
    at: Readable,
    Input(edit): Input<RepoEdit>,
) -> Result<Json<Value>, ApiError> {
    let login = at.call.signed_in()?;
    if at.repo.access_of(Some(login)) < Access::Write {
        return Err(ApiError::MayNot);
    }
    if at.repo.is_archived() && edit.archived != Some(false) {
        return Err(ApiError::Archived);
    }
    at.update(|repo| {
        if let Some(description) = edit.description {
            repo.description = Some(description).filter(|text| !text.is_empty());
        }
        if let Some(archived) = edit.archived {
            set_archived(repo, archived);
        }
        repo.updated_at = now();
        Ok(())
    })?;
    let (repo, accounts) = (at.reread()?, at.call.github.store.accounts());
    Ok(Json(json::repo(&repo, &accounts, at.urls(), at.call.login.as_deref())))
}

pub(crate) fn set_archived(repo: &mut Repo, archived: bool) {
    repo.archived_at = match (archived, repo.archived_at) {
        (false, _) => None,
        (true, None) => Some(now()),
        (true, Some(at)) => Some(at),
    };
}

pub(super) async fn topics(at: Readable) -> Json<Value> {
    Json(json!({ "names": at.repo.topics }))
}

pub(super) async fn set_topics(
    Writable { at, .. }: Writable,
    Input(Topics { names }): Input<Topics>,
) -> Result<Json<Value>, ApiError> {
    if names.len() > TOPICS_MAX {
        let text = format!("A repository cannot have more than {TOPICS_MAX} topics.");
        return Err(ApiError::Unprocessable(text));
    }
    at.update(|repo| {
        repo.topics = names.iter().map(|name| name.to_lowercase()).collect();
        Ok(())
    })?;
    Ok(Json(json!({ "names": at.reread()?.topics })))
}

pub(super) async fn languages(at: Readable) -> Json<Value> {
    Json(json!(at.repo.languages))
}

/// What the caller owns or was given access to.
pub(super) async fn list_mine(call: Call, page: Page) -> Result<Response, ApiError> {
    let login = call.signed_in()?.to_lowercase();
    let is_mine =
        |repo: &Repo| repo.owner.eq_ignore_ascii_case(&login) || repo.grants.contains_key(&login);
    Ok(list(&call, page, is_mine))
}

pub(super) async fn list_of_organisation(
    call: Call,
    Path(owner): Path<String>,
    page: Page,
) -> Result<Response, ApiError> {
    let accounts = call.github.store.accounts();
    let account = accounts.find(&owner).filter(|it| it.kind == AccountKind::Organisation);
    let owner = account.ok_or(ApiError::NotFound)?.login.clone();
    Ok(list(&call, page, |repo| repo.owner == owner))
}

pub(super) async fn list_of_user(
    call: Call,
    Path(owner): Path<String>,
    page: Page,
) -> Result<Response, ApiError> {
    let accounts = call.github.store.accounts();
    let owner = accounts.find(&owner).ok_or(ApiError::NotFound)?.login.clone();
    Ok(list(&call, page, |repo| repo.owner == owner))
}

fn list(call: &Call, page: Page, wanted: impl Fn(&Repo) -> bool) -> Response {
    let accounts = call.github.store.accounts();
    let mut repos = call.github.store.list();
    repos.retain(|repo| call.may_read(repo) && wanted(repo));
    sort(&mut repos, page.query("sort").unwrap_or("full_name"), page.query("direction"));
    let viewer = call.login.as_deref();
    page.of(&call.urls, &repos, |repo| json::repo(repo, &accounts, &call.urls, viewer))
}

fn sort(repos: &mut [Arc<Repo>], by: &str, direction: Option<&str>) {
    match by {
        "created" => repos.sort_by_key(|repo| repo.created_at),
        "updated" => repos.sort_by_key(|repo| repo.updated_at),
        "pushed" => repos.sort_by_key(|repo| repo.pushed_at),
        _ => repos.sort_by_key(|repo| repo.full_name().to_lowercase()),
    }
    let default = if by == "full_name" { "asc" } else { "desc" };
    if direction.unwrap_or(default) == "desc" {
        repos.reverse();
    }
}
