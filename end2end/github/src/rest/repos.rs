use super::page::Page;
use crate::{
    call::{Call, Input, Readable, Writable},
    clock::now,
    error::ApiError,
    json,
    repos::{self, rename},
    state::{
        Access, AccountKind, MergeMessage, MergeTitle, MergedHeads, Merging, Method, Repo,
        SquashMessage, SquashTitle, Visibility,
    },
};
use axum::{
    Json,
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// GitHub's own limit for topics of one repository.
const TOPICS_MAX: usize = 20;

/// What may be changed of a repository.
#[derive(Deserialize)]
pub(super) struct RepoEdit {
    name: Option<String>,
    description: Option<String>,
    private: Option<bool>,
    visibility: Option<Visibility>,
    default_branch: Option<String>,
    archived: Option<bool>,
    #[serde(flatten)]
    merging: MergingEdit,
}

/// How pull requests shall be merged.
#[derive(Deserialize)]
struct MergingEdit {
    allow_merge_commit: Option<bool>,
    allow_squash_merge: Option<bool>,
    allow_rebase_merge: Option<bool>,
    delete_branch_on_merge: Option<bool>,
    merge_commit_title: Option<MergeTitle>,
    merge_commit_message: Option<MergeMessage>,
    squash_merge_commit_title: Option<SquashTitle>,
    squash_merge_commit_message: Option<SquashMessage>,
}

impl MergingEdit {
    fn apply(self, merging: &mut Merging) {
        for (method, allowed) in [
            (Method::Merge, self.allow_merge_commit),
            (Method::Squash, self.allow_squash_merge),
            (Method::Rebase, self.allow_rebase_merge),
        ] {
            match allowed {
                Some(true) => drop(merging.methods.insert(method)),
                Some(false) => drop(merging.methods.remove(&method)),
                None => (),
            }
        }
        match self.delete_branch_on_merge {
            Some(true) => merging.merged_heads = MergedHeads::Deleted,
            Some(false) => merging.merged_heads = MergedHeads::Kept,
            None => (),
        }
        merging.merge_title = self.merge_commit_title.unwrap_or(merging.merge_title);
        merging.merge_message = self.merge_commit_message.unwrap_or(merging.merge_message);
        merging.squash_title = self.squash_merge_commit_title.unwrap_or(merging.squash_title);
        merging.squash_message = self.squash_merge_commit_message.unwrap_or(merging.squash_message);
    }
}

#[derive(Deserialize)]
pub(super) struct Transfer {
    new_owner: Option<String>,
    new_name: Option<String>,
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
    let login = at.call.signed_in()?.to_owned();
    if at.repo.access_of(Some(&login)) < Access::Write {
        return Err(ApiError::MayNot);
    }
    if at.repo.is_archived() && edit.archived != Some(false) {
        return Err(ApiError::Archived);
    }
    if let Some(branch) = &edit.default_branch {
        if at.git.branch_tip(branch).await?.is_none() {
            let text = format!("The branch {branch} was not found. Please push that ref first.");
            return Err(ApiError::rejected("Repository", "default_branch", text));
        }
        at.git.set_head(branch).await?;
    }
    at.update(|repo| {
        if let Some(branch) = edit.default_branch {
            repo.default_branch = branch;
        }
        edit.merging.apply(&mut repo.merging);
        repo.visibility = match (edit.visibility, edit.private) {
            (Some(visibility), _) => visibility,
            (None, Some(true)) => Visibility::Private,
            (None, Some(false)) => Visibility::Public,
            (None, None) => repo.visibility,
        };
        if let Some(description) = edit.description {
            repo.description = Some(description).filter(|text| !text.is_empty());
        }
        match edit.archived {
            Some(true) => repo.archive(now()),
            Some(false) => repo.unarchive(),
            None => (),
        }
        repo.updated_at = now();
        Ok(())
    })?;
    let repo = match edit.name.filter(|name| *name != at.repo.name) {
        Some(name) => rename(&at.call.github, &at.key(), &at.repo.owner, &name, &login).await?,
        None => at.reread()?,
    };
    let accounts = at.call.github.store.accounts();
    Ok(Json(json::repo(&repo, &accounts, at.urls(), Some(&login))))
}

pub(super) async fn delete(at: Readable) -> Result<StatusCode, ApiError> {
    let login = at.call.signed_in()?;
    if at.repo.access_of(Some(login)) < Access::Write {
        return Err(ApiError::MayNot);
    }
    repos::delete(&at.call.github, &at.key(), login).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// GitHub says 202 and transfers a little later; here it is done when the answer comes.
pub(super) async fn transfer(
    Writable { at, login }: Writable,
    Input(wish): Input<Transfer>,
) -> Result<Response, ApiError> {
    let missing = || ApiError::missing("Repository", "new_owner");
    let owner = wish.new_owner.ok_or_else(missing)?;
    let accounts = at.call.github.store.accounts();
    let invalid = || ApiError::invalid("Repository", "new_owner");
    let owner = &accounts.find(&owner).ok_or_else(invalid)?.login;
    let name = wish.new_name.unwrap_or_else(|| at.repo.name.clone());
    let repo = rename(&at.call.github, &at.key(), owner, &name, &login).await?;
    let body = json::repo(&repo, &accounts, at.urls(), Some(&login));
    Ok((StatusCode::ACCEPTED, Json(body)).into_response())
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
