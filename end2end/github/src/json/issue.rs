use super::{pull::association, time, user};
use crate::{
    call::Urls,
    json::Shown,
    state::{Comment, Pull, Repo, Review},
};
use serde_json::{Value, json};

const LABEL_COLOUR: &str = "ededed";

/// A pull request as the issue that it also is.
pub(crate) fn issue(pull: &Pull, shown: Shown<'_>) -> Value {
    let Shown { repo, accounts, urls, .. } = shown;
    let full_name = repo.full_name();
    let api = format!("{}/repos/{full_name}", urls.api);
    let (url, web) = (
        format!("{api}/issues/{}", pull.number),
        format!("{}/{full_name}/pull/{}", urls.web, pull.number),
    );
    let person = |login: &String| user(accounts, urls, login);
    json!({
        "id": repo.pull_id(pull.number),
        "node_id": format!("PR_{}_{}", repo.id, pull.number),
        "url": url,
        "repository_url": api,
        "labels_url": format!("{url}/labels{{/name}}"),
        "comments_url": format!("{url}/comments"),
        "events_url": format!("{url}/events"),
        "html_url": web,
        "number": pull.number,
        "state": pull.state_word(),
        "state_reason": null,
        "title": pull.title,
        "body": pull.body,
        "user": person(&pull.author),
        "labels": labels(pull, repo, urls),
        "assignee": pull.assignees.first().map(person),
        "assignees": pull.assignees.iter().map(person).collect::<Vec<_>>(),
        "milestone": null,
        "locked": false,
        "active_lock_reason": null,
        "comments": pull.comments.len(),
        "created_at": time(pull.created_at),
        "updated_at": time(pull.updated_at),
        "closed_at": pull.closed_at().map(time),
        "author_association": association(repo, &pull.author),
        "draft": pull.is_draft(),
        "pull_request": {
            "url": format!("{api}/pulls/{}", pull.number),
            "html_url": web,
            "diff_url": format!("{web}.diff"),
            "patch_url": format!("{web}.patch"),
        },
    })
}

pub(crate) fn labels(pull: &Pull, repo: &Repo, urls: &Urls) -> Value {
    pull.labels.iter().map(|name| label(name, repo, urls)).collect()
}

/// Labels have no table of their own: one that is set exists, with an id made from its name.
pub(crate) fn label(name: &str, repo: &Repo, urls: &Urls) -> Value {
    let id = name.bytes().fold(repo.id, |id, byte| {
        (id.wrapping_mul(31).wrapping_add(u64::from(byte))) & 0x7fff_ffff
    });
    json!({
        "id": id,
        "node_id": format!("LA_{id}"),
        "url": format!("{}/repos/{}/labels/{}", urls.api, repo.full_name(), super::in_path(name)),
        "name": name,
        "description": "",
        "color": LABEL_COLOUR,
        "default": false,
    })
}

pub(crate) fn comment(comment: &Comment, number: u64, shown: Shown<'_>) -> Value {
    let Shown { repo, accounts, urls, .. } = shown;
    let full_name = repo.full_name();
    let api = format!("{}/repos/{full_name}", urls.api);
    let at = time(comment.created_at);
    json!({
        "id": comment.id,
        "node_id": format!("IC_{}", comment.id),
        "url": format!("{api}/issues/comments/{}", comment.id),
        "html_url": format!("{}/{full_name}/pull/{number}#issuecomment-{}", urls.web, comment.id),
        "issue_url": format!("{api}/issues/{number}"),
        "user": user(accounts, urls, &comment.author),
        "body": comment.body,
        "created_at": at,
        "updated_at": at,
        "author_association": association(repo, &comment.author),
    })
}

pub(crate) fn review(review: &Review, number: u64, shown: Shown<'_>) -> Value {
    let Shown { repo, accounts, urls, .. } = shown;
    let full_name = repo.full_name();
    let pull_url = format!("{}/repos/{full_name}/pulls/{number}", urls.api);
    let web = format!("{}/{full_name}/pull/{number}#pullrequestreview-{}", urls.web, review.id);
    json!({
        "id": review.id,
        "node_id": format!("PRR_{}", review.id),
        "user": user(accounts, urls, &review.author),
        "body": review.body,
        "state": review.verdict,
        "html_url": web,
        "pull_request_url": pull_url,
        "author_association": association(repo, &review.author),
        "_links": { "html": { "href": web }, "pull_request": { "href": pull_url } },
        "submitted_at": time(review.submitted_at),
        "commit_id": review.sha,
    })
}
