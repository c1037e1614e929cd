//! The two changes that GitHub has in GraphQL only: a draft becomes ready, and back.
//!
//! No GraphQL engine stands here: a request is known by the mutation that it names, its argument
//! is taken from the variables, and the answer has the fields that both mutations give.

use crate::{
    call::{Call, Input},
    clock::now,
    error::ApiError,
    hooks::{self, PullAction},
    state::{Access, Readiness, Repo},
};
use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Deserialize)]
pub(crate) struct Query {
    query: String,
    #[serde(default)]
    variables: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mutation {
    MarkReady,
    ConvertToDraft,
}

/// Why GitHub would answer with `errors` instead of data.
enum Refusal {
    NotFound { id: String },
    Forbidden,
    Unprocessable { message: &'static str },
    NotStoodInFor,
}

impl Mutation {
    fn find(query: &str) -> Option<Self> {
        [Self::MarkReady, Self::ConvertToDraft].into_iter().find(|it| query.contains(it.name()))
    }

    fn name(self) -> &'static str {
        match self {
            Self::MarkReady => "markPullRequestReadyForReview",
            Self::ConvertToDraft => "convertPullRequestToDraft",
        }
    }

    fn result(self) -> (Readiness, PullAction) {
        match self {
            Self::MarkReady => (Readiness::Ready, PullAction::ReadyForReview),
            Self::ConvertToDraft => (Readiness::Draft, PullAction::ConvertedToDraft),
        }
    }
}

pub(crate) async fn answer(
    call: Call,
    Input(Query { query, variables }): Input<Query>,
) -> Result<Json<Value>, ApiError> {
    let login = call.signed_in()?.to_owned();
    let Some(mutation) = Mutation::find(&query) else {
        return Ok(Json(refused("mutation", &Refusal::NotStoodInFor)));
    };
    let id = pull_id(&variables, &query);
    match change(&call, &login, mutation, &id).await? {
        Ok(pull) => Ok(Json(json!({ "data": { mutation.name(): { "pullRequest": pull } } }))),
        Err(refusal) => Ok(Json(refused(mutation.name(), &refusal))),
    }
}

async fn change(
    call: &Call,
    login: &str,
    mutation: Mutation,
    id: &str,
) -> Result<Result<Value, Refusal>, ApiError> {
    let Some((repo, number)) = find(call, id) else {
        return Ok(Err(Refusal::NotFound { id: id.to_owned() }));
    };
    if repo.access_of(Some(login)) < Access::Write || repo.is_archived() {
        return Ok(Err(Refusal::Forbidden));
    }
    let (readiness, action) = mutation.result();
    let changed = call.github.store.update(&repo.key(), |repo| {
        let pull = repo.pulls.get_mut(&number).ok_or(ApiError::NotFound)?;
        let is_new = pull.is_open() && pull.readiness != readiness;
        if is_new {
            pull.readiness = readiness;
            pull.updated_at = now();
        }
        Ok::<_, ApiError>((is_new, pull.clone()))
    })?;
    let (is_new, pull) = changed.ok_or(ApiError::NotFound)?;
    if !pull.is_open() {
        return Ok(Err(Refusal::Unprocessable { message: "Pull request is closed" }));
    }
    if is_new {
        let repo = call.find_repo(&repo.owner, &repo.name)?;
        hooks::tell_pull(&call.github, &repo, &pull, &action, login).await?;
    }
    Ok(Ok(json!({ "id": id, "number": number, "isDraft": pull.is_draft(), "state": "OPEN" })))
}

/// A node id is `PR_`, the repository's id and the number.
fn find(call: &Call, id: &str) -> Option<(Arc<Repo>, u64)> {
    let (repo_id, number) = id.strip_prefix("PR_")?.split_once('_')?;
    let (repo_id, number): (u64, u64) = (repo_id.parse().ok()?, number.parse().ok()?);
    let repos = call.github.store.list();
    let repo = repos.into_iter().find(|repo| repo.id == repo_id && call.may_read(repo))?;
    repo.pulls.contains_key(&number).then_some((repo, number))
}

/// The id is a variable, or the field of an input variable, or stands in the query itself.
fn pull_id(variables: &Value, query: &str) -> String {
    let candidates =
        [&variables["id"], &variables["pullRequestId"], &variables["input"]["pullRequestId"]];
    let variable = candidates.into_iter().find_map(Value::as_str);
    let literal = || query.split('"').find(|part| part.starts_with("PR_"));
    variable.or_else(literal).unwrap_or_default().to_owned()
}

fn refused(mutation: &str, refusal: &Refusal) -> Value {
    let (kind, message) = match refusal {
        Refusal::NotFound { id } => {
            ("NOT_FOUND", format!("Could not resolve to a node with the global id of '{id}'"))
        }
        Refusal::Forbidden => {
            ("FORBIDDEN", "Resource not accessible by personal access token".to_owned())
        }
        Refusal::Unprocessable { message } => ("UNPROCESSABLE", (*message).to_owned()),
        Refusal::NotStoodInFor => {
            ("NOT_STOOD_IN_FOR", "the stand-in knows only two mutations of drafts".to_owned())
        }
    };
    let error = json!({
        "type": kind, "path": [mutation], "message": message,
        "locations": [{ "line": 1, "column": 1 }],
    });
    json!({ "data": { mutation: null }, "errors": [error] })
}
