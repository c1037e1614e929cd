use crate::{
    error::ApiError,
    git::{Commit, FileStatus, RefChange, RefMove},
    github::Github,
    json, pulls,
    state::{Hook, Pull, Repo},
};
use serde_json::{Value, json};
use std::sync::Arc;

/// GitHub sends at most 2,048 commits; nobody here needs as many.
const COMMITS_MAX: usize = 20;

/// What happened to a pull request, in GitHub's words.
#[derive(Clone, Debug)]
pub(crate) enum PullAction {
    Opened,
    Edited,
    Closed,
    Reopened,
    Synchronize { before: String },
    ReadyForReview,
    ConvertedToDraft,
    Labeled { label: String },
    Unlabeled { label: String },
}

impl PullAction {
    fn word(&self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Edited => "edited",
            Self::Closed => "closed",
            Self::Reopened => "reopened",
            Self::Synchronize { .. } => "synchronize",
            Self::ReadyForReview => "ready_for_review",
            Self::ConvertedToDraft => "converted_to_draft",
            Self::Labeled { .. } => "labeled",
            Self::Unlabeled { .. } => "unlabeled",
        }
    }
}

pub(crate) async fn pull(
    github: &Arc<Github>,
    repo: &Repo,
    pull: &Pull,
    action: &PullAction,
    sender: &str,
) -> Result<Value, ApiError> {
    let urls = github.urls();
    let shown = pulls::show(github, repo, pull, &urls, Some(sender)).await?;
    let mut payload =
        json!({ "action": action.word(), "number": pull.number, "pull_request": shown });
    match action {
        PullAction::Synchronize { before } => {
            payload["before"] = json!(before);
            payload["after"] = json!(pull.head.sha);
        }
        PullAction::Edited => payload["changes"] = json!({}),
        PullAction::Labeled { label } | PullAction::Unlabeled { label } => {
            payload["label"] = json::label(label, repo, &urls);
        }
        PullAction::Opened
        | PullAction::Closed
        | PullAction::Reopened
        | PullAction::ReadyForReview
        | PullAction::ConvertedToDraft => (),
    }
    Ok(with_context(github, repo, sender, payload))
}

pub(crate) async fn push(
    github: &Arc<Github>,
    repo: &Repo,
    change: &RefChange,
    pusher: &str,
) -> Result<Value, ApiError> {
    let git = github.git(&repo.key());
    let (before, after) = (change.before(), change.after());
    let (commits, forced) = match &change.moved {
        RefMove::Created { sha } => (vec![git.commit(sha).await?], false),
        RefMove::Updated { from, to } => {
            let forced = !git.is_ancestor(from, to).await?;
            (git.commits_between(from, to).await?, forced)
        }
        RefMove::Deleted { .. } => (Vec::new(), false),
    };
    let mut shown = Vec::new();
    for commit in commits.iter().rev().take(COMMITS_MAX).rev() {
        shown.push(pushed_commit(github, repo, commit).await?);
    }
    let web = format!("{}/{}", github.urls().web, repo.full_name());
    let payload = json!({
        "ref": change.name,
        "before": before,
        "after": after,
        "created": matches!(change.moved, RefMove::Created { .. }),
        "deleted": matches!(change.moved, RefMove::Deleted { .. }),
        "forced": forced,
        "base_ref": null,
        "compare": format!("{web}/compare/{before}...{after}"),
        "head_commit": shown.last(),
        "commits": shown,
        "pusher": { "name": pusher, "email": format!("{pusher}@users.noreply.github.com") },
    });
    Ok(with_context(github, repo, pusher, payload))
}

pub(crate) fn ping(github: &Github, repo: &Repo, hook: &Hook, sender: &str) -> Value {
    let urls = github.urls();
    let payload = json!({
        "zen": "Keep it logically awesome.",
        "hook_id": hook.id,
        "hook": json::hook(hook, repo, &urls),
    });
    with_context(github, repo, sender, payload)
}

/// Adds what every payload has: the repository, its organisation and who did it.
pub(crate) fn with_context(
    github: &Github,
    repo: &Repo,
    sender: &str,
    mut payload: Value,
) -> Value {
    let (urls, accounts) = (github.urls(), github.store.accounts());
    payload["repository"] = json::repo(repo, &accounts, &urls, Some(sender));
    payload["sender"] = json::user(&accounts, &urls, sender);
    let owner = accounts.find(&repo.owner);
    if let Some(owner) = owner.filter(|it| it.kind == crate::state::AccountKind::Organisation) {
        payload["organization"] = json::organisation_simple(owner, &urls);
    }
    payload
}

async fn pushed_commit(github: &Github, repo: &Repo, commit: &Commit) -> Result<Value, ApiError> {
    let git = github.git(&repo.key());
    let from = match commit.parents.first() {
        Some(parent) => parent.clone(),
        None => git.empty_tree().await?,
    };
    let changes = git.change_counts(&from, &commit.sha).await?;
    let paths = |wanted: fn(FileStatus) -> bool| -> Vec<&str> {
        let fitting = changes.iter().filter(|change| wanted(change.status));
        fitting.map(|change| change.path.as_str()).collect()
    };
    let web = format!("{}/{}", github.urls().web, repo.full_name());
    Ok(json!({
        "id": commit.sha,
        "tree_id": commit.tree,
        "distinct": true,
        "message": commit.message,
        "timestamp": commit.committer.at,
        "url": format!("{web}/commit/{}", commit.sha),
        "author": { "name": commit.author.name, "email": commit.author.email },
        "committer": { "name": commit.committer.name, "email": commit.committer.email },
        "added": paths(|status| status == FileStatus::Added),
        "removed": paths(|status| status == FileStatus::Removed),
        "modified": paths(|status| !matches!(status, FileStatus::Added | FileStatus::Removed)),
    }))
}
