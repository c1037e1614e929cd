use super::{issue::labels, time, user};
use crate::{
    call::Urls,
    pulls::Totals,
    state::{Access, Accounts, Pull, PullState, Repo, Tip},
};
use serde_json::{Value, json};

/// What a pull request's body shows beside the pull request itself.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'a> {
    pub(crate) repo: &'a Repo,
    pub(crate) accounts: &'a Accounts,
    pub(crate) urls: &'a Urls,
    pub(crate) viewer: Option<&'a str>,
}

/// The form that lists have.
pub(crate) fn pull_simple(pull: &Pull, shown: Shown<'_>) -> Value {
    let mut value = text_and_state(pull, shown);
    let links = links(pull, shown);
    for (name, word) in [
        ("url", "self"),
        ("html_url", "html"),
        ("issue_url", "issue"),
        ("commits_url", "commits"),
        ("review_comments_url", "review_comments"),
        ("review_comment_url", "review_comment"),
        ("comments_url", "comments"),
        ("statuses_url", "statuses"),
    ] {
        value[name] = links[word]["href"].clone();
    }
    value["_links"] = links;
    value["head"] = tip(&pull.head, shown);
    value["base"] = tip(&pull.base, shown);
    value
}

/// The form that a single read has. `mergeable` is unknown until it was computed.
pub(crate) fn pull(
    pull: &Pull,
    shown: Shown<'_>,
    totals: Totals,
    mergeable: Option<bool>,
) -> Value {
    let mut value = pull_simple(pull, shown);
    let (merged, by) = match &pull.state {
        PullState::Merged { by, .. } => (true, user(shown.accounts, shown.urls, by)),
        PullState::Open | PullState::Closed { .. } => (false, Value::Null),
    };
    let state = match mergeable {
        None => "unknown",
        Some(false) => "dirty",
        Some(true) if pull.is_draft() => "draft",
        Some(true) if shown.repo.blocked_branches.contains_key(&pull.base.branch) => "blocked",
        Some(true) => "clean",
    };
    value["merged"] = json!(merged);
    value["merged_by"] = by;
    value["mergeable"] = json!(mergeable);
    value["rebaseable"] = json!(mergeable);
    value["mergeable_state"] = json!(state);
    value["comments"] = json!(pull.comments.len());
    value["review_comments"] = json!(0);
    value["maintainer_can_modify"] = json!(false);
    value["commits"] = json!(totals.commits);
    value["additions"] = json!(totals.additions);
    value["deletions"] = json!(totals.deletions);
    value["changed_files"] = json!(totals.files);
    value
}

fn text_and_state(pull: &Pull, shown: Shown<'_>) -> Value {
    let Shown { repo, accounts, urls, .. } = shown;
    let web = format!("{}/{}/pull/{}", urls.web, repo.full_name(), pull.number);
    let (merged_at, merge_sha) = match &pull.state {
        PullState::Merged { at, sha, .. } => (Some(time(*at)), Some(sha)),
        PullState::Open | PullState::Closed { .. } => (None, None),
    };
    let person = |login: &String| user(accounts, urls, login);
    json!({
        "id": repo.pull_id(pull.number),
        "node_id": format!("PR_{}_{}", repo.id, pull.number),
        "number": pull.number,
        "state": pull.state_word(),
        "locked": false,
        "active_lock_reason": null,
        "title": pull.title,
        "body": pull.body,
        "user": person(&pull.author),
        "labels": labels(pull, repo, urls),
        "milestone": null,
        "draft": pull.is_draft(),
        "assignee": pull.assignees.first().map(person),
        "assignees": pull.assignees.iter().map(person).collect::<Vec<_>>(),
        "requested_reviewers": [],
        "requested_teams": [],
        "created_at": time(pull.created_at),
        "updated_at": time(pull.updated_at),
        "closed_at": pull.closed_at().map(time),
        "merged_at": merged_at,
        "merge_commit_sha": merge_sha,
        "author_association": association(repo, &pull.author),
        "auto_merge": null,
        "diff_url": format!("{web}.diff"),
        "patch_url": format!("{web}.patch"),
    })
}

pub(crate) fn association(repo: &Repo, login: &str) -> &'static str {
    if login.eq_ignore_ascii_case(&repo.owner) {
        return "OWNER";
    }
    match repo.access_of(Some(login)) {
        Access::Write => "MEMBER",
        Access::Read | Access::None => "NONE",
    }
}

fn links(pull: &Pull, shown: Shown<'_>) -> Value {
    let full_name = shown.repo.full_name();
    let (api, number) = (format!("{}/repos/{full_name}", shown.urls.api), pull.number);
    let href = |href: String| json!({ "href": href });
    json!({
        "self": href(format!("{api}/pulls/{number}")),
        "html": href(format!("{}/{full_name}/pull/{number}", shown.urls.web)),
        "issue": href(format!("{api}/issues/{number}")),
        "comments": href(format!("{api}/issues/{number}/comments")),
        "review_comments": href(format!("{api}/pulls/{number}/comments")),
        "review_comment": href(format!("{api}/pulls/comments{{/number}}")),
        "commits": href(format!("{api}/pulls/{number}/commits")),
        "statuses": href(format!("{api}/statuses/{}", pull.head.sha)),
    })
}

fn tip(tip: &Tip, shown: Shown<'_>) -> Value {
    let Shown { repo, accounts, urls, viewer } = shown;
    json!({
        "label": format!("{}:{}", repo.owner, tip.branch),
        "ref": tip.branch,
        "sha": tip.sha,
        "user": user(accounts, urls, &repo.owner),
        "repo": super::repo(repo, accounts, urls, viewer),
    })
}
