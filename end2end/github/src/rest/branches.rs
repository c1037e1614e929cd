use super::page::Page;
use crate::{call::Readable, error::ApiError, json};
use axum::{Json, response::Response};
use serde_json::{Value, json};

pub(super) async fn list(at: Readable, page: Page) -> Result<Response, ApiError> {
    let refs = at.git.refs("refs/heads/").await?;
    let branches: Vec<(String, String)> = refs.into_iter().collect();
    Ok(page.of(at.urls(), &branches, |(name, sha)| {
        let branch = name.trim_start_matches("refs/heads/");
        json!({
            "name": branch,
            "commit": json::branch_commit(&at.repo, at.urls(), sha),
            "protected": at.repo.is_protected(branch),
        })
    }))
}

pub(super) async fn get(at: Readable) -> Result<Json<Value>, ApiError> {
    let branch = at.param("branch");
    let sha = at.git.branch_tip(branch).await?.ok_or(ApiError::BranchNotFound)?;
    let commit = at.git.commit(&sha).await?;
    let full_name = at.repo.full_name();
    let path = json::in_path(branch);
    let url = format!("{}/repos/{full_name}/branches/{path}", at.urls().api);
    let protected = at.repo.is_protected(branch);
    Ok(Json(json!({
        "name": branch,
        "commit": json::commit(&at.repo, at.urls(), &commit),
        "_links": { "self": url, "html": format!("{}/{full_name}/tree/{path}", at.urls().web) },
        "protected": protected,
        "protection": {
            "enabled": protected,
            "required_status_checks": { "enforcement_level": "off", "contexts": [], "checks": [] },
        },
        "protection_url": format!("{url}/protection"),
    })))
}
