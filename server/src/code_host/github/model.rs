//! What is read of GitHub's answers: required is only what is used.

use super::address::ApiAddress;
use crate::code_host::{CodeHostError, PullInfo, RepoInfo};
use chrono::{DateTime, Utc};
use drover::{
    campaign::spec::query::Activity,
    changeset::{Pull, PullState},
    names::{BranchName, CommitSha, HostRepoId, PullNumber, RepoName},
    time::Timestamp,
};
use serde::Deserialize;
use url::Url;

#[derive(Deserialize)]
pub(super) struct UserJson {
    pub(super) login: String,
}

#[derive(Deserialize)]
pub(super) struct RefJson {
    pub(super) object: ObjectJson,
}

#[derive(Deserialize)]
pub(super) struct ObjectJson {
    pub(super) sha: CommitSha,
}

#[derive(Deserialize)]
pub(super) struct RepoJson {
    id: HostRepoId,
    full_name: RepoName,
    default_branch: BranchName,
    #[serde(default)]
    archived: bool,
    language: Option<String>,
    #[serde(default)]
    topics: Vec<String>,
    permissions: Option<PermissionsJson>,
    clone_url: Url,
}

#[derive(Deserialize)]
struct PermissionsJson {
    #[serde(default)]
    push: bool,
}

impl RepoJson {
    pub(super) fn into_info(self, address: &ApiAddress) -> Result<RepoInfo, CodeHostError> {
        let Self {
            id,
            full_name,
            default_branch,
            archived,
            language,
            topics,
            permissions,
            clone_url,
        } = self;
        if !address.may_clone(&clone_url) {
            let host = clone_url.host_str().unwrap_or("no host");
            return Err(CodeHostError::Unavailable {
                message: format!("{full_name} is to be cloned from {host}, which is another host"),
            });
        }
        Ok(RepoInfo {
            id,
            name: full_name,
            default_branch,
            activity: if archived { Activity::Archived } else { Activity::Active },
            language,
            topics,
            can_push: permissions.is_some_and(|permissions| permissions.push),
            clone_url,
        })
    }
}

#[derive(Deserialize)]
pub(super) struct PullJson {
    pub(super) node_id: String,
    number: PullNumber,
    html_url: Url,
    state: StateJson,
    #[serde(default)]
    draft: bool,
    title: String,
    body: Option<String>,
    merged_at: Option<DateTime<Utc>>,
    updated_at: DateTime<Utc>,
    pub(super) head: EndJson,
    base: EndJson,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StateJson {
    Open,
    Closed,
}

#[derive(Deserialize)]
pub(super) struct EndJson {
    #[serde(rename = "ref")]
    branch: BranchName,
    sha: CommitSha,
    pub(super) user: Option<UserJson>,
    /// Absent when the fork was deleted.
    repo: Option<EndRepoJson>,
}

#[derive(Deserialize)]
struct EndRepoJson {
    full_name: RepoName,
    #[serde(default)]
    archived: bool,
}

impl PullJson {
    /// `asked` is the repository that was asked for; the answer names it as it is called today.
    pub(super) fn into_info(self, asked: &RepoName) -> Result<PullInfo, CodeHostError> {
        let (repo, archived) = match self.base.repo {
            Some(EndRepoJson { full_name, archived }) => (full_name, archived),
            None => (asked.clone(), false),
        };
        let state = match (self.state, self.merged_at) {
            (_, Some(_)) => PullState::Merged,
            (StateJson::Closed, None) => PullState::Closed,
            (StateJson::Open, None) => open_state(archived, self.draft),
        };
        let pull = Pull {
            number: self.number,
            state,
            title: self.title,
            body: self.body.unwrap_or_default(),
            base: self.base.branch,
            head: self.head.sha,
            merged_at: self.merged_at.map(|at| Timestamp(at.timestamp_millis())),
        };
        info(repo, pull, self.head.branch, self.html_url, self.updated_at)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PullNode {
    number: PullNumber,
    url: Url,
    state: NodeState,
    /// From a fork: its branch only has the name of ours.
    #[serde(default)]
    pub(super) is_cross_repository: bool,
    updated_at: DateTime<Utc>,
    merged_at: Option<DateTime<Utc>>,
    is_draft: bool,
    title: String,
    body: String,
    base_ref_name: BranchName,
    head_ref_name: BranchName,
    head_ref_oid: CommitSha,
    repository: RepoNode,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RepoNode {
    name_with_owner: RepoName,
    is_archived: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum NodeState {
    Open,
    Closed,
    Merged,
}

/// The fields of [`PullNode`].
pub(super) const PULL_FRAGMENT: &str = "fragment pull on PullRequest { number url state updatedAt \
     mergedAt isDraft isCrossRepository title body baseRefName headRefName headRefOid \
     repository { nameWithOwner isArchived } }";

impl PullNode {
    pub(super) fn into_info(self) -> Result<PullInfo, CodeHostError> {
        let RepoNode { name_with_owner, is_archived } = self.repository;
        let state = match self.state {
            NodeState::Merged => PullState::Merged,
            NodeState::Closed => PullState::Closed,
            NodeState::Open => open_state(is_archived, self.is_draft),
        };
        let pull = Pull {
            number: self.number,
            state,
            title: self.title,
            body: self.body,
            base: self.base_ref_name,
            head: self.head_ref_oid,
            merged_at: self.merged_at.map(|at| Timestamp(at.timestamp_millis())),
        };
        info(name_with_owner, pull, self.head_ref_name, self.url, self.updated_at)
    }
}

fn open_state(archived: bool, draft: bool) -> PullState {
    match (archived, draft) {
        (true, _) => PullState::ReadOnly,
        (false, true) => PullState::Draft,
        (false, false) => PullState::Open,
    }
}

/// The URL becomes a link in pages, so it must be one that only opens a page.
fn info(
    repo: RepoName,
    pull: Pull,
    head_branch: BranchName,
    url: Url,
    updated_at: DateTime<Utc>,
) -> Result<PullInfo, CodeHostError> {
    if !matches!(url.scheme(), "https" | "http") {
        let message = format!("pull request {} of {repo} has no address for people", pull.number);
        return Err(CodeHostError::Unavailable { message });
    }
    let updated_at = Timestamp(updated_at.timestamp_millis());
    Ok(PullInfo { repo, pull, head_branch, url, updated_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pull(changes: &[(&str, Value)]) -> Result<PullInfo, CodeHostError> {
        let end = |branch: &str| {
            json!({
                "ref": branch,
                "sha": "a".repeat(40),
                "repo": { "full_name": "acme/web", "archived": false },
            })
        };
        let mut json = json!({
            "node_id": "PR_1",
            "number": 7,
            "html_url": "https://github.com/acme/web/pull/7",
            "state": "open",
            "draft": false,
            "title": "Title",
            "body": null,
            "updated_at": "2026-01-01T00:00:00Z",
            "head": end("drover/x"),
            "base": end("main"),
        });
        for (key, value) in changes {
            json.pointer_mut(key).map(|place| *place = value.clone()).unwrap_or_else(|| {
                json[&key[1..]] = value.clone();
            });
        }
        let pull: PullJson = serde_json::from_value(json).unwrap();
        pull.into_info(&"acme/old".parse().unwrap())
    }

    fn check(changes: &[(&str, Value)], expected: PullState) {
        assert_eq!(pull(changes).unwrap().pull.state, expected, "{changes:?}");
    }

    #[test]
    fn the_state_comes_from_several_fields() {
        let merged = json!("2026-01-01T00:00:00Z");
        check(&[], PullState::Open);
        check(&[("/draft", json!(true))], PullState::Draft);
        check(&[("/state", json!("closed"))], PullState::Closed);
        check(&[("/state", json!("closed")), ("/merged_at", merged.clone())], PullState::Merged);
        check(&[("/base/repo/archived", json!(true))], PullState::ReadOnly);
        check(
            &[
                ("/base/repo/archived", json!(true)),
                ("/state", json!("closed")),
                ("/merged_at", merged),
            ],
            PullState::Merged,
        );
    }

    #[test]
    fn a_missing_body_is_empty_and_a_renamed_repository_has_its_new_name() {
        let info = pull(&[]).unwrap();
        assert_eq!((info.pull.body.as_str(), info.repo.as_str()), ("", "acme/web"));
        let forkless = pull(&[("/base/repo", json!(null)), ("/head/repo", json!(null))]).unwrap();
        assert_eq!(forkless.repo.as_str(), "acme/old");
    }

    #[test]
    fn an_address_that_runs_code_is_refused() {
        for url in ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd"] {
            let refused = pull(&[("/html_url", json!(url))]);
            assert!(matches!(refused, Err(CodeHostError::Unavailable { .. })), "{url}");
        }
    }
}
