//! Changes: each does what the REST API does at the same wish, and adds what only this API can.

use super::{
    pull::PullAt,
    query,
    refusal::Refusal,
    repository::find_label,
    thing::{Args, Asked, Reply, Thing},
};
use crate::{
    call::Readable,
    clock::now,
    error::ApiError,
    hooks::{self, PullAction},
    rest::{self, Merge, NewPull, PullEdit, WantedState},
    state::{Access, Method, Readiness, Repo},
};
use serde::Deserialize;
use serde_json::json;
use std::{collections::BTreeSet, sync::Arc};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OnPull {
    pull_request_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    pull_request_id: String,
    base_ref_name: Option<String>,
    title: Option<String>,
    body: Option<String>,
    state: Option<String>,
    assignee_ids: Option<Vec<String>>,
    label_ids: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    repository_id: String,
    base_ref_name: String,
    head_ref_name: String,
    title: String,
    body: Option<String>,
    draft: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MergePull {
    pull_request_id: String,
    commit_headline: Option<String>,
    commit_body: Option<String>,
    expected_head_oid: Option<String>,
    merge_method: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Labels {
    labelable_id: String,
    label_ids: Vec<String>,
}

/// A pull request that the caller may change.
struct Changing {
    at: Readable,
    number: u64,
}

pub(super) async fn resolve(
    asked: &Arc<Asked>,
    field: &str,
    args: &Args<'_>,
) -> Result<Option<Reply>, Refusal> {
    let on_pull = async || Changing::find(asked, &args.input::<OnPull>()?.pull_request_id);
    let (payload, name, pull) = match field {
        "markPullRequestReadyForReview" => {
            let it = on_pull().await?;
            it.set_readiness(asked, Readiness::Ready).await?;
            ("MarkPullRequestReadyForReviewPayload", "pullRequest", it)
        }
        "convertPullRequestToDraft" => {
            let it = on_pull().await?;
            it.set_readiness(asked, Readiness::Draft).await?;
            ("ConvertPullRequestToDraftPayload", "pullRequest", it)
        }
        "closePullRequest" => {
            let it = on_pull().await?;
            it.set_state(asked, WantedState::Closed).await?;
            ("ClosePullRequestPayload", "pullRequest", it)
        }
        "reopenPullRequest" => {
            let it = on_pull().await?;
            it.set_state(asked, WantedState::Open).await?;
            ("ReopenPullRequestPayload", "pullRequest", it)
        }
        "updatePullRequest" => {
            ("UpdatePullRequestPayload", "pullRequest", update(asked, args.input()?).await?)
        }
        "createPullRequest" => {
            ("CreatePullRequestPayload", "pullRequest", create(asked, args.input()?).await?)
        }
        "mergePullRequest" => {
            ("MergePullRequestPayload", "pullRequest", merge(asked, args.input()?).await?)
        }
        "enablePullRequestAutoMerge" => {
            on_pull().await?;
            let text = "Pull request Auto merge is not allowed for this repository";
            return Err(Refusal::unprocessable(text));
        }
        "addLabelsToLabelable" => {
            let it = change_labels(asked, args.input()?, BTreeSet::insert).await?;
            ("AddLabelsToLabelablePayload", "labelable", it)
        }
        "removeLabelsFromLabelable" => {
            let remove = |names: &mut BTreeSet<String>, name: String| names.remove(&name);
            let it = change_labels(asked, args.input()?, remove).await?;
            ("RemoveLabelsFromLabelablePayload", "labelable", it)
        }
        _ => return Ok(None),
    };
    let mutation_id: Option<String> = args.input::<ClientMutation>()?.client_mutation_id;
    let facts = json!({ "clientMutationId": mutation_id });
    let pull = PullAt::thing(asked, &pull.at.reread()?, pull.number);
    Ok(Some(Reply::one(Thing::known(asked, payload, facts, [(name, Reply::maybe(pull))]))))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientMutation {
    client_mutation_id: Option<String>,
}

impl Changing {
    fn find(asked: &Arc<Asked>, id: &str) -> Result<Self, Refusal> {
        let missing = || Refusal::no_node(id);
        let (kind, rest) = id.split_once('_').ok_or_else(missing)?;
        let (repo_id, number) = rest.split_once('_').ok_or_else(missing)?;
        let repo = query::repo_by_id(asked, repo_id).filter(|_| kind == "PR");
        let repo = repo.ok_or_else(missing)?;
        let number: u64 = number.parse().map_err(|_| missing())?;
        if !repo.pulls.contains_key(&number) {
            return Err(missing());
        }
        Ok(Self { at: writable(asked, repo)?, number })
    }

    async fn set_state(&self, asked: &Asked, state: WantedState) -> Result<(), Refusal> {
        let wish = PullEdit { state: Some(state), ..PullEdit::default() };
        Ok(rest::edit_pull(&self.at, self.number, &asked.login, wish).await?)
    }

    async fn set_readiness(&self, asked: &Asked, readiness: Readiness) -> Result<(), Refusal> {
        let is_new = self.at.update(|repo| {
            let pull = repo.pulls.get_mut(&self.number).ok_or(ApiError::NotFound)?;
            if !pull.is_open() {
                return Err(ApiError::Unprocessable("Pull request is closed".to_owned()));
            }
            let is_new = pull.readiness != readiness;
            if is_new {
                pull.readiness = readiness;
                pull.updated_at = now();
            }
            Ok(is_new)
        })?;
        let action = match readiness {
            Readiness::Ready => PullAction::ReadyForReview,
            Readiness::Draft => PullAction::ConvertedToDraft,
        };
        if is_new {
            self.tell(asked, &[action]).await?;
        }
        Ok(())
    }

    async fn tell(&self, asked: &Asked, actions: &[PullAction]) -> Result<(), Refusal> {
        let repo = self.at.reread()?;
        let pull = repo.pulls.get(&self.number).ok_or(ApiError::NotFound)?;
        for action in actions {
            hooks::tell_pull(&asked.call.github, &repo, pull, action, &asked.login).await?;
        }
        Ok(())
    }
}

fn writable(asked: &Asked, repo: Arc<Repo>) -> Result<Readable, Refusal> {
    if repo.access_of(Some(&asked.login)) < Access::Write {
        return Err(ApiError::MayNot.into());
    }
    if repo.is_archived() {
        return Err(ApiError::Archived.into());
    }
    Ok(Readable::of(asked.call.clone(), repo))
}

async fn update(asked: &Arc<Asked>, wish: Update) -> Result<Changing, Refusal> {
    let it = Changing::find(asked, &wish.pull_request_id)?;
    let assignees = wish.assignee_ids.map(|ids| logins(asked, &ids)).transpose()?;
    let labels = wish.label_ids.map(|ids| label_names(asked, &it.at.repo, &ids)).transpose()?;
    let state = wish.state.map(|state| match state.as_str() {
        "CLOSED" => WantedState::Closed,
        _ => WantedState::Open,
    });
    let Update { title, body, base_ref_name: base, .. } = wish;
    let edit = PullEdit { title, body, base, state };
    rest::edit_pull(&it.at, it.number, &asked.login, edit).await?;
    if let Some(assignees) = assignees {
        it.at.update(|repo| {
            let pull = repo.pulls.get_mut(&it.number).ok_or(ApiError::NotFound)?;
            pull.assignees = assignees;
            Ok(())
        })?;
    }
    if let Some(labels) = labels {
        set_labels(asked, &it, labels).await?;
    }
    Ok(it)
}

async fn create(asked: &Arc<Asked>, wish: Create) -> Result<Changing, Refusal> {
    let missing = || Refusal::no_node(&wish.repository_id);
    let id = wish.repository_id.strip_prefix("R_").ok_or_else(missing)?;
    let at = writable(asked, query::repo_by_id(asked, id).ok_or_else(missing)?)?;
    let pull = NewPull {
        title: Some(wish.title),
        body: wish.body,
        head: Some(wish.head_ref_name),
        base: Some(wish.base_ref_name),
        draft: wish.draft == Some(true),
    };
    let number = rest::create_pull(&at, &asked.login, pull).await?;
    Ok(Changing { at, number })
}

async fn merge(asked: &Arc<Asked>, wish: MergePull) -> Result<Changing, Refusal> {
    let it = Changing::find(asked, &wish.pull_request_id)?;
    let method = match wish.merge_method.as_deref() {
        Some("SQUASH") => Method::Squash,
        Some("REBASE") => Method::Rebase,
        _ => Method::Merge,
    };
    let order = Merge {
        commit_title: wish.commit_headline,
        commit_message: wish.commit_body,
        sha: wish.expected_head_oid,
        merge_method: Some(method),
    };
    rest::merge(&it.at, it.number, &asked.login, &order).await?;
    Ok(it)
}

async fn change_labels(
    asked: &Arc<Asked>,
    wish: Labels,
    change: fn(&mut BTreeSet<String>, String) -> bool,
) -> Result<Changing, Refusal> {
    let it = Changing::find(asked, &wish.labelable_id)?;
    let pull = it.at.repo.pulls.get(&it.number).ok_or(ApiError::NotFound)?;
    let mut names = pull.labels.clone();
    for name in label_names(asked, &it.at.repo, &wish.label_ids)? {
        change(&mut names, name);
    }
    set_labels(asked, &it, names).await?;
    Ok(it)
}

async fn set_labels(
    asked: &Arc<Asked>,
    it: &Changing,
    names: BTreeSet<String>,
) -> Result<(), Refusal> {
    let actions = it.at.update(|repo| {
        let pull = repo.pulls.get_mut(&it.number).ok_or(ApiError::NotFound)?;
        pull.updated_at = now();
        Ok(rest::set_labels(pull, names))
    })?;
    it.tell(asked, &actions).await
}

fn label_names(asked: &Asked, repo: &Repo, ids: &[String]) -> Result<BTreeSet<String>, Refusal> {
    let name = |id: &String| find_label(asked, repo, id).ok_or_else(|| Refusal::no_node(id));
    ids.iter().map(name).collect()
}

fn logins(asked: &Asked, ids: &[String]) -> Result<BTreeSet<String>, Refusal> {
    let accounts = asked.call.github.store.accounts();
    let login = |id: &String| {
        let number: Option<u64> = id.strip_prefix("U_").and_then(|id| id.parse().ok());
        let account = accounts.iter().find(|account| Some(account.id) == number);
        account.map(|it| it.login.clone()).ok_or_else(|| Refusal::no_node(id))
    };
    ids.iter().map(login).collect()
}
