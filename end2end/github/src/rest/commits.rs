use super::{media::Media, page::Page};
use crate::{
    call::Readable,
    error::ApiError,
    git::{Commit, Git},
    json,
};
use axum::response::Response;
use serde_json::{Value, json};

pub(super) async fn list(at: Readable, page: Page) -> Result<Response, ApiError> {
    let from = page.query("sha").unwrap_or(&at.repo.default_branch);
    let tip = at.git.find_commit(from).await?.ok_or(ApiError::NotFound)?;
    let path = page.query("path").map(str::to_owned);
    let total = at.git.count_commits(&tip, path.as_deref()).await?;
    let commits = at.git.history(&tip, path.as_deref(), page.skip(), page.size()).await?;
    let body = commits.iter().map(|it| json::commit(&at.repo, at.urls(), it)).collect();
    Ok(page.answer(at.urls(), total, body))
}

pub(super) async fn get(at: Readable, media: Media) -> Result<Response, ApiError> {
    let reference = at.param("reference");
    let sha = at.git.find_commit(reference).await?;
    let missing = || ApiError::Unprocessable(format!("No commit found for SHA: {reference}"));
    let sha = sha.ok_or_else(missing)?;
    let commit = at.git.commit(&sha).await?;
    let parent = parent_of(&at.git, &commit).await?;
    match media {
        Media::Sha => Ok(media.answer(sha)),
        Media::Diff => Ok(media.answer(at.git.plain_diff(&parent, &sha).await?)),
        Media::Patch => Ok(media.answer(at.git.mails(&sha).await?)),
        Media::Json | Media::Raw | Media::Object => {
            let changes = at.git.changes(&parent, &sha).await?;
            Media::json(json::commit_detail(&at.repo, at.urls(), &commit, &changes))
        }
    }
}

/// `base...head`, each a branch, a tag or a sha; `owner:branch` names this repository's owner.
pub(super) async fn compare(at: Readable, media: Media) -> Result<Response, ApiError> {
    let basehead = at.param("basehead");
    let (base, head) = basehead.split_once("...").ok_or(ApiError::NotFound)?;
    let (base, head) = (find(&at, base).await?, find(&at, head).await?);
    let fork = at.git.merge_base(&base, &head).await?.ok_or(ApiError::NotFound)?;
    match media {
        Media::Diff => return Ok(media.answer(at.git.plain_diff(&fork, &head).await?)),
        Media::Patch => return Ok(media.answer(at.git.mails(&format!("{base}..{head}")).await?)),
        Media::Json | Media::Raw | Media::Sha | Media::Object => (),
    }
    let (ahead, behind) = at.git.ahead_behind(&base, &head).await?;
    let commits = at.git.commits_between(&base, &head).await?;
    let changes = at.git.changes(&fork, &head).await?;
    let (repo, urls) = (&at.repo, at.urls());
    let status = match (ahead, behind) {
        (0, 0) => "identical",
        (_, 0) => "ahead",
        (0, _) => "behind",
        (_, _) => "diverged",
    };
    let path = json::in_path(basehead);
    let web = format!("{}/{}/compare/{path}", urls.web, repo.full_name());
    Media::json(json!({
        "url": format!("{}/repos/{}/compare/{path}", urls.api, repo.full_name()),
        "html_url": web,
        "permalink_url": web,
        "diff_url": format!("{web}.diff"),
        "patch_url": format!("{web}.patch"),
        "base_commit": json::commit(repo, urls, &at.git.commit(&base).await?),
        "merge_base_commit": json::commit(repo, urls, &at.git.commit(&fork).await?),
        "status": status,
        "ahead_by": ahead,
        "behind_by": behind,
        "total_commits": ahead,
        "commits": commits.iter().map(|it| json::commit(repo, urls, it)).collect::<Value>(),
        "files":
            changes.iter().map(|it| json::file_change(repo, urls, &head, it)).collect::<Value>(),
    }))
}

async fn find(at: &Readable, text: &str) -> Result<String, ApiError> {
    let own = format!("{}:", at.repo.owner);
    let text = text.strip_prefix(&own).unwrap_or(text);
    at.git.find_commit(text).await?.ok_or(ApiError::NotFound)
}

async fn parent_of(git: &Git, commit: &Commit) -> Result<String, ApiError> {
    match commit.parents.first() {
        Some(parent) => Ok(parent.clone()),
        None => Ok(git.empty_tree().await?),
    }
}
