//! What happens to a whole repository: it gets another name or owner, or goes. Hooks are told.

use crate::{
    error::ApiError,
    github::Github,
    hooks,
    state::{Access, AccountKind, Freshness, Renamed, Repo, RepoKey, is_repo_name},
};
use serde_json::json;
use std::sync::Arc;

/// Renames or transfers a repository. What is being pushed to it ends first.
pub(crate) async fn rename(
    github: &Arc<Github>,
    key: &RepoKey,
    owner: &str,
    name: &str,
    by: &str,
) -> Result<Arc<Repo>, ApiError> {
    if !is_repo_name(name) {
        return Err(ApiError::rejected("Repository", "name", "name is invalid".to_owned()));
    }
    let _turn = github.push_locks.lock(key).await;
    let before = github.store.find(key, Freshness::Current).ok_or(ApiError::NotFound)?;
    let after = match github.store.rename(key, owner, name)? {
        Renamed::Done(repo) => repo,
        Renamed::Missing => return Err(ApiError::NotFound),
        Renamed::Taken => {
            let text = "name already exists on this account".to_owned();
            return Err(ApiError::rejected("Repository", "name", text));
        }
    };
    let after = keep_access(github, &before, after)?;
    let payload = if before.owner == after.owner {
        let from = &before.name;
        json!({ "action": "renamed", "changes": { "repository": { "name": { "from": from } } } })
    } else {
        let accounts = github.store.accounts();
        let kind = accounts.find(&before.owner).map_or(AccountKind::User, |it| it.kind);
        let word = match kind {
            AccountKind::User => "user",
            AccountKind::Organisation => "organization",
        };
        let from = crate::json::user(&accounts, &github.urls(), &before.owner);
        json!({ "action": "transferred", "changes": { "owner": { "from": { word: from } } } })
    };
    hooks::tell(github, &after, "repository", by, payload);
    Ok(after)
}

/// Who owned a repository works on it still.
fn keep_access(github: &Github, before: &Repo, after: Arc<Repo>) -> Result<Arc<Repo>, ApiError> {
    if before.owner == after.owner {
        return Ok(after);
    }
    let key = after.key();
    github.store.update(&key, |repo| {
        repo.grants.entry(before.owner.to_lowercase()).or_insert(Access::Write);
        Ok::<_, ApiError>(())
    })?;
    github.store.find(&key, Freshness::Current).ok_or(ApiError::NotFound)
}

pub(crate) async fn delete(github: &Arc<Github>, key: &RepoKey, by: &str) -> Result<(), ApiError> {
    let _turn = github.push_locks.lock(key).await;
    let repo = github.store.remove(key)?.ok_or(ApiError::NotFound)?;
    hooks::tell(github, &repo, "repository", by, json!({ "action": "deleted" }));
    Ok(())
}
