//! What GitHub offers through GraphQL only, or in one request for many.

use super::{
    answer::{Answer, Effect},
    client::Client,
    model::{PULL_FRAGMENT, PullNode},
    pulls,
};
use crate::{
    code_host::{CodeHostError, PullInfo, Pulls, Rejection},
    secret::redact::redact,
};
use drover::{
    changeset::PullState,
    names::{PullNumber, RepoName},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// More in one query make GitHub's own time limit likely.
const PULLS_PER_QUERY: usize = 50;

type Key = (RepoName, PullNumber);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Draft {
    On,
    Off,
}

pub(super) async fn load_pulls(client: &Client, wanted: &[Key]) -> Result<Pulls, CodeHostError> {
    let mut pulls = Pulls::new();
    for keys in wanted.chunks(PULLS_PER_QUERY) {
        let reply = ask(client, &query(keys), Effect::Read, "pull requests").await?;
        pulls.extend(keys.iter().enumerate().map(|(at, key)| (key.clone(), reply.pull(at, key))));
    }
    Ok(pulls)
}

pub(super) async fn set_draft(
    client: &Client,
    repo: &RepoName,
    number: PullNumber,
    draft: Draft,
) -> Result<PullInfo, CodeHostError> {
    let pulls::Loaded { mut info, node } = pulls::load(client, repo, number).await?;
    let (mutation, wanted) = match draft {
        Draft::On => ("convertPullRequestToDraft", PullState::Draft),
        Draft::Off => ("markPullRequestReadyForReview", PullState::Open),
    };
    if info.pull.state == wanted {
        return Ok(info);
    }
    let body = json!({
        "query": format!(
            "mutation($id: ID!) {{ {mutation}(input: {{ pullRequestId: $id }}) \
             {{ pullRequest {{ isDraft }} }} }}"
        ),
        "variables": { "id": node },
    });
    let what = format!("pull request {number} in `{repo}`");
    let DraftNode { is_draft } =
        ask(client, &body, Effect::Write, &what).await?.changed(mutation, &what)?;
    info.pull.state = if is_draft { PullState::Draft } else { PullState::Open };
    Ok(info)
}

/// Values travel as variables: no text of others becomes part of a query.
fn query(keys: &[Key]) -> Value {
    let (mut types, mut fields, mut variables) = (Vec::new(), Vec::new(), Map::new());
    for (at, (repo, number)) in keys.iter().enumerate() {
        types.push(format!("$owner{at}: String!, $name{at}: String!, $number{at}: Int!"));
        fields.push(format!(
            "p{at}: repository(owner: $owner{at}, name: $name{at}) \
             {{ pullRequest(number: $number{at}) {{ ...pull }} }}"
        ));
        variables.insert(format!("owner{at}"), repo.owner().into());
        variables.insert(format!("name{at}"), repo.name().into());
        variables.insert(format!("number{at}"), number.0.into());
    }
    let (types, fields) = (types.join(", "), fields.join(" "));
    json!({
        "query": format!("query({types}) {{ {fields} }} {PULL_FRAGMENT}"),
        "variables": variables,
    })
}

pub(super) async fn ask(
    client: &Client,
    body: &Value,
    effect: Effect,
    what: &str,
) -> Result<Reply, CodeHostError> {
    let answer = client.graphql(body, effect, what).await?;
    let reply = Reply::read(&answer)?;
    if reply.errors.iter().any(ErrorNode::is_limit) {
        return Err(client.graphql_limit(&answer));
    }
    match (&reply.data, reply.errors.first()) {
        (Value::Null, Some(error)) => Err(error.meaning(what)),
        (Value::Null, None) => Err(effect.lost("the answer holds nothing")),
        _ => Ok(reply),
    }
}

#[derive(Deserialize)]
pub(super) struct Reply {
    #[serde(default)]
    pub(super) data: Value,
    #[serde(default)]
    pub(super) errors: Vec<ErrorNode>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DraftNode {
    is_draft: bool,
}

#[derive(Deserialize)]
pub(super) struct ErrorNode {
    #[serde(rename = "type")]
    kind: Option<String>,
    message: String,
    /// Where in the answer, starting with the alias.
    #[serde(default)]
    path: Vec<Value>,
}

impl Reply {
    fn read(answer: &Answer) -> Result<Self, CodeHostError> {
        answer.json()
    }

    /// What the answer says about the pull request that was asked for at this place.
    fn pull(&self, at: usize, (repo, number): &Key) -> Result<PullInfo, CodeHostError> {
        let what = format!("pull request {number} in `{repo}`");
        let alias = format!("p{at}");
        let node = &self.data[&alias]["pullRequest"];
        if !node.is_null() {
            return read::<PullNode>(node, Effect::Read)?.into_info();
        }
        let error = self.errors.iter().find(|error| error.is_at(&[&alias]));
        Err(error.map_or_else(
            || CodeHostError::NotFound { what: what.clone() },
            |error| error.meaning(&what),
        ))
    }

    fn changed(&self, mutation: &str, what: &str) -> Result<DraftNode, CodeHostError> {
        let node = &self.data[mutation]["pullRequest"];
        match (node, self.errors.first()) {
            (Value::Null, Some(error)) => Err(error.meaning(what)),
            (Value::Null, None) => Err(Effect::Write.lost("the answer holds nothing")),
            (node, _) => read(node, Effect::Write),
        }
    }
}

impl ErrorNode {
    fn is_limit(&self) -> bool {
        matches!(self.kind.as_deref(), Some("RATE_LIMITED" | "RATE_LIMIT"))
    }

    /// Whether it is about this place of the answer, or about something below it.
    pub(super) fn is_at(&self, place: &[&str]) -> bool {
        place.len() <= self.path.len()
            && place.iter().zip(&self.path).all(|(name, at)| at.as_str() == Some(name))
    }

    pub(super) fn is_not_found(&self) -> bool {
        self.kind.as_deref() == Some("NOT_FOUND")
    }

    pub(super) fn meaning(&self, what: &str) -> CodeHostError {
        let message = redact(&self.message);
        match self.kind.as_deref() {
            Some("NOT_FOUND") => CodeHostError::NotFound { what: what.to_owned() },
            Some("FORBIDDEN" | "INSUFFICIENT_SCOPES") => {
                CodeHostError::Forbidden { message, missing: None }
            }
            _ => CodeHostError::Rejected { reason: Rejection::Validation, message },
        }
    }
}

pub(super) fn read<'a, T: Deserialize<'a>>(
    node: &'a Value,
    effect: Effect,
) -> Result<T, CodeHostError> {
    T::deserialize(node)
        .map_err(|error| effect.lost(&format!("the answer cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(numbers: &[i64]) -> Vec<Key> {
        numbers.iter().map(|n| ("acme/web".parse().unwrap(), PullNumber(*n))).collect()
    }

    #[test]
    fn texts_of_others_travel_as_variables() {
        let query = query(&keys(&[7, 8]));
        let text = query["query"].as_str().unwrap();
        assert!(!text.contains("acme"), "{text}");
        assert!(
            text.starts_with("query($owner0: String!, $name0: String!, $number0: Int!, $owner1")
        );
        assert_eq!(query["variables"]["owner1"], "acme");
        assert_eq!(query["variables"]["number1"], 8);
    }

    #[test]
    fn one_that_is_gone_or_out_of_reach_hides_no_other() {
        let reply: Reply = serde_json::from_value(json!({
            "data": {
                "p0": { "pullRequest": {
                    "number": 1, "url": "https://github.com/acme/web/pull/1", "state": "OPEN",
                    "updatedAt": "2026-01-01T00:00:00Z", "isDraft": true, "title": "Title", "body": "", "baseRefName": "main",
                    "headRefName": "drover/x", "headRefOid": "a".repeat(40),
                    "repository": { "nameWithOwner": "acme/web", "isArchived": false },
                } },
                "p1": null,
                "p2": { "pullRequest": null },
                "p3": null,
            },
            "errors": [
                { "type": "NOT_FOUND", "path": ["p1"], "message": "no" },
                { "type": "FORBIDDEN", "path": ["p3", "pullRequest"], "message": "SAML" },
            ],
        }))
        .unwrap();
        let keys = keys(&[1, 2, 3, 4]);
        let pull = |at: usize| reply.pull(at, &keys[at]);
        assert_eq!(pull(0).unwrap().pull.state, PullState::Draft);
        assert!(matches!(pull(1), Err(CodeHostError::NotFound { .. })));
        assert!(matches!(pull(2), Err(CodeHostError::NotFound { .. })));
        assert!(matches!(pull(3), Err(CodeHostError::Forbidden { .. })));
    }
}
