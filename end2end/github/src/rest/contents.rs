use super::page::Page;
use crate::{
    call::Readable,
    error::ApiError,
    git::{EntryKind, TreeEntry},
    json,
};
use axum::Json;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

/// GitHub lists at most so many entries of a directory.
const ENTRIES_MAX: usize = 1_000;
/// GitHub sends larger files by another way only.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// GitHub breaks its base64 into lines.
const LINE_LEN: usize = 60;

pub(super) async fn get(at: Readable, page: Page) -> Result<Json<Value>, ApiError> {
    let reference = page.query("ref").unwrap_or(&at.repo.default_branch).to_owned();
    let sha = at.git.find_commit(&reference).await?;
    let missing = || ApiError::NotFound;
    let sha = sha.ok_or_else(missing)?;
    let path = at.param("path").trim_matches('/');
    let entry = at.git.entry(&sha, path).await?.ok_or(ApiError::NotFound)?;
    let at = Place { at: &at, reference };
    match entry.kind {
        EntryKind::Directory => at.directory(&entry).await,
        EntryKind::File => at.file(&entry).await,
        EntryKind::Symlink => at.symlink(&entry).await,
        EntryKind::Submodule => Ok(Json(at.short(&entry))),
    }
}

/// A repository at a ref.
struct Place<'a> {
    at: &'a Readable,
    reference: String,
}

impl Place<'_> {
    async fn directory(&self, tree: &TreeEntry) -> Result<Json<Value>, ApiError> {
        let entries = self.at.git.entries(tree).await?;
        Ok(Json(entries.iter().take(ENTRIES_MAX).map(|entry| self.short(entry)).collect()))
    }

    async fn file(&self, entry: &TreeEntry) -> Result<Json<Value>, ApiError> {
        let mut body = self.short(entry);
        let fits = entry.size <= FILE_BYTES_MAX;
        let bytes = if fits { self.at.git.blob(&entry.sha).await? } else { Vec::new() };
        body["encoding"] = json!(if fits { "base64" } else { "none" });
        body["content"] = json!(in_lines(&BASE64_STANDARD.encode(bytes)));
        Ok(Json(body))
    }

    async fn symlink(&self, entry: &TreeEntry) -> Result<Json<Value>, ApiError> {
        let mut body = self.short(entry);
        let target = self.at.git.blob(&entry.sha).await?;
        body["target"] = json!(String::from_utf8_lossy(&target));
        Ok(Json(body))
    }

    /// What a directory's list says of an entry.
    fn short(&self, entry: &TreeEntry) -> Value {
        let Readable { repo, .. } = self.at;
        let (urls, full_name) = (self.at.urls(), repo.full_name());
        let (path, reference) = (json::in_path(&entry.path), json::in_path(&self.reference));
        let api = format!("{}/repos/{full_name}", urls.api);
        let web = format!("{}/{full_name}", urls.web);
        let (word, folder) = match entry.kind {
            EntryKind::File => ("file", "blobs"),
            EntryKind::Symlink => ("symlink", "blobs"),
            EntryKind::Directory => ("dir", "trees"),
            EntryKind::Submodule => ("submodule", "trees"),
        };
        let url = format!("{api}/contents/{path}?ref={reference}");
        let git_url = format!("{api}/git/{folder}/{}", entry.sha);
        let html_url = format!("{web}/blob/{reference}/{path}");
        let has_bytes = matches!(entry.kind, EntryKind::File | EntryKind::Symlink);
        json!({
            "type": word,
            "size": entry.size,
            "name": entry.path.rsplit('/').next(),
            "path": entry.path,
            "sha": entry.sha,
            "url": url,
            "git_url": git_url,
            "html_url": html_url,
            "download_url": has_bytes.then(|| format!("{web}/raw/{reference}/{path}")),
            "_links": { "self": url, "git": git_url, "html": html_url },
        })
    }
}

fn in_lines(text: &str) -> String {
    let mut lines = String::with_capacity(text.len() + text.len() / LINE_LEN + 1);
    for (index, letter) in text.chars().enumerate() {
        if index > 0 && index % LINE_LEN == 0 {
            lines.push('\n');
        }
        lines.push(letter);
    }
    lines.push('\n');
    lines
}
