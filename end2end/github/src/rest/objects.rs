//! Git's objects one by one: blobs, trees, commits and annotated tags.

use super::media::Media;
use crate::{
    call::{Input, Readable, Writable},
    clock::now,
    error::ApiError,
    git::{NewEntry, ObjectKind, Signature, Tag, is_sha},
    json,
};
use axum::{
    Json,
    extract::RawQuery,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};

/// GitHub's own limits for one tree and for one blob.
const ENTRIES_MAX: usize = 100_000;
const BLOB_BYTES_MAX: u64 = 100 << 20;

#[derive(Deserialize)]
pub(super) struct NewBlob {
    content: Option<String>,
    encoding: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct NewTree {
    tree: Option<Vec<TreePart>>,
    base_tree: Option<String>,
}

#[derive(Deserialize)]
struct TreePart {
    path: Option<String>,
    mode: Option<String>,
    content: Option<String>,
    /// Absent when there is content; `null` takes the path away.
    #[serde(default, deserialize_with = "present")]
    sha: Option<Option<String>>,
}

#[derive(Deserialize)]
pub(super) struct NewGitCommit {
    message: Option<String>,
    tree: Option<String>,
    #[serde(default)]
    parents: Vec<String>,
    author: Option<Person>,
    committer: Option<Person>,
}

#[derive(Deserialize)]
pub(super) struct NewTag {
    tag: Option<String>,
    message: Option<String>,
    object: Option<String>,
    r#type: Option<String>,
    tagger: Option<Person>,
}

/// Who GitHub shall name in a commit.
#[derive(Clone, Deserialize)]
pub(super) struct Person {
    name: Option<String>,
    email: Option<String>,
    date: Option<String>,
}

impl Person {
    /// What is not said is the caller's.
    pub(super) fn signature(wish: Option<Self>, login: &str) -> Signature {
        let caller = Signature::of_user(login, json::time(now()));
        let Some(Self { name, email, date }) = wish else { return caller };
        Signature {
            name: name.unwrap_or(caller.name),
            email: email.unwrap_or(caller.email),
            at: date.unwrap_or(caller.at),
        }
    }
}

fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

pub(super) async fn blob(at: Readable, media: Media) -> Result<Response, ApiError> {
    let sha = find(&at, ObjectKind::Blob).await?;
    let bytes = at.git.blob(&sha).await?;
    if media == Media::Raw {
        return Ok(media.answer(bytes));
    }
    Media::json(json!({
        "sha": sha,
        "node_id": format!("B_{}_{sha}", at.repo.id),
        "url": url(&at, "blobs", &sha),
        "size": bytes.len(),
        "encoding": "base64",
        "content": super::contents::in_lines(&BASE64_STANDARD.encode(&bytes)),
    }))
}

pub(super) async fn create_blob(
    Writable { at, .. }: Writable,
    Input(wish): Input<NewBlob>,
) -> Result<Response, ApiError> {
    let content = wish.content.ok_or_else(|| ApiError::not_supplied("content"))?;
    let bytes = match wish.encoding.as_deref() {
        Some("base64") => super::contents::decode(&content)?,
        Some(_) | None => content.into_bytes(),
    };
    if bytes.len() as u64 > BLOB_BYTES_MAX {
        return Err(ApiError::Unprocessable("Your input was too large to process".to_owned()));
    }
    let sha = at.git.write_blob(&bytes).await?;
    Ok(created(json!({ "sha": sha, "url": url(&at, "blobs", &sha) })))
}

/// A tree by its sha, or by whatever leads to a commit; `recursive` with any value shows all of it.
pub(super) async fn tree(at: Readable, RawQuery(query): RawQuery) -> Result<Json<Value>, ApiError> {
    let reference = at.param("sha");
    let sha = at.git.find_tree(reference).await?.ok_or(ApiError::NotFound)?;
    let is_recursive = query.is_some_and(|query| query.contains("recursive="));
    show_tree(&at, &sha, is_recursive.then_some("-r")).await.map(Json)
}

pub(super) async fn create_tree(
    Writable { at, .. }: Writable,
    Input(wish): Input<NewTree>,
) -> Result<Response, ApiError> {
    let parts = wish.tree.ok_or_else(|| ApiError::not_supplied("tree"))?;
    if parts.len() > ENTRIES_MAX {
        return Err(ApiError::Unprocessable("Your input was too large to process".to_owned()));
    }
    let base = match wish.base_tree {
        Some(base) => {
            let missing =
                || ApiError::Unprocessable("base_tree is not a valid tree oid".to_owned());
            Some(at.git.find_tree(&base).await?.ok_or_else(missing)?)
        }
        None => None,
    };
    let mut entries = Vec::new();
    for part in parts {
        entries.push(read_part(&at, part).await?);
    }
    let sha = at.git.write_tree(base.as_deref(), &entries).await?;
    let sha = sha.ok_or_else(|| {
        ApiError::Unprocessable("tree.path contains a malformed path component".to_owned())
    })?;
    Ok(created(show_tree(&at, &sha, None).await?))
}

async fn read_part(at: &Readable, part: TreePart) -> Result<NewEntry, ApiError> {
    let refuse = |text: &str| ApiError::Unprocessable(text.to_owned());
    let path = part.path.ok_or_else(|| ApiError::not_supplied("path"))?;
    if is_malformed(&path) {
        return Err(refuse("tree.path contains a malformed path component"));
    }
    if part.sha == Some(None) {
        return Ok(NewEntry { path, what: None });
    }
    let mode = part.mode.unwrap_or_default();
    if !["100644", "100755", "040000", "160000", "120000"].contains(&mode.as_str()) {
        return Err(refuse("Must supply a valid tree.mode"));
    }
    let sha = match (part.content, part.sha.flatten()) {
        (Some(_), Some(_)) => {
            return Err(refuse("Must supply either tree.sha or tree.content"));
        }
        (Some(content), None) => at.git.write_blob(content.as_bytes()).await?,
        (None, Some(sha)) => {
            let known = is_sha(&sha) && (mode == "160000" || at.git.kind_of(&sha).await?.is_some());
            if !known {
                return Err(refuse(&format!("tree.sha {sha} is not a valid blob")));
            }
            sha
        }
        (None, None) => return Err(refuse("Must supply either tree.sha or tree.content")),
    };
    Ok(NewEntry { path, what: Some((mode, sha)) })
}

/// Git would pass over such a path without a word.
pub(super) fn is_malformed(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "" | "." | "..") || part.eq_ignore_ascii_case(".git"))
}

async fn show_tree(at: &Readable, sha: &str, depth: Option<&str>) -> Result<Value, ApiError> {
    let entries = at.git.tree_lines(sha, depth).await?;
    let show = |it: &crate::git::TreeLine| {
        let folder = match it.kind {
            ObjectKind::Blob => "blobs",
            ObjectKind::Tree => "trees",
            ObjectKind::Commit => "commits",
            ObjectKind::Tag => "tags",
        };
        let mut shown = json!({
            "path": it.path, "mode": it.mode, "type": it.kind.word(), "sha": it.sha,
        });
        if it.kind != ObjectKind::Commit {
            shown["url"] = json!(url(at, folder, &it.sha));
        }
        if let Some(size) = it.size {
            shown["size"] = json!(size);
        }
        shown
    };
    let shown: Vec<Value> = entries.iter().map(show).collect();
    Ok(json!({ "sha": sha, "url": url(at, "trees", sha), "tree": shown, "truncated": false }))
}

pub(super) async fn commit(at: Readable) -> Result<Json<Value>, ApiError> {
    let sha = find(&at, ObjectKind::Commit).await?;
    let commit = at.git.commit(&sha).await?;
    Ok(Json(json::git_commit(&at.repo, at.urls(), &commit)))
}

pub(super) async fn create_commit(
    Writable { at, login }: Writable,
    Input(wish): Input<NewGitCommit>,
) -> Result<Response, ApiError> {
    let refuse = |text: &str| ApiError::Unprocessable(text.to_owned());
    let message = wish.message.ok_or_else(|| ApiError::not_supplied("message"))?;
    let tree = wish.tree.ok_or_else(|| ApiError::not_supplied("tree"))?;
    if !is_sha(&tree) || at.git.kind_of(&tree).await? != Some(ObjectKind::Tree) {
        return Err(refuse("Tree SHA does not exist"));
    }
    for parent in &wish.parents {
        if !is_sha(parent) || at.git.kind_of(parent).await? != Some(ObjectKind::Commit) {
            return Err(refuse("Parent SHA does not exist or is not a commit object"));
        }
    }
    let committer = wish.committer.or_else(|| wish.author.clone());
    let author = Person::signature(wish.author, &login);
    let committer = Person::signature(committer, &login);
    let parents: Vec<&str> = wish.parents.iter().map(String::as_str).collect();
    let sha = at.git.write_commit(&tree, &parents, &message, &author, &committer).await?;
    let commit = at.git.commit(&sha).await?;
    Ok(created(json::git_commit(&at.repo, at.urls(), &commit)))
}

pub(super) async fn tag(at: Readable) -> Result<Json<Value>, ApiError> {
    let sha = find(&at, ObjectKind::Tag).await?;
    let tag = at.git.tag(&sha).await?.ok_or(ApiError::NotFound)?;
    Ok(Json(show_tag(&at, &sha, &tag)))
}

pub(super) async fn create_tag(
    Writable { at, login }: Writable,
    Input(wish): Input<NewTag>,
) -> Result<Response, ApiError> {
    let name = wish.tag.ok_or_else(|| ApiError::not_supplied("tag"))?;
    let message = wish.message.ok_or_else(|| ApiError::not_supplied("message"))?;
    let object = wish.object.ok_or_else(|| ApiError::not_supplied("object"))?;
    let kind = if is_sha(&object) { at.git.kind_of(&object).await? } else { None };
    let kind = kind.filter(|kind| wish.r#type.as_deref().is_none_or(|it| it == kind.word()));
    let missing = || ApiError::Unprocessable("Object does not exist".to_owned());
    let kind = kind.ok_or_else(missing)?;
    let tagger = Person::signature(wish.tagger, &login);
    let tag = Tag { name, message, object, kind, tagger };
    let sha = at.git.write_tag(&tag).await?;
    Ok(created(show_tag(&at, &sha, &tag)))
}

fn show_tag(at: &Readable, sha: &str, tag: &Tag) -> Value {
    let Tag { name, message, object, kind, tagger } = tag;
    let Signature { name: tagger, email, at: date } = tagger;
    json!({
        "node_id": format!("TA_{}_{sha}", at.repo.id),
        "tag": name,
        "sha": sha,
        "url": url(at, "tags", sha),
        "message": message,
        "tagger": { "name": tagger, "email": email, "date": date },
        "object": { "type": kind.word(), "sha": object, "url": url(at, "commits", object) },
        "verification": {
            "verified": false, "reason": "unsigned", "signature": null, "payload": null,
            "verified_at": null,
        },
    })
}

async fn find(at: &Readable, kind: ObjectKind) -> Result<String, ApiError> {
    let sha = at.param("sha");
    if !is_sha(sha) || at.git.kind_of(sha).await? != Some(kind) {
        return Err(ApiError::NotFound);
    }
    Ok(sha.to_owned())
}

fn url(at: &Readable, folder: &str, sha: &str) -> String {
    format!("{}/repos/{}/git/{folder}/{sha}", at.urls().api, at.repo.full_name())
}

fn created(body: Value) -> Response {
    (StatusCode::CREATED, Json(body)).into_response()
}
