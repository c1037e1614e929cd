//! Repositories, their branches and tags, labels and rules.

use super::{
    commit::GitThing,
    page::{Paged, page},
    people,
    pull::{self, PullAt},
    refusal::Refusal,
    thing::{Args, Asked, Reply, Source, Thing},
};
use crate::{
    git::{Git, is_sha},
    json,
    state::{Access, AccountKind, Repo},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};

const REFS: Paged = Paged { field: "refs", connection: "RefConnection", edge: "RefEdge" };
const LABELS: Paged = Paged { field: "labels", connection: "LabelConnection", edge: "LabelEdge" };
const RULES: Paged = Paged {
    field: "branchProtectionRules",
    connection: "BranchProtectionRuleConnection",
    edge: "BranchProtectionRuleEdge",
};

#[derive(Clone)]
pub(super) struct RepositoryAt(Arc<Repo>);

/// A branch or a tag, by its full name.
#[derive(Clone)]
pub(super) struct BranchAt {
    repo: Arc<Repo>,
    name: String,
    sha: String,
}

pub(super) fn git(asked: &Asked, repo: &Repo) -> Git {
    asked.call.github.git(&repo.key())
}

impl RepositoryAt {
    pub(super) fn thing(asked: &Arc<Asked>, repo: &Arc<Repo>) -> Thing {
        let source = Source::Repository(Self(Arc::clone(repo)));
        Thing::new(asked, "Repository", facts(asked, repo), source)
    }

    pub(super) async fn resolve(
        &self,
        asked: &Arc<Asked>,
        field: &str,
        args: &Args<'_>,
    ) -> Result<Option<Reply>, Refusal> {
        let Self(repo) = self;
        let git = git(asked, repo);
        Ok(Some(match field {
            "owner" => Reply::one(people::user(asked, &repo.owner)),
            "primaryLanguage" => Reply::maybe(repo.main_language().map(|name| {
                let facts = json!({ "id": format!("LANG_{name}"), "name": name });
                Thing::known(asked, "Language", facts, [])
            })),
            "defaultBranchRef" => {
                Reply::maybe(BranchAt::branch(asked, repo, &repo.default_branch).await?)
            }
            "ref" => {
                let name = args.text("qualifiedName").unwrap_or_default();
                Reply::maybe(BranchAt::find(asked, repo, name).await?)
            }
            "refs" => self.refs(asked, &git, args).await?,
            "object" => Reply::maybe(self.object(asked, args).await?),
            "pullRequest" => {
                let number = args.number("number").unwrap_or_default();
                let found = u64::try_from(number).ok();
                let found = found.and_then(|number| PullAt::thing(asked, repo, number));
                Reply::one(found.ok_or_else(|| Refusal::no_pull(number))?)
            }
            "pullRequests" => pull::list(asked, repo, args, |_| true)?,
            "label" => {
                let wanted = args.text("name").unwrap_or_default();
                let known = label_names(repo);
                let name = known.iter().find(|name| name.eq_ignore_ascii_case(wanted));
                Reply::maybe(name.map(|name| label(asked, repo, name)))
            }
            "labels" => {
                let query = args.text("query").unwrap_or_default();
                let mut names = label_names(repo);
                names.retain(|name| name.contains(query));
                labels(asked, repo, &names, args)?
            }
            "branchProtectionRules" => {
                let branches: Vec<&String> = repo.blocked_branches.keys().collect();
                page(asked, &RULES, args, &branches, |branch| rule(asked, repo, branch))?
            }
            _ => return Ok(None),
        }))
    }

    async fn refs(&self, asked: &Arc<Asked>, git: &Git, args: &Args<'_>) -> Result<Reply, Refusal> {
        let (prefix, query) =
            (args.text("refPrefix").unwrap_or_default(), args.text("query").unwrap_or_default());
        let refs = git.refs("").await?;
        let mut found: Vec<BranchAt> = refs
            .into_iter()
            .filter(|(name, _)| name.strip_prefix(prefix).is_some_and(|it| it.contains(query)))
            .map(|(name, sha)| BranchAt { repo: Arc::clone(&self.0), name, sha })
            .collect();
        if args.text("direction") == Some("DESC") {
            found.reverse();
        }
        page(asked, &REFS, args, &found, |it| it.clone().into_thing(asked))
    }

    async fn object(&self, asked: &Arc<Asked>, args: &Args<'_>) -> Result<Option<Thing>, Refusal> {
        match (args.text("oid"), args.text("expression")) {
            (Some(oid), _) if !is_sha(oid) => Ok(None),
            (Some(oid), _) => GitThing::commit(asked, &self.0, oid).await,
            (None, Some(expression)) => GitThing::find(asked, &self.0, expression).await,
            (None, None) => Ok(None),
        }
    }
}

impl BranchAt {
    pub(super) async fn branch(
        asked: &Arc<Asked>,
        repo: &Arc<Repo>,
        branch: &str,
    ) -> Result<Option<Thing>, Refusal> {
        Self::exactly(asked, repo, &format!("refs/heads/{branch}")).await
    }

    /// A full name first, then a short one, as GitHub looks for it.
    pub(super) async fn find(
        asked: &Arc<Asked>,
        repo: &Arc<Repo>,
        name: &str,
    ) -> Result<Option<Thing>, Refusal> {
        for prefix in ["", "refs/", "refs/heads/", "refs/tags/"] {
            let full = format!("{prefix}{name}");
            if full.starts_with("refs/")
                && let Some(found) = Self::exactly(asked, repo, &full).await?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    async fn exactly(
        asked: &Arc<Asked>,
        repo: &Arc<Repo>,
        name: &str,
    ) -> Result<Option<Thing>, Refusal> {
        let sha = git(asked, repo).find_ref(name).await?;
        let it = |sha| Self { repo: Arc::clone(repo), name: name.to_owned(), sha };
        Ok(sha.map(|sha| it(sha).into_thing(asked)))
    }

    fn into_thing(self, asked: &Arc<Asked>) -> Thing {
        let rest = self.name.strip_prefix("refs/").unwrap_or_default();
        let (folder, short) = rest.split_once('/').unwrap_or(("", rest));
        let facts = json!({
            "id": format!("REF_{}_{}", self.repo.id, self.name),
            "name": short, "prefix": format!("refs/{folder}/"),
        });
        Thing::new(asked, "Ref", facts, Source::Branch(self))
    }

    pub(super) async fn resolve(
        &self,
        asked: &Arc<Asked>,
        field: &str,
        args: &Args<'_>,
    ) -> Result<Option<Reply>, Refusal> {
        let Self { repo, name, sha } = self;
        let branch = name.strip_prefix("refs/heads/");
        Ok(Some(match field {
            "repository" => Reply::one(RepositoryAt::thing(asked, repo)),
            "target" => Reply::maybe(GitThing::commit(asked, repo, sha).await?),
            "associatedPullRequests" => {
                pull::list(asked, repo, args, |pull| Some(pull.head.branch.as_str()) == branch)?
            }
            "branchProtectionRule" => {
                let blocked = branch.filter(|branch| repo.blocked_branches.contains_key(*branch));
                Reply::maybe(blocked.map(|branch| rule(asked, repo, branch)))
            }
            "refUpdateRule" => {
                let blocked = branch.filter(|branch| repo.blocked_branches.contains_key(*branch));
                Reply::maybe(blocked.map(|branch| update_rule(asked, branch)))
            }
            _ => return Ok(None),
        }))
    }
}

fn facts(asked: &Asked, repo: &Repo) -> Value {
    let urls = &asked.call.urls;
    let full_name = repo.full_name();
    let host = urls.git.trim_start_matches("http://");
    let accounts = asked.call.github.store.accounts();
    let owner = accounts.find(&repo.owner);
    let permission = permission(asked, repo);
    json!({
        "id": format!("R_{}", repo.id), "databaseId": repo.id, "name": repo.name,
        "nameWithOwner": full_name, "url": format!("{}/{full_name}", urls.web),
        "resourcePath": format!("/{full_name}"), "sshUrl": format!("git@{host}:{full_name}.git"),
        "description": repo.description,
        "visibility": if repo.is_private() { "PRIVATE" } else { "PUBLIC" },
        "isPrivate": repo.is_private(), "isArchived": repo.is_archived(), "isDisabled": false,
        "isEmpty": false, "isFork": false, "isLocked": false, "isTemplate": false,
        "isInOrganization": owner.is_some_and(|it| it.kind == AccountKind::Organisation),
        "archivedAt": repo.archived_at.map(json::time), "createdAt": json::time(repo.created_at),
        "updatedAt": json::time(repo.updated_at), "pushedAt": json::time(repo.pushed_at),
        "viewerPermission": permission, "viewerCanAdminister": permission == Some("ADMIN"),
        "mergeCommitAllowed": true, "squashMergeAllowed": true, "rebaseMergeAllowed": true,
        "autoMergeAllowed": false, "deleteBranchOnMerge": false,
    })
}

fn permission(asked: &Asked, repo: &Repo) -> Option<&'static str> {
    if asked.login.eq_ignore_ascii_case(&repo.owner) {
        return Some("ADMIN");
    }
    match repo.access_of(Some(&asked.login)) {
        Access::Write => Some("WRITE"),
        Access::Read => Some("READ"),
        Access::None => None,
    }
}

/// Labels that some pull request has; others are not known.
pub(super) fn label_names(repo: &Repo) -> Vec<String> {
    let names: BTreeSet<&String> = repo.pulls.values().flat_map(|pull| &pull.labels).collect();
    names.into_iter().cloned().collect()
}

pub(super) fn label_by_id(asked: &Arc<Asked>, repo: &Arc<Repo>, id: &str) -> Option<Thing> {
    let name = find_label(asked, repo, id)?;
    Some(label(asked, repo, &name))
}

pub(super) fn find_label(asked: &Asked, repo: &Repo, id: &str) -> Option<String> {
    let shown = |name: &str| json::label(name, repo, &asked.call.urls)["node_id"] == id;
    label_names(repo).into_iter().find(|name| shown(name))
}

pub(super) fn labels(
    asked: &Arc<Asked>,
    repo: &Arc<Repo>,
    names: &[String],
    args: &Args<'_>,
) -> Result<Reply, Refusal> {
    page(asked, &LABELS, args, names, |name| label(asked, repo, name))
}

fn label(asked: &Arc<Asked>, repo: &Arc<Repo>, name: &str) -> Thing {
    let urls = &asked.call.urls;
    let shown = json::label(name, repo, urls);
    let path = format!("/{}/labels/{}", repo.full_name(), json::in_path(name));
    let facts = json!({
        "id": shown["node_id"], "name": name, "color": shown["color"],
        "description": shown["description"], "isDefault": shown["default"],
        "url": format!("{}{path}", urls.web), "resourcePath": path,
    });
    let repository = ("repository", Reply::one(RepositoryAt::thing(asked, repo)));
    Thing::known(asked, "Label", facts, [repository])
}

/// What of a rule those see too who administer nothing.
fn update_rule(asked: &Arc<Asked>, branch: &str) -> Thing {
    let facts = json!({
        "pattern": branch, "allowsDeletions": false, "allowsForcePushes": false,
        "blocksCreations": false, "requiredApprovingReviewCount": 1,
        "requiredStatusCheckContexts": [], "requiresCodeOwnerReviews": false,
        "requiresConversationResolution": false, "requiresLinearHistory": false,
        "requiresSignatures": false, "viewerAllowedToDismissReviews": true, "viewerCanPush": true,
    });
    Thing::known(asked, "RefUpdateRule", facts, [])
}

/// A branch into which nothing may be merged looks like one that waits for a review.
fn rule(asked: &Arc<Asked>, repo: &Arc<Repo>, branch: &str) -> Thing {
    let facts = json!({
        "id": format!("BPR_{}_{branch}", repo.id), "databaseId": repo.id, "pattern": branch,
        "allowsDeletions": false, "allowsForcePushes": false, "blocksCreations": false,
        "dismissesStaleReviews": false, "isAdminEnforced": true, "lockBranch": false,
        "requireLastPushApproval": false, "requiredApprovingReviewCount": 1,
        "requiredStatusCheckContexts": [], "requiresApprovingReviews": true,
        "requiresCodeOwnerReviews": false, "requiresCommitSignatures": false,
        "requiresConversationResolution": false, "requiresLinearHistory": false,
        "requiresStatusChecks": false, "requiresStrictStatusChecks": false,
        "restrictsPushes": false, "restrictsReviewDismissals": false,
    });
    let repository = ("repository", Reply::one(RepositoryAt::thing(asked, repo)));
    Thing::known(asked, "BranchProtectionRule", facts, [repository])
}
