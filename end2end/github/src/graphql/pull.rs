//! Pull requests, and lists of them.

use super::{
    commit::GitThing,
    page::{Paged, page},
    people,
    refusal::Refusal,
    repository::{self, BranchAt, RepositoryAt, git},
    review,
    thing::{Args, Asked, Reply, Source, Thing},
};
use crate::{
    git::Commit,
    json::{self, time},
    pulls,
    state::{Access, Comment, Pull, PullState, Repo},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

const PULLS: Paged =
    Paged { field: "pullRequests", connection: "PullRequestConnection", edge: "PullRequestEdge" };
const ASSIGNEES: Paged =
    Paged { field: "assignees", connection: "UserConnection", edge: "UserEdge" };
const COMMENTS: Paged =
    Paged { field: "comments", connection: "IssueCommentConnection", edge: "IssueCommentEdge" };
const COMMITS: Paged = Paged {
    field: "commits",
    connection: "PullRequestCommitConnection",
    edge: "PullRequestCommitEdge",
};

#[derive(Clone)]
pub(super) struct PullAt {
    repo: Arc<Repo>,
    pull: Arc<Pull>,
}

/// The order of a list; GitHub sorts pull requests as the issues that they also are.
#[derive(Deserialize)]
struct Order {
    field: String,
    direction: String,
}

/// The pull requests that the arguments ask for, of those that fit.
pub(super) fn list(
    asked: &Arc<Asked>,
    repo: &Arc<Repo>,
    args: &Args<'_>,
    fits: impl Fn(&Pull) -> bool,
) -> Result<Reply, Refusal> {
    let states: Option<Vec<String>> = args.read("states")?;
    let labels: Option<Vec<String>> = args.read("labels")?;
    let (head, base) = (args.text("headRefName"), args.text("baseRefName"));
    let is_wanted = |pull: &&Pull| {
        states.as_ref().is_none_or(|states| states.iter().any(|it| it == state(pull)))
            && labels.as_ref().is_none_or(|it| it.iter().any(|name| pull.labels.contains(name)))
            && head.is_none_or(|head| head == pull.head.branch)
            && base.is_none_or(|base| base == pull.base.branch)
            && fits(pull)
    };
    let mut found: Vec<&Pull> = repo.pulls.values().filter(is_wanted).collect();
    if let Some(Order { field, direction }) = args.read("orderBy")? {
        match field.as_str() {
            "UPDATED_AT" => found.sort_by_key(|pull| pull.updated_at),
            "COMMENTS" => found.sort_by_key(|pull| pull.comments.len()),
            // They are kept in the order in which they were created.
            _ => (),
        }
        if direction == "DESC" {
            found.reverse();
        }
    }
    page(asked, &PULLS, args, &found, |pull| PullAt::of(asked, repo, pull))
}

fn state(pull: &Pull) -> &'static str {
    match pull.state {
        PullState::Open => "OPEN",
        PullState::Closed { .. } => "CLOSED",
        PullState::Merged { .. } => "MERGED",
    }
}

impl PullAt {
    pub(super) fn thing(asked: &Arc<Asked>, repo: &Arc<Repo>, number: u64) -> Option<Thing> {
        repo.pulls.get(&number).map(|pull| Self::of(asked, repo, pull))
    }

    fn of(asked: &Arc<Asked>, repo: &Arc<Repo>, pull: &Pull) -> Thing {
        let source = Self { repo: Arc::clone(repo), pull: Arc::new(pull.clone()) };
        Thing::new(asked, "PullRequest", facts(asked, repo, pull), Source::Pull(source))
    }

    pub(super) async fn resolve(
        &self,
        asked: &Arc<Asked>,
        field: &str,
        args: &Args<'_>,
    ) -> Result<Option<Reply>, Refusal> {
        let Self { repo, pull } = self;
        Ok(Some(match field {
            "repository" | "headRepository" | "baseRepository" => {
                Reply::one(RepositoryAt::thing(asked, repo))
            }
            "headRepositoryOwner" => Reply::one(people::user(asked, &repo.owner)),
            "author" => Reply::maybe(people::actor(asked, &pull.author)),
            "headRef" => Reply::maybe(BranchAt::branch(asked, repo, &pull.head.branch).await?),
            "baseRef" => Reply::maybe(BranchAt::branch(asked, repo, &pull.base.branch).await?),
            "mergedBy" => Reply::maybe(match &pull.state {
                PullState::Merged { by, .. } => people::actor(asked, by),
                PullState::Open | PullState::Closed { .. } => None,
            }),
            "mergeCommit" => Reply::maybe(match &pull.state {
                PullState::Merged { sha, .. } => GitThing::commit(asked, repo, sha).await?,
                PullState::Open | PullState::Closed { .. } => None,
            }),
            "labels" => {
                let names: Vec<String> = pull.labels.iter().cloned().collect();
                repository::labels(asked, repo, &names, args)?
            }
            "assignees" => {
                let logins: Vec<&String> = pull.assignees.iter().collect();
                page(asked, &ASSIGNEES, args, &logins, |login| people::user(asked, login))?
            }
            "comments" => page(asked, &COMMENTS, args, &pull.comments, |comment| {
                self.comment(asked, comment)
            })?,
            "commits" => {
                let git = git(asked, repo);
                let commits = git.commits_between(&pull.base.sha, &pull.head.sha).await?;
                page(asked, &COMMITS, args, &commits, |it| self.commit(asked, it.clone()))?
            }
            "additions" | "deletions" | "changedFiles" | "mergeable" | "mergeStateStatus" => {
                self.computed(asked, field).await?
            }
            "potentialMergeCommit" => Reply::maybe(self.tried_merge(asked).await?),
            // Nothing of this is stood in for, so none has any.
            "autoMergeRequest" | "milestone" | "statusCheckRollup" => Reply::One(None),
            _ => return review::resolve(asked, (repo, pull), field, args),
        }))
    }

    /// What the REST API says.
    async fn body(&self, asked: &Arc<Asked>) -> Result<Value, Refusal> {
        let (call, login) = (&asked.call, Some(asked.login.as_str()));
        Ok(pulls::show(&call.github, &self.repo, &self.pull, &call.urls, login).await?)
    }

    async fn tried_merge(&self, asked: &Arc<Asked>) -> Result<Option<Thing>, Refusal> {
        let body = self.body(asked).await?;
        match body["merge_commit_sha"].as_str().filter(|_| self.pull.is_open()) {
            Some(sha) => GitThing::commit(asked, &self.repo, sha).await,
            None => Ok(None),
        }
    }

    /// What git has to compute.
    async fn computed(&self, asked: &Arc<Asked>, field: &str) -> Result<Reply, Refusal> {
        let body = self.body(asked).await?;
        Ok(Reply::Leaf(match field {
            "changedFiles" => body["changed_files"].clone(),
            "mergeStateStatus" => json!(body["mergeable_state"].as_str().map(str::to_uppercase)),
            "mergeable" => json!(match body["mergeable"].as_bool() {
                Some(true) => "MERGEABLE",
                Some(false) => "CONFLICTING",
                None => "UNKNOWN",
            }),
            _ => body[field].clone(),
        }))
    }

    fn commit(&self, asked: &Arc<Asked>, commit: Commit) -> Thing {
        let Self { repo, pull } = self;
        let path = format!("/{}/pull/{}/commits/{}", repo.full_name(), pull.number, commit.sha);
        let facts = json!({
            "id": format!("PURC_{}_{}_{}", repo.id, pull.number, commit.sha),
            "url": format!("{}{path}", asked.call.urls.web), "resourcePath": path,
        });
        let children = [
            ("commit", Reply::one(GitThing::of(asked, repo, commit))),
            ("pullRequest", Reply::one(Self::of(asked, repo, pull))),
        ];
        Thing::known(asked, "PullRequestCommit", facts, children)
    }

    fn comment(&self, asked: &Arc<Asked>, comment: &Comment) -> Thing {
        let Self { repo, pull } = self;
        let accounts = asked.call.github.store.accounts();
        let viewer = Some(asked.login.as_str());
        let shown = json::Shown { repo, accounts: &accounts, urls: &asked.call.urls, viewer };
        let shown = json::comment(comment, pull.number, shown);
        let facts = json!({
            "id": shown["node_id"], "databaseId": comment.id,
            "fullDatabaseId": comment.id.to_string(), "body": comment.body,
            "authorAssociation": shown["author_association"], "url": shown["html_url"],
            "createdAt": shown["created_at"], "updatedAt": shown["updated_at"],
        });
        let author = ("author", Reply::maybe(people::actor(asked, &comment.author)));
        Thing::known(asked, "IssueComment", facts, [author])
    }
}

fn facts(asked: &Asked, repo: &Repo, pull: &Pull) -> Value {
    let Pull { number, title, head, base, .. } = pull;
    let path = format!("/{}/pull/{number}", repo.full_name());
    let url = format!("{}{path}", asked.call.urls.web);
    let id = repo.pull_id(*number);
    let merged_at = match &pull.state {
        PullState::Merged { at, .. } => Some(time(*at)),
        PullState::Open | PullState::Closed { .. } => None,
    };
    let body = pull.body.as_deref().unwrap_or_default();
    json!({
        "id": format!("PR_{}_{number}", repo.id), "databaseId": id,
        "fullDatabaseId": id.to_string(), "number": number, "state": state(pull),
        "isDraft": pull.is_draft(), "merged": merged_at.is_some(), "mergedAt": merged_at,
        "closed": !pull.is_open(), "closedAt": pull.closed_at().map(time),
        "createdAt": time(pull.created_at), "updatedAt": time(pull.updated_at),
        "publishedAt": time(pull.created_at), "title": title, "body": body, "bodyText": body,
        "url": url, "permalink": url, "resourcePath": path,
        "baseRefName": base.branch, "baseRefOid": base.sha,
        "headRefName": head.branch, "headRefOid": head.sha,
        "isCrossRepository": false, "maintainerCanModify": false, "locked": false,
        "authorAssociation": json::association(repo, &pull.author),
        "totalCommentsCount": pull.comments.len() + pull.reviews.len(),
        "viewerDidAuthor": pull.author.eq_ignore_ascii_case(&asked.login),
        "viewerCanUpdate": repo.access_of(Some(&asked.login)) >= Access::Write,
        "isInMergeQueue": false, "isMergeQueueEnabled": false,
    })
}
