//! Where reading begins: repositories by name, objects by their global id, and who asks.

use super::{
    commit::GitThing,
    people,
    pull::PullAt,
    refusal::Refusal,
    repository::{self, BranchAt, RepositoryAt},
    thing::{Args, Asked, Reply, Thing},
};
use crate::{
    clock::now,
    error::ApiError,
    json::time,
    quota::Resource,
    state::{AccountKind, Repo},
};
use serde_json::json;
use std::sync::Arc;

/// GitHub's own limit.
const IDS_MAX: usize = 100;

pub(super) async fn resolve(
    asked: &Arc<Asked>,
    field: &str,
    args: &Args<'_>,
) -> Result<Option<Reply>, Refusal> {
    let text = |name| args.text(name).unwrap_or_default();
    Ok(Some(match field {
        "repository" => {
            let (owner, name) = (text("owner"), text("name"));
            // GraphQL goes on at the new name by itself.
            let moved = asked.call.find_moved(owner, name).ok_or(ApiError::NotFound);
            let repo = asked.call.find_repo(owner, name).or(moved);
            let repo = repo.map_err(|_| Refusal::no_repository(owner, name))?;
            Reply::one(RepositoryAt::thing(asked, &repo))
        }
        "node" => Reply::one(node(asked, text("id")).await?),
        "nodes" => nodes(asked, args).await?,
        "viewer" => Reply::one(people::user(asked, &asked.login)),
        "user" => Reply::one(people::find(asked, text("login"), AccountKind::User)?),
        "organization" => {
            Reply::one(people::find(asked, text("login"), AccountKind::Organisation)?)
        }
        "rateLimit" => Reply::one(rate_limit(asked)),
        _ => return Ok(None),
    }))
}

async fn nodes(asked: &Arc<Asked>, args: &Args<'_>) -> Result<Reply, Refusal> {
    let ids: Vec<String> = args.read("ids")?.unwrap_or_default();
    if ids.len() > IDS_MAX {
        let text = format!(
            "You may not provide more than {IDS_MAX} node ids; you provided {}.",
            ids.len()
        );
        return Err(Refusal::unprocessable(text));
    }
    let mut found = Vec::with_capacity(ids.len());
    for id in &ids {
        found.push(node(asked, id).await);
    }
    Ok(Reply::Many(found))
}

/// Ids say what they are, whose they are, and which one: `PR_7_12`, as the REST bodies give them.
pub(super) async fn node(asked: &Arc<Asked>, id: &str) -> Result<Thing, Refusal> {
    let missing = || Refusal::no_node(id);
    let (kind, rest) = id.split_once('_').ok_or_else(missing)?;
    if matches!(kind, "U" | "O") {
        return people::by_id(asked, rest.parse().ok()).ok_or_else(missing);
    }
    let (repo_id, rest) = rest.split_once('_').unwrap_or((rest, ""));
    let repo = repo_by_id(asked, repo_id).ok_or_else(missing)?;
    let found = match kind {
        "R" if rest.is_empty() => Some(RepositoryAt::thing(asked, &repo)),
        "PR" => rest.parse().ok().and_then(|number| PullAt::thing(asked, &repo, number)),
        "C" => GitThing::commit(asked, &repo, rest).await?,
        "REF" => BranchAt::find(asked, &repo, rest).await?,
        "LA" => repository::label_by_id(asked, &repo, id),
        _ => None,
    };
    found.ok_or_else(missing)
}

pub(super) fn repo_by_id(asked: &Asked, id: &str) -> Option<Arc<Repo>> {
    let id: u64 = id.parse().ok()?;
    let repos = asked.call.github.store.list();
    repos.into_iter().find(|repo| repo.id == id && asked.call.may_read(repo))
}

fn rate_limit(asked: &Arc<Asked>) -> Thing {
    let quota = asked.call.github.quotas.look(&asked.login, Resource::Graphql, now());
    let facts = json!({
        "cost": asked.cost, "limit": quota.limit, "nodeCount": asked.nodes,
        "remaining": quota.remaining(), "resetAt": time(quota.reset_at), "used": quota.used,
    });
    Thing::known(asked, "RateLimit", facts, [])
}
