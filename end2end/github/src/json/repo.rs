use super::{in_path, time, user};
use crate::{
    call::Urls,
    git::ObjectKind,
    state::{Access, Accounts, MergedHeads, Method, Repo},
};
use serde_json::{Map, Value, json};

/// The addresses below a repository, as GitHub writes them with their placeholders.
const LINKS: [(&str, &str); 37] = [
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
    ("url", ""),
];

pub(crate) fn repo(repo: &Repo, accounts: &Accounts, urls: &Urls, viewer: Option<&str>) -> Value {
    let full_name = repo.full_name();
    let url = format!("{}/repos/{full_name}", urls.api);
    let links =
        LINKS.iter().map(|(name, rest)| ((*name).to_owned(), json!(format!("{url}{rest}"))));
    let mut value: Map<String, Value> = links.collect();
    value.extend(fields(facts(repo, urls, &full_name)));
    value.extend(fields(counts(repo)));
    value.insert("owner".to_owned(), user(accounts, urls, &repo.owner));
    value.insert("permissions".to_owned(), permissions(repo.access_of(viewer)));
    Value::Object(value)
}

/// A repository as the search shows it.
pub(crate) fn repo_found(
    it: &Repo,
    accounts: &Accounts,
    urls: &Urls,
    viewer: Option<&str>,
) -> Value {
    let mut value = repo(it, accounts, urls, viewer);
    value["score"] = json!(1.0);
    value
}

pub(crate) fn git_ref(repo: &Repo, urls: &Urls, name: &str, sha: &str, kind: ObjectKind) -> Value {
    let folder = match kind {
        ObjectKind::Commit => "commits",
        ObjectKind::Tag => "tags",
        ObjectKind::Tree => "trees",
        ObjectKind::Blob => "blobs",
    };
    let url = format!("{}/repos/{}/git", urls.api, repo.full_name());
    json!({
        "ref": name,
        "node_id": format!("REF_{}_{name}", repo.id),
        "url": format!("{url}/{}", in_path(name)),
        "object": { "type": kind.word(), "sha": sha, "url": format!("{url}/{folder}/{sha}") },
    })
}

fn facts(repo: &Repo, urls: &Urls, full_name: &str) -> Value {
    let Urls { web, git, .. } = urls;
    let host = git.trim_start_matches("http://");
    json!({
        "id": repo.id,
        "node_id": format!("R_{}", repo.id),
        "name": repo.name,
        "full_name": full_name,
        "private": repo.is_private(),
        "visibility": if repo.is_private() { "private" } else { "public" },
        "html_url": format!("{web}/{full_name}"),
        "description": repo.description,
        "fork": false,
        "git_url": format!("git://{host}/{full_name}.git"),
        "ssh_url": format!("git@{host}:{full_name}.git"),
        "clone_url": format!("{git}/{full_name}.git"),
        "svn_url": format!("{web}/{full_name}"),
        "mirror_url": null,
        "homepage": null,
        "language": repo.main_language(),
        "topics": repo.topics,
        "default_branch": repo.default_branch,
        "archived": repo.is_archived(),
        "disabled": false,
        "license": null,
        "created_at": time(repo.created_at),
        "updated_at": time(repo.updated_at),
        "pushed_at": time(repo.pushed_at),
    })
}

fn counts(repo: &Repo) -> Value {
    let open = repo.open_pulls().count();
    json!({
        "forks": 0, "forks_count": 0, "stargazers_count": 0, "watchers": 0, "watchers_count": 0,
        "subscribers_count": 0, "network_count": 0, "open_issues": open,
        "open_issues_count": open, "size": repo.languages.values().sum::<u64>() / 1024,
        "has_issues": true, "has_projects": false, "has_wiki": false, "has_pages": false,
        "has_discussions": false, "has_downloads": false, "is_template": false,
        "allow_forking": true, "web_commit_signoff_required": false,
        "allow_merge_commit": repo.merging.methods.contains(&Method::Merge),
        "allow_squash_merge": repo.merging.methods.contains(&Method::Squash),
        "allow_rebase_merge": repo.merging.methods.contains(&Method::Rebase),
        "delete_branch_on_merge": repo.merging.merged_heads == MergedHeads::Deleted,
        "merge_commit_title": repo.merging.merge_title,
        "merge_commit_message": repo.merging.merge_message,
        "squash_merge_commit_title": repo.merging.squash_title,
        "squash_merge_commit_message": repo.merging.squash_message,
        "allow_auto_merge": false,
    })
}

fn permissions(access: Access) -> Value {
    let (pull, push) = (access >= Access::Read, access >= Access::Write);
    json!({ "admin": push, "maintain": push, "push": push, "triage": push, "pull": pull })
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
}
