//! Pull requests as issues: labels, assignees and comments. Issues alone are not stood in for.

use super::{PullEdit, WantedState, edit_pull, page::Page};
use crate::{
    call::{Input, Readable, Writable},
    clock::now,
    error::ApiError,
    hooks::{self, PullAction},
    json,
    state::{Comment, Pull},
};
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// GitHub's own limits.
const LABELS_MAX: usize = 100;
const ASSIGNEES_MAX: usize = 10;
const COMMENT_CHARS_MAX: usize = 65_536;

#[derive(Deserialize)]
pub(super) struct IssueEdit {
    title: Option<String>,
    body: Option<String>,
    state: Option<WantedState>,
    labels: Option<Vec<Label>>,
    assignees: Option<Vec<String>>,
}

/// GitHub takes both a name and an object.
#[derive(Deserialize)]
#[serde(untagged)]
enum Label {
    Name(String),
    Object { name: String },
}

#[derive(Deserialize)]
pub(super) struct NewComment {
    body: Option<String>,
}

pub(super) async fn get(at: Readable) -> Result<Json<Value>, ApiError> {
    show(&at)
}

pub(super) async fn patch(
    Writable { at, login }: Writable,
    Input(wish): Input<IssueEdit>,
) -> Result<Json<Value>, ApiError> {
    let number = at.number()?;
    let labels = wish.labels.map(names).transpose()?;
    let assignees = wish.assignees.map(|logins| known_logins(&at, logins)).transpose()?;
    let IssueEdit { title, body, state, .. } = wish;
    if title.is_some() || body.is_some() || state.is_some() {
        edit_pull(&at, number, &login, PullEdit { title, body, base: None, state }).await?;
    }
    let actions = at.update(|repo| {
        let pull = repo.pulls.get_mut(&number).ok_or(ApiError::NotFound)?;
        let actions = labels.map(|labels| set_labels(pull, labels)).unwrap_or_default();
        pull.assignees = assignees.unwrap_or_else(|| pull.assignees.clone());
        pull.updated_at = now();
        Ok(actions)
    })?;
    let repo = at.reread()?;
    let pull = repo.pulls.get(&number).ok_or(ApiError::NotFound)?;
    for action in &actions {
        hooks::tell_pull(&at.call.github, &repo, pull, action, &login).await?;
    }
    show(&at)
}

pub(super) async fn comments(at: Readable, page: Page) -> Result<Response, ApiError> {
    let pull = at.repo.pulls.get(&at.number()?).ok_or(ApiError::NotFound)?;
    let accounts = at.call.github.store.accounts();
    let viewer = at.call.login.as_deref();
    let shown = json::Shown { repo: &at.repo, accounts: &accounts, urls: at.urls(), viewer };
    Ok(page.of(at.urls(), &pull.comments, |it| json::comment(it, pull.number, shown)))
}

/// Everybody who may read may comment.
pub(super) async fn create_comment(
    at: Readable,
    Input(NewComment { body }): Input<NewComment>,
) -> Result<Response, ApiError> {
    let login = at.call.signed_in()?.to_owned();
    if at.repo.is_archived() {
        return Err(ApiError::Archived);
    }
    let number = at.number()?;
    let body = body.filter(|body| !body.is_empty());
    let body = body.ok_or_else(|| ApiError::missing("IssueComment", "body"))?;
    if body.chars().count() > COMMENT_CHARS_MAX {
        let text = format!("body is too long (maximum is {COMMENT_CHARS_MAX} characters)");
        return Err(ApiError::custom("IssueComment", text));
    }
    let comment = at.update(|repo| {
        let id = repo.next_item_id();
        let pull = repo.pulls.get_mut(&number).ok_or(ApiError::NotFound)?;
        let comment = Comment { id, author: login.clone(), body, created_at: now() };
        pull.comments.push(comment.clone());
        pull.updated_at = comment.created_at;
        Ok(comment)
    })?;
    let (repo, accounts) = (at.reread()?, at.call.github.store.accounts());
    let shown =
        json::Shown { repo: &repo, accounts: &accounts, urls: at.urls(), viewer: Some(&login) };
    let body = json::comment(&comment, number, shown);
    if let Some(pull) = repo.pulls.get(&number) {
        let issue = json::issue(pull, shown);
        let payload = json!({ "action": "created", "comment": body, "issue": issue });
        hooks::tell(&at.call.github, &repo, "issue_comment", &login, payload);
    }
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

fn show(at: &Readable) -> Result<Json<Value>, ApiError> {
    let (repo, accounts) = (at.reread()?, at.call.github.store.accounts());
    let pull = repo.pulls.get(&at.number()?).ok_or(ApiError::NotFound)?;
    let viewer = at.call.login.as_deref();
    let shown = json::Shown { repo: &repo, accounts: &accounts, urls: at.urls(), viewer };
    Ok(Json(json::issue(pull, shown)))
}

fn names(labels: Vec<Label>) -> Result<BTreeSet<String>, ApiError> {
    if labels.len() > LABELS_MAX {
        return Err(ApiError::invalid("Issue", "labels"));
    }
    let names = labels.into_iter().map(|label| match label {
        Label::Name(name) | Label::Object { name } => name,
    });
    Ok(names.collect())
}

/// GitHub passes over logins that it does not know.
fn known_logins(at: &Readable, logins: Vec<String>) -> Result<BTreeSet<String>, ApiError> {
    if logins.len() > ASSIGNEES_MAX {
        return Err(ApiError::invalid("Issue", "assignees"));
    }
    let accounts = at.call.github.store.accounts();
    Ok(logins.iter().filter_map(|it| accounts.find(it)).map(|it| it.login.clone()).collect())
}

pub(crate) fn set_labels(pull: &mut Pull, labels: BTreeSet<String>) -> Vec<PullAction> {
    let new = labels.difference(&pull.labels).cloned();
    let mut actions: Vec<_> = new.map(|label| PullAction::Labeled { label }).collect();
    let gone = pull.labels.difference(&labels).cloned();
    actions.extend(gone.map(|label| PullAction::Unlabeled { label }));
    pull.labels = labels;
    actions
}
