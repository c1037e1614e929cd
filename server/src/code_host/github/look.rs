//! How many things stand, in one query.
//!
//! Each target has an alias of its own, so an error is known by its path to be about one target,
//! or about one part of it, and hides no other.

use super::{
    answer::Effect,
    client::Client,
    graphql::{Reply, ask, read},
    look_rest,
    model::{PULL_FRAGMENT, PullNode},
};
use crate::code_host::{
    CodeHostError, PullInfo,
    look::{
        LOOK_OPEN_PULLS_MAX, LOOK_TARGETS_MAX, LookTarget, Looked, Part, RepoSight, Sight, Tip,
    },
};
use drover::{
    campaign::spec::query::Activity,
    changeset::push_target::Protection,
    names::{BranchName, CommitSha, HostRepoId, RepoName},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::atomic::Ordering;
use tracing::warn;

/// The fields of [`RepoNode`].
const REPO_FIELDS: &str = "databaseId nameWithOwner isArchived defaultBranchRef { name }";
/// The fields of [`RefNode`]. `refUpdateRule` is what people who administer nothing see too.
const REF_FRAGMENT: &str = "fragment tip on Ref { target { oid } refUpdateRule { pattern } }";

pub(super) async fn look(client: &Client, targets: &[LookTarget]) -> Vec<Looked> {
    let mut looked = Vec::with_capacity(targets.len());
    for some in targets.chunks(LOOK_TARGETS_MAX) {
        looked.extend(look_at_some(client, some).await);
    }
    looked
}

async fn look_at_some(client: &Client, targets: &[LookTarget]) -> Vec<Looked> {
    if client.looks_by_rest.load(Ordering::Relaxed) {
        return look_rest::look(client, targets).await;
    }
    let reply = match ask(client, &query(targets), Effect::Read, "repositories").await {
        Ok(reply) => reply,
        Err(CodeHostError::NotFound { .. } | CodeHostError::Rejected { .. }) => {
            return by_rest(client, targets).await;
        }
        Err(error) => return vec![Err(error); targets.len()],
    };
    let knows_any = (0..targets.len()).any(|at| reply.data.get(alias(at)).is_some());
    if !knows_any {
        return by_rest(client, targets).await;
    }
    targets.iter().enumerate().map(|(at, target)| sight(&reply, at, target)).collect()
}

/// The query as a whole was not understood, so GraphQL of this GitHub is of no use for looks.
async fn by_rest(client: &Client, targets: &[LookTarget]) -> Vec<Looked> {
    if !client.looks_by_rest.swap(true, Ordering::Relaxed) {
        warn!(
            "this GitHub answers no looks by GraphQL: each costs several requests instead of one"
        );
    }
    look_rest::look(client, targets).await
}

fn alias(at: usize) -> String {
    format!("t{at}")
}

/// Values travel as variables: no text of others becomes part of a query.
fn query(targets: &[LookTarget]) -> Value {
    let (mut types, mut fields, mut variables) = (Vec::new(), Vec::new(), Map::new());
    let (mut names_tip, mut names_pull) = (false, false);
    for (at, LookTarget { repo, head, base, number }) in targets.iter().enumerate() {
        let mut variable = |name: &str, kind: &str, value: Value| {
            types.push(format!("${name}{at}: {kind}!"));
            variables.insert(format!("{name}{at}"), value);
        };
        variable("owner", "String", repo.owner().into());
        variable("name", "String", repo.name().into());
        let mut parts = vec![REPO_FIELDS.to_owned()];
        for (key, branch) in [("head", head), ("base", base)] {
            let Some(branch) = branch else { continue };
            variable(key, "String", format!("refs/heads/{branch}").into());
            parts.push(format!("{key}: ref(qualifiedName: ${key}{at}) {{ ...tip }}"));
            names_tip = true;
        }
        if let Some(head) = head {
            variable("branch", "String", head.as_str().into());
            parts.push(format!(
                "open: pullRequests(headRefName: $branch{at}, states: [OPEN], \
                 first: {LOOK_OPEN_PULLS_MAX}, orderBy: {{ field: CREATED_AT, direction: DESC }}) \
                 {{ nodes {{ ...pull }} }}"
            ));
        }
        if let Some(number) = number {
            variable("number", "Int", number.0.into());
            parts.push(format!("pull: pullRequest(number: $number{at}) {{ ...pull }}"));
        }
        names_pull |= head.is_some() || number.is_some();
        let (alias, parts) = (alias(at), parts.join(" "));
        fields
            .push(format!("{alias}: repository(owner: $owner{at}, name: $name{at}) {{ {parts} }}"));
    }
    let (types, fields) = (types.join(", "), fields.join(" "));
    // A fragment that nobody uses is an error in GraphQL.
    let tip = if names_tip { REF_FRAGMENT } else { "" };
    let pull = if names_pull { PULL_FRAGMENT } else { "" };
    json!({ "query": format!("query({types}) {{ {fields} }} {tip} {pull}"), "variables": variables })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RepoNode {
    database_id: HostRepoId,
    name_with_owner: RepoName,
    is_archived: bool,
    default_branch_ref: Option<NamedRef>,
}

#[derive(Deserialize)]
struct NamedRef {
    name: BranchName,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RefNode {
    target: ObjectNode,
    #[serde(default)]
    ref_update_rule: Value,
}

#[derive(Deserialize)]
struct ObjectNode {
    oid: CommitSha,
}

fn sight(reply: &Reply, at: usize, target: &LookTarget) -> Looked {
    let (alias, LookTarget { repo, head, base, number }) = (alias(at), target);
    let what = format!("repository `{repo}`");
    let node = &reply.data[&alias];
    if node.is_null() {
        let error = reply.errors.iter().find(|error| error.is_at(&[&alias]));
        return Err(error.map_or_else(|| not_answered(&what), |error| error.meaning(&what)));
    }
    let RepoNode { database_id, name_with_owner, is_archived, default_branch_ref } =
        read(node, Effect::Read)?;
    let place = |key, asked: bool| Place { reply, alias: &alias, key, asked, what: &what };
    let branch = |key, branch: &Option<BranchName>| {
        let place = place(key, branch.is_some());
        let rule_unread = place.has_error_below("refUpdateRule");
        place.read(|node| tip(node, rule_unread))
    };
    Ok(Sight {
        repo: RepoSight {
            id: database_id,
            name: name_with_owner,
            activity: if is_archived { Activity::Archived } else { Activity::Active },
            default_branch: default_branch_ref.map(|it| it.name),
        },
        head: branch("head", head),
        base: branch("base", base),
        pull: place("pull", number.is_some())
            .read(|node| read::<PullNode>(node, Effect::Read)?.into_info()),
        open: place("open", head.is_some()).read(own_pulls),
    })
}

/// A part of a target in an answer.
struct Place<'a> {
    reply: &'a Reply,
    alias: &'a str,
    key: &'static str,
    asked: bool,
    /// The repository.
    what: &'a str,
}

impl Place<'_> {
    fn read<T>(self, read: impl FnOnce(&Value) -> Result<T, CodeHostError>) -> Part<T> {
        if !self.asked {
            return Part::NotAsked;
        }
        let node = &self.reply.data[self.alias][self.key];
        let path = [self.alias, self.key];
        let error = self.reply.errors.iter().find(|error| error.is_at(&path));
        match (node.is_null(), error) {
            (false, _) => read(node).map_or_else(Part::Unknown, Part::Found),
            (true, None) => Part::Absent,
            (true, Some(error)) if error.is_not_found() => Part::Absent,
            (true, Some(error)) => Part::Unknown(error.meaning(self.what)),
        }
    }

    fn has_error_below(&self, field: &str) -> bool {
        let path = [self.alias, self.key, field];
        self.reply.errors.iter().any(|error| error.is_at(&path))
    }
}

fn tip(node: &Value, rule_unread: bool) -> Result<Tip, CodeHostError> {
    let RefNode { target: ObjectNode { oid }, ref_update_rule } = read(node, Effect::Read)?;
    let protection = match (rule_unread, ref_update_rule.is_null()) {
        (true, _) => Protection::Unknown,
        (false, true) => Protection::Open,
        (false, false) => Protection::Protected,
    };
    Ok(Tip { commit: oid, protection })
}

fn own_pulls(node: &Value) -> Result<Vec<PullInfo>, CodeHostError> {
    let nodes: Vec<Option<PullNode>> = read(&node["nodes"], Effect::Read)?;
    let own = nodes.into_iter().flatten().filter(|node| !node.is_cross_repository);
    own.map(PullNode::into_info).collect()
}

fn not_answered(what: &str) -> CodeHostError {
    CodeHostError::Unavailable { message: format!("it did not answer about {what}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use drover::{changeset::PullState, names::PullNumber};

    fn target(repo: &str) -> LookTarget {
        LookTarget {
            repo: repo.parse().unwrap(),
            head: Some("drover/x".parse().unwrap()),
            base: Some("main".parse().unwrap()),
            number: Some(PullNumber(7)),
        }
    }

    fn pull_node(number: i64, is_fork: bool) -> Value {
        json!({
            "number": number, "url": "https://github.com/acme/web/pull/1", "state": "OPEN",
            "updatedAt": "2026-01-01T00:00:00Z", "isDraft": false, "isCrossRepository": is_fork,
            "title": "Title", "body": "", "baseRefName": "main", "headRefName": "drover/x",
            "headRefOid": "a".repeat(40),
            "repository": { "nameWithOwner": "acme/web", "isArchived": false },
        })
    }

    fn repo_node() -> Value {
        json!({
            "databaseId": 5, "nameWithOwner": "acme/new", "isArchived": true,
            "defaultBranchRef": { "name": "main" },
            "head": { "target": { "oid": "a".repeat(40) }, "refUpdateRule": null },
            "base": { "target": { "oid": "b".repeat(40) }, "refUpdateRule": { "pattern": "main" } },
            "pull": pull_node(7, false),
            "open": { "nodes": [pull_node(9, true), pull_node(7, false)] },
        })
    }

    fn sights(data: &Value, errors: &Value) -> Vec<Looked> {
        let reply = json!({ "data": data, "errors": errors });
        let reply: Reply = serde_json::from_value(reply).unwrap();
        (0..4).map(|at| sight(&reply, at, &target("acme/web"))).collect()
    }

    #[test]
    fn texts_of_others_travel_as_variables() {
        let query = query(&[target("acme/web"), target("acme/api")]);
        let text = query["query"].as_str().unwrap();
        assert!(!text.contains("acme") && !text.contains("drover"), "{text}");
        assert_eq!(query["variables"]["head1"], "refs/heads/drover/x");
        assert_eq!(query["variables"]["name1"], "api");
    }

    #[test]
    fn what_nobody_asks_for_is_not_in_the_query() {
        let bare = LookTarget { head: None, base: None, number: None, ..target("acme/web") };
        let query = query(&[bare]);
        let text = query["query"].as_str().unwrap();
        assert!(!text.contains("fragment") && !text.contains("pull"), "{text}");
    }

    #[test]
    fn a_sight_has_all_of_its_parts() {
        let seen = sights(&json!({ "t0": repo_node() }), &json!([])).remove(0).unwrap();
        assert_eq!((seen.repo.id, seen.repo.name.as_str()), (HostRepoId(5), "acme/new"));
        assert_eq!(seen.repo.activity, Activity::Archived);
        assert_eq!(seen.head.found().unwrap().protection, Protection::Open);
        assert_eq!(seen.base.found().unwrap().protection, Protection::Protected);
        assert_eq!(seen.pull.found().unwrap().pull.state, PullState::Open);
        let open: Vec<i64> =
            seen.open.found().unwrap().iter().map(|info| info.pull.number.0).collect();
        assert_eq!(open, [7], "a fork's branch is another branch");
    }

    #[test]
    fn what_is_gone_or_out_of_reach_hides_no_other_and_is_never_nothing() {
        let mut half = repo_node();
        half["pull"] = Value::Null;
        half["head"] = Value::Null;
        half["open"] = Value::Null;
        half["base"]["refUpdateRule"] = Value::Null;
        let data = json!({ "t0": repo_node(), "t1": null, "t2": half, "t3": null });
        let errors = json!([
            { "type": "NOT_FOUND", "path": ["t1"], "message": "no" },
            { "type": "NOT_FOUND", "path": ["t2", "pull"], "message": "no" },
            { "type": "FORBIDDEN", "path": ["t2", "open"], "message": "SAML" },
            { "type": "FORBIDDEN", "path": ["t2", "base", "refUpdateRule"], "message": "no" },
        ]);
        let seen = sights(&data, &errors);
        assert!(seen[0].is_ok());
        assert!(matches!(seen[1], Err(CodeHostError::NotFound { .. })));
        let half = seen[2].as_ref().unwrap();
        assert_eq!((&half.pull, &half.head), (&Part::Absent, &Part::Absent));
        assert!(matches!(half.open, Part::Unknown(CodeHostError::Forbidden { .. })));
        assert_eq!(half.base.found().unwrap().protection, Protection::Unknown);
        assert!(matches!(seen[3], Err(CodeHostError::Unavailable { .. })));
    }
}
