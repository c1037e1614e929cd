use super::{media::Media, page::Page};
use crate::{
    call::Readable,
    error::ApiError,
    git::{EntryKind, TreeEntry},
    json,
};
use axum::response::Response;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

/// GitHub lists at most so many entries of a directory.
const ENTRIES_MAX: usize = 1_000;
/// GitHub sends larger files by another way only.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// GitHub breaks its base64 into lines.
const LINE_LEN: usize = 60;

pub(super) async fn get(at: Readable, media: Media, page: Page) -> Result<Response, ApiError> {
    let reference = page.query("ref").unwrap_or(&at.repo.default_branch).to_owned();
    let sha = at.git.find_commit(&reference).await?;
    let sha = sha.ok_or(ApiError::NotFound)?;
    let path = at.param("path").trim_matches('/');
    if path.split('/').any(|part| matches!(part, "." | "..")) {
        return Err(ApiError::NotFound);
    }
    let entry = at.git.entry(&sha, path).await?.ok_or(ApiError::NotFound)?;
    show(&at, media, reference, &entry).await
}

/// The file that a repository introduces itself with.
pub(super) async fn readme(at: Readable, media: Media, page: Page) -> Result<Response, ApiError> {
    let reference = page.query("ref").unwrap_or(&at.repo.default_branch).to_owned();
    let sha = at.git.find_commit(&reference).await?.ok_or(ApiError::NotFound)?;
    let root = at.git.entry(&sha, "").await?.ok_or(ApiError::NotFound)?;
    let is_readme = |it: &&TreeEntry| {
        it.kind == EntryKind::File && it.path.to_lowercase().split('.').next() == Some("readme")
    };
    let entries = at.git.entries(&root).await?;
    let entry = entries.iter().find(is_readme).ok_or(ApiError::NotFound)?;
    show(&at, media, reference, entry).await
}

async fn show(
    at: &Readable,
    media: Media,
    reference: String,
    entry: &TreeEntry,
) -> Result<Response, ApiError> {
    let place = Place { at, reference };
    match (entry.kind, media) {
        (EntryKind::File | EntryKind::Symlink, Media::Raw) => {
            Ok(media.answer(at.git.blob(&entry.sha).await?))
        }
        (EntryKind::Directory, Media::Object) => {
            let mut body = place.short(entry);
            body["entries"] = place.directory(entry).await?;
            Media::json(body)
        }
        (EntryKind::Directory, _) => Media::json(place.directory(entry).await?),
        (EntryKind::File, _) => Media::json(place.file(entry).await?),
        (EntryKind::Symlink, _) => Media::json(place.symlink(entry).await?),
        (EntryKind::Submodule, _) => Media::json(place.short(entry)),
    }
}

/// What is said of an entry without its content.
pub(super) fn short(at: &Readable, branch: &str, entry: &TreeEntry) -> Value {
    Place { at, reference: branch.to_owned() }.short(entry)
}

/// Base64 with or without line breaks.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, ApiError> {
    let text: String = text.chars().filter(|it| !it.is_ascii_whitespace()).collect();
    let invalid = |_| ApiError::Unprocessable("content is not valid Base64".to_owned());
    BASE64_STANDARD.decode(text).map_err(invalid)
}

/// A repository at a ref.
struct Place<'a> {
    at: &'a Readable,
    reference: String,
}

impl Place<'_> {
    async fn directory(&self, tree: &TreeEntry) -> Result<Value, ApiError> {
        let entries = self.at.git.entries(tree).await?;
        Ok(entries.iter().take(ENTRIES_MAX).map(|entry| self.short(entry)).collect())
    }

    async fn file(&self, entry: &TreeEntry) -> Result<Value, ApiError> {
        let mut body = self.short(entry);
        let fits = entry.size <= FILE_BYTES_MAX;
        let bytes = if fits { self.at.git.blob(&entry.sha).await? } else { Vec::new() };
        body["encoding"] = json!(if fits { "base64" } else { "none" });
        body["content"] = json!(in_lines(&BASE64_STANDARD.encode(bytes)));
        Ok(body)
    }

    async fn symlink(&self, entry: &TreeEntry) -> Result<Value, ApiError> {
        let mut body = self.short(entry);
        let target = self.at.git.blob(&entry.sha).await?;
        body["target"] = json!(String::from_utf8_lossy(&target));
        Ok(body)
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

pub(super) fn in_lines(text: &str) -> String {
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
