//! Commits that the API makes by itself: of one file, of a merge, of a branch that catches up.

use super::{
    objects::{Person, is_malformed},
    refs::move_branch,
};
use crate::{
    call::{Input, Readable, Writable},
    clock::now,
    error::ApiError,
    git::{
        EntryKind, MergeMethod, MergeOrder, MergeOutcome, NewEntry, RefChange, RefMove, Signature,
    },
    json,
};
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

/// A file that shall be written, or be gone.
#[derive(Deserialize)]
pub(super) struct FileEdit {
    message: Option<String>,
    content: Option<String>,
    /// The blob that the caller believes to replace.
    sha: Option<String>,
    branch: Option<String>,
    author: Option<Person>,
    committer: Option<Person>,
}

#[derive(Deserialize)]
pub(super) struct NewMerge {
    base: Option<String>,
    head: Option<String>,
    commit_message: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct CatchUp {
    expected_head_sha: Option<String>,
}

pub(super) async fn put_file(
    writable: Writable,
    Input(wish): Input<FileEdit>,
) -> Result<Response, ApiError> {
    let content = wish.content.as_deref().ok_or_else(|| ApiError::not_supplied("content"))?;
    let content = super::contents::decode(content)?;
    edit_file(writable, wish, Some(content)).await
}

/// GitHub's clients say what to delete in a body or in the query.
pub(super) async fn delete_file(
    writable: Writable,
    page: super::page::Page,
    Input(mut wish): Input<FileEdit>,
) -> Result<Response, ApiError> {
    for (field, name) in
        [(&mut wish.message, "message"), (&mut wish.sha, "sha"), (&mut wish.branch, "branch")]
    {
        *field = field.take().or_else(|| page.query(name).map(str::to_owned));
    }
    if wish.sha.is_none() {
        return Err(ApiError::not_supplied("sha"));
    }
    edit_file(writable, wish, None).await
}

async fn edit_file(
    Writable { at, login }: Writable,
    wish: FileEdit,
    content: Option<Vec<u8>>,
) -> Result<Response, ApiError> {
    let message = wish.message.ok_or_else(|| ApiError::not_supplied("message"))?;
    let path = at.param("path").trim_matches('/').to_owned();
    let malformed = || ApiError::Unprocessable("path contains a malformed path component".into());
    if is_malformed(&path) {
        return Err(malformed());
    }
    let _turn = at.call.github.push_locks.lock(&at.key()).await;
    let branch = wish.branch.unwrap_or_else(|| at.repo.default_branch.clone());
    let branch = branch.trim_start_matches("refs/heads/").to_owned();
    let no_branch = || ApiError::Missing(format!("Branch {branch} not found"));
    let tip = at.git.branch_tip(&branch).await?.ok_or_else(no_branch)?;
    let known = at.git.entry(&tip, &path).await?;
    let known = known.filter(|entry| entry.kind != EntryKind::Directory);
    match (&known, &wish.sha) {
        (Some(_), None) => return Err(ApiError::not_supplied("sha")),
        (Some(entry), Some(sha)) if entry.sha != *sha => {
            return Err(ApiError::Conflict(format!("{path} does not match {sha}")));
        }
        (None, _) if content.is_none() => return Err(ApiError::NotFound),
        (Some(_) | None, _) => (),
    }
    let what = match &content {
        Some(bytes) => Some(("100644".to_owned(), at.git.write_blob(bytes).await?)),
        None => None,
    };
    let root = at.git.find_tree(&tip).await?.ok_or(ApiError::NotFound)?;
    let entries = [NewEntry { path: path.clone(), what }];
    let tree = at.git.write_tree(Some(&root), &entries).await?.ok_or_else(malformed)?;
    let committer = wish.committer.or_else(|| wish.author.clone());
    let author = Person::signature(wish.author, &login);
    let committer = Person::signature(committer, &login);
    let sha = at.git.write_commit(&tree, &[&tip], &message, &author, &committer).await?;
    let moved = RefMove::Updated { from: tip, to: sha.clone() };
    let change = RefChange { name: format!("refs/heads/{branch}"), moved };
    move_branch(&at, change, &login).await?;
    let commit = at.git.commit(&sha).await?;
    let shown = match at.git.entry(&sha, &path).await? {
        Some(entry) => super::contents::short(&at, &branch, &entry),
        None => Value::Null,
    };
    let status = match (known, content) {
        (None, Some(_)) => StatusCode::CREATED,
        (Some(_) | None, _) => StatusCode::OK,
    };
    let commit = json::git_commit(&at.repo, at.urls(), &commit);
    Ok((status, Json(json!({ "content": shown, "commit": commit }))).into_response())
}

/// Merges any two branches, without a pull request.
pub(super) async fn merge(
    Writable { at, login }: Writable,
    Input(wish): Input<NewMerge>,
) -> Result<Response, ApiError> {
    let _turn = at.call.github.push_locks.lock(&at.key()).await;
    let base_name = wish.base.ok_or_else(|| ApiError::not_supplied("base"))?;
    let head_name = wish.head.ok_or_else(|| ApiError::not_supplied("head"))?;
    let missing = |what: &str| ApiError::Missing(format!("{what} does not exist"));
    let base = at.git.branch_tip(&base_name).await?.ok_or_else(|| missing("Base"))?;
    let head = at.git.find_commit(&head_name).await?.ok_or_else(|| missing("Head"))?;
    if at.git.is_ancestor(&head, &base).await? {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let message = wish.commit_message;
    let message = message.unwrap_or_else(|| format!("Merge {head_name} into {base_name}"));
    let sha = merge_into(&at, &login, &base_name, [&base, &head], &message);
    let conflict = || ApiError::Conflict("Merge conflict".to_owned());
    let sha = sha.await?.ok_or_else(conflict)?;
    let commit = at.git.commit(&sha).await?;
    let body = json::commit(&at.repo, at.urls(), &commit);
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// Merges the base of a pull request into its head.
pub(super) async fn catch_up(
    Writable { at, login }: Writable,
    Input(CatchUp { expected_head_sha }): Input<CatchUp>,
) -> Result<Response, ApiError> {
    let refuse = |text: &str| ApiError::Unprocessable(text.to_owned());
    let number = at.number()?;
    let _turn = at.call.github.push_locks.lock(&at.key()).await;
    let repo = at.reread()?;
    let pull = repo.pulls.get(&number).ok_or(ApiError::NotFound)?;
    let (head, base) = (&pull.head, &pull.base.branch);
    if expected_head_sha.is_some_and(|sha| sha != head.sha) {
        return Err(refuse("expected head sha didn’t match current head ref."));
    }
    if !pull.is_open() {
        return Err(refuse("Pull request is closed"));
    }
    let base_sha = at.git.branch_tip(base).await?.ok_or(ApiError::NotFound)?;
    if at.git.is_ancestor(&base_sha, &head.sha).await? {
        return Err(refuse("There are no new commits on the base branch."));
    }
    let message = format!("Merge branch '{base}' into {}", head.branch);
    let tips = [head.sha.as_str(), base_sha.as_str()];
    let merged = merge_into(&at, &login, &head.branch, tips, &message).await?;
    merged.ok_or_else(|| refuse("merge conflict between base and head"))?;
    let url = format!("{}/repos/{}/pulls/{number}", at.urls().api, repo.full_name());
    let body = json!({ "message": "Updating pull request branch.", "url": url });
    Ok((StatusCode::ACCEPTED, Json(body)).into_response())
}

/// Moves a branch to the merge of its tip with another commit; none when they conflict.
async fn merge_into(
    at: &Readable,
    login: &str,
    branch: &str,
    [tip, other]: [&str; 2],
    message: &str,
) -> Result<Option<String>, ApiError> {
    let by = Signature::of_user(login, json::time(now()));
    let (author, committer) = (&by, &by);
    let method = MergeMethod::Merge;
    let order = MergeOrder { method, base: tip, head: other, message, author, committer };
    let MergeOutcome::Built { sha } = at.git.build_merge(&order).await? else { return Ok(None) };
    let moved = RefMove::Updated { from: tip.to_owned(), to: sha.clone() };
    let change = RefChange { name: format!("refs/heads/{branch}"), moved };
    move_branch(at, change, login).await?;
    Ok(Some(sha))
}
