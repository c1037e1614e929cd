//! Pull requests over REST.

use super::{client::Client, model::PullJson};
use crate::code_host::{CodeHostError, HEAD_PULLS_MAX, NewPull, PullChange, PullInfo, Readiness};
use axum::http::Method;
use drover::names::{BranchName, PullNumber, RepoName};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

/// What a pull request's state is to become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Open,
    Closed,
}

/// A pull request with the id that GraphQL knows it by.
pub(super) struct Loaded {
    pub(super) info: PullInfo,
    pub(super) node: String,
}

pub(super) async fn create(client: &Client, pull: &NewPull) -> Result<PullInfo, CodeHostError> {
    let NewPull { repo, head, base, title, body, readiness } = pull;
    let draft = match readiness {
        Readiness::Draft => true,
        Readiness::Ready => false,
    };
    let body = json!({ "title": title, "head": head, "base": base, "body": body, "draft": draft });
    let what = format!("repository `{repo}`");
    let answer = client.write(Method::POST, &format!("/repos/{repo}/pulls"), &body, &what).await?;
    written(answer.json()?, repo)
}

pub(super) async fn find_by_head(
    client: &Client,
    repo: &RepoName,
    owner: &str,
    branch: &BranchName,
) -> Result<Vec<PullInfo>, CodeHostError> {
    find_by_head_in(client, repo, owner, branch, "all", HEAD_PULLS_MAX).await
}

/// The pull requests from a branch in a state that GitHub lists by, at most `max`.
pub(super) async fn find_by_head_in(
    client: &Client,
    repo: &RepoName,
    owner: &str,
    branch: &BranchName,
    state: &str,
    max: u32,
) -> Result<Vec<PullInfo>, CodeHostError> {
    let head = format!("{owner}:{branch}");
    let head = utf8_percent_encode(&head, NON_ALPHANUMERIC);
    let resource = format!(
        "/repos/{repo}/pulls?head={head}&state={state}&sort=created&direction=desc&per_page={max}"
    );
    let pulls: Vec<PullJson> =
        client.get(&resource, &format!("repository `{repo}`")).await?.json()?;
    // GitHub ignores a head that it cannot make sense of, and lists everything.
    let is_owners = |pull: &PullJson| {
        pull.head.user.as_ref().is_none_or(|user| user.login.eq_ignore_ascii_case(owner))
    };
    let infos = pulls.into_iter().filter(is_owners).map(|pull| pull.into_info(repo));
    let infos: Vec<PullInfo> = infos.collect::<Result<_, _>>()?;
    Ok(infos.into_iter().filter(|info| info.head_branch == *branch).collect())
}

pub(super) async fn load(
    client: &Client,
    repo: &RepoName,
    number: PullNumber,
) -> Result<Loaded, CodeHostError> {
    let what = format!("pull request {number} in `{repo}`");
    let pull: PullJson = client.get(&resource(repo, number), &what).await?.json()?;
    let node = pull.node_id.clone();
    Ok(Loaded { info: pull.into_info(repo)?, node })
}

pub(super) async fn update(
    client: &Client,
    repo: &RepoName,
    number: PullNumber,
    change: &PullChange,
) -> Result<PullInfo, CodeHostError> {
    let PullChange { title, body, base } = change;
    let base = base.as_ref().map(BranchName::as_str);
    let fields = [("title", title.as_deref()), ("body", body.as_deref()), ("base", base)];
    let fields: Map<String, Value> = fields
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), Value::from(value?))))
        .collect();
    if fields.is_empty() {
        return Ok(load(client, repo, number).await?.info);
    }
    patch(client, repo, number, &Value::Object(fields)).await
}

pub(super) async fn set_state(
    client: &Client,
    repo: &RepoName,
    number: PullNumber,
    wanted: Wanted,
) -> Result<PullInfo, CodeHostError> {
    let state = match wanted {
        Wanted::Open => "open",
        Wanted::Closed => "closed",
    };
    patch(client, repo, number, &json!({ "state": state })).await
}

async fn patch(
    client: &Client,
    repo: &RepoName,
    number: PullNumber,
    body: &Value,
) -> Result<PullInfo, CodeHostError> {
    let what = format!("pull request {number} in `{repo}`");
    let answer = client.write(Method::PATCH, &resource(repo, number), body, &what).await?;
    written(answer.json()?, repo)
}

/// An answer that a write was done, but not to what: its outcome has to be looked at.
fn written(pull: PullJson, repo: &RepoName) -> Result<PullInfo, CodeHostError> {
    pull.into_info(repo)
        .map_err(|error| CodeHostError::UnknownOutcome { message: error.to_string() })
}

fn resource(repo: &RepoName, number: PullNumber) -> String {
    format!("/repos/{repo}/pulls/{}", number.0)
}
