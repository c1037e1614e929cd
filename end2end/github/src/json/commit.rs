use super::in_path;
use crate::{
    call::Urls,
    git::{Commit, FileChange, Signature},
    state::Repo,
};
use serde_json::{Value, json};

pub(crate) fn commit(repo: &Repo, urls: &Urls, commit: &Commit) -> Value {
    let full_name = repo.full_name();
    let (api, web) =
        (format!("{}/repos/{full_name}", urls.api), format!("{}/{full_name}", urls.web));
    let sha = &commit.sha;
    let parents: Vec<Value> = commit
        .parents
        .iter()
        .map(|sha| {
            json!({
                "sha": sha,
                "url": format!("{api}/commits/{sha}"),
                "html_url": format!("{web}/commit/{sha}"),
            })
        })
        .collect();
    json!({
        "sha": sha,
        "node_id": format!("C_{}_{sha}", repo.id),
        "url": format!("{api}/commits/{sha}"),
        "html_url": format!("{web}/commit/{sha}"),
        "comments_url": format!("{api}/commits/{sha}/comments"),
        "commit": {
            "url": format!("{api}/git/commits/{sha}"),
            "author": signature(&commit.author),
            "committer": signature(&commit.committer),
            "message": commit.message,
            "comment_count": 0,
            "tree": { "sha": commit.tree, "url": format!("{api}/git/trees/{}", commit.tree) },
            "verification": {
                "verified": false, "reason": "unsigned", "signature": null, "payload": null,
                "verified_at": null,
            },
        },
        "author": null,
        "committer": null,
        "parents": parents,
    })
}

/// A commit as git has it, without who that is on GitHub.
pub(crate) fn git_commit(repo: &Repo, urls: &Urls, it: &Commit) -> Value {
    let whole = commit(repo, urls, it);
    let mut value = whole["commit"].clone();
    if let Some(fields) = value.as_object_mut() {
        fields.remove("comment_count");
    }
    for field in ["sha", "node_id", "html_url", "parents"] {
        value[field] = whole[field].clone();
    }
    value
}

pub(crate) fn commit_detail(
    repo: &Repo,
    urls: &Urls,
    it: &Commit,
    changes: &[FileChange],
) -> Value {
    let mut value = commit(repo, urls, it);
    let additions: u64 = changes.iter().map(|change| change.additions).sum();
    let deletions: u64 = changes.iter().map(|change| change.deletions).sum();
    value["stats"] = json!({
        "additions": additions, "deletions": deletions, "total": additions + deletions,
    });
    value["files"] =
        changes.iter().map(|change| file_change(repo, urls, &it.sha, change)).collect();
    value
}

/// The short form in lists of branches.
pub(crate) fn branch_commit(repo: &Repo, urls: &Urls, sha: &str) -> Value {
    json!({ "sha": sha, "url": format!("{}/repos/{}/commits/{sha}", urls.api, repo.full_name()) })
}

pub(crate) fn file_change(repo: &Repo, urls: &Urls, sha: &str, change: &FileChange) -> Value {
    let full_name = repo.full_name();
    let (web, path) = (format!("{}/{full_name}", urls.web), in_path(&change.path));
    let mut value = json!({
        "sha": change.blob,
        "filename": change.path,
        "status": change.status.word(),
        "additions": change.additions,
        "deletions": change.deletions,
        "changes": change.additions + change.deletions,
        "blob_url": format!("{web}/blob/{sha}/{path}"),
        "raw_url": format!("{web}/raw/{sha}/{path}"),
        "contents_url": format!("{}/repos/{full_name}/contents/{path}?ref={sha}", urls.api),
    });
    if let Some(patch) = &change.patch {
        value["patch"] = json!(patch);
    }
    if let Some(old) = &change.old_path {
        value["previous_filename"] = json!(old);
    }
    value
}

fn signature(signature: &Signature) -> Value {
    let Signature { name, email, at } = signature;
    json!({ "name": name, "email": email, "date": at })
}
