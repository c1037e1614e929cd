use super::page::Page;
use crate::{
    call::{Input, Readable, Writable},
    clock::now,
    error::ApiError,
    hooks::{self, PullAction},
    json,
    pulls::{fork_point, show},
    state::{Pull, PullState, Readiness, Repo, Tip},
};
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::Value;

/// GitHub's own limits.
const TITLE_CHARS_MAX: usize = 256;
const BODY_CHARS_MAX: usize = 65_536;

#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct NewPull {
    pub(crate) title: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) head: Option<String>,
    pub(crate) base: Option<String>,
    #[serde(default)]
    pub(crate) draft: bool,
}

/// `draft` is missing here: GitHub ignores it, too.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct PullEdit {
    pub(crate) title: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) base: Option<String>,
    pub(crate) state: Option<WantedState>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WantedState {
    Open,
    Closed,
}

pub(super) async fn list(at: Readable, page: Page) -> Result<Response, ApiError> {
    let state = page.query("state").unwrap_or("open");
    let head = page.query("head").and_then(|head| head.split_once(':'));
    let base = page.query("base");
    let fits = |pull: &Pull| {
        let state_fits = state == "all" || state == pull.state_word();
        let head_fits = head.is_none_or(|(owner, branch)| {
            owner.eq_ignore_ascii_case(&at.repo.owner) && branch == pull.head.branch
        });
        state_fits && head_fits && base.is_none_or(|base| base == pull.base.branch)
    };
    let mut pulls: Vec<&Pull> = at.repo.pulls.values().filter(|pull| fits(pull)).collect();
    if page.query("sort") == Some("updated") {
        pulls.sort_by_key(|pull| pull.updated_at);
    }
    let newest_first = page.query("sort").is_none_or(|sort| sort == "created");
    if page.query("direction").unwrap_or(if newest_first { "desc" } else { "asc" }) == "desc" {
        pulls.reverse();
    }
    let accounts = at.call.github.store.accounts();
    let viewer = at.call.login.as_deref();
    let shown = json::Shown { repo: &at.repo, accounts: &accounts, urls: at.urls(), viewer };
    Ok(page.of(at.urls(), &pulls, |pull| json::pull_simple(pull, shown)))
}

pub(super) async fn get(at: Readable) -> Result<Json<Value>, ApiError> {
    answer(&at, &at.repo, at.number()?).await
}

pub(super) async fn post(
    Writable { at, login }: Writable,
    Input(wish): Input<NewPull>,
) -> Result<Response, ApiError> {
    let number = create(&at, &login, wish).await?;
    let body = answer(&at, &*at.reread()?, number).await?;
    Ok((StatusCode::CREATED, body).into_response())
}

/// Opens a pull request and tells its hooks.
pub(crate) async fn create(at: &Readable, login: &str, wish: NewPull) -> Result<u64, ApiError> {
    let title = wish.title.filter(|title| !title.trim().is_empty());
    let title = title.ok_or_else(|| ApiError::missing("PullRequest", "title"))?;
    check_texts(&title, wish.body.as_deref())?;
    let head = find_tip(at, wish.head, "head").await?;
    let base = find_tip(at, wish.base, "base").await?;
    let (ahead, _) = at.git.ahead_behind(&base.sha, &head.sha).await?;
    if ahead == 0 {
        let text = format!("No commits between {} and {}", base.branch, head.branch);
        return Err(ApiError::custom("PullRequest", text));
    }
    let readiness = if wish.draft { Readiness::Draft } else { Readiness::Ready };
    let at_time = now();
    let pull = at.update(|repo| {
        refuse_second(repo, &head.branch, &base.branch)?;
        let pull = Pull {
            number: repo.next_number(),
            title,
            body: wish.body,
            author: login.to_owned(),
            head,
            base,
            state: PullState::Open,
            readiness,
            labels: Default::default(),
            assignees: Default::default(),
            comments: Vec::new(),
            reviews: Vec::new(),
            created_at: at_time,
            updated_at: at_time,
        };
        repo.pulls.insert(pull.number, pull.clone());
        Ok(pull)
    })?;
    at.git.keep_pull_head(pull.number, &pull.head.sha).await?;
    hooks::tell_pull(&at.call.github, &*at.reread()?, &pull, &PullAction::Opened, login).await?;
    Ok(pull.number)
}

pub(super) async fn patch(
    Writable { at, login }: Writable,
    Input(wish): Input<PullEdit>,
) -> Result<Json<Value>, ApiError> {
    let number = at.number()?;
    edit(&at, number, &login, wish).await?;
    answer(&at, &*at.reread()?, number).await
}

/// Changes texts, base and state; all of it or nothing.
pub(crate) async fn edit(
    at: &Readable,
    number: u64,
    login: &str,
    wish: PullEdit,
) -> Result<(), ApiError> {
    check_texts(wish.title.as_deref().unwrap_or("-"), wish.body.as_deref())?;
    let base = match wish.base {
        Some(base) => Some(find_tip(at, Some(base), "base").await?),
        None => None,
    };
    let known = at.repo.pulls.get(&number).ok_or(ApiError::NotFound)?;
    let head = at.git.branch_tip(&known.head.branch).await?;
    let actions = at.update(|repo| {
        let mut actions = Vec::new();
        let mut pull = repo.pulls.get(&number).ok_or(ApiError::NotFound)?.clone();
        if let Some(action) = change_state(repo, &mut pull, wish.state, head)? {
            actions.push(action);
        }
        if wish.title.is_some() || wish.body.is_some() || base.is_some() {
            pull.title = wish.title.unwrap_or(pull.title);
            pull.body = wish.body.or(pull.body);
            pull.base = base.unwrap_or(pull.base);
            actions.push(PullAction::Edited);
        }
        pull.updated_at = now();
        repo.pulls.insert(number, pull);
        Ok(actions)
    })?;
    let repo = at.reread()?;
    let pull = repo.pulls.get(&number).ok_or(ApiError::NotFound)?;
    for action in &actions {
        hooks::tell_pull(&at.call.github, &repo, pull, action, login).await?;
    }
    Ok(())
}

fn change_state(
    repo: &Repo,
    pull: &mut Pull,
    wanted: Option<WantedState>,
    head: Option<String>,
) -> Result<Option<PullAction>, ApiError> {
    match (&pull.state, wanted) {
        (PullState::Open, Some(WantedState::Closed)) => {
            pull.state = PullState::Closed { at: now() };
            Ok(Some(PullAction::Closed))
        }
        (PullState::Closed { .. }, Some(WantedState::Open)) => {
            refuse_second(repo, &pull.head.branch, &pull.base.branch)?;
            let gone = || {
                let text = format!(
                    "state cannot be changed. The {} branch has been deleted.",
                    pull.head.branch
                );
                ApiError::custom("PullRequest", text)
            };
            pull.head.sha = head.ok_or_else(gone)?;
            pull.state = PullState::Open;
            Ok(Some(PullAction::Reopened))
        }
        (PullState::Merged { .. }, Some(WantedState::Open)) => {
            let text = "state cannot be changed. The pull request cannot be reopened.";
            Err(ApiError::custom("PullRequest", text))
        }
        (PullState::Open, Some(WantedState::Open))
        | (PullState::Closed { .. } | PullState::Merged { .. }, Some(WantedState::Closed))
        | (_, None) => Ok(None),
    }
}

pub(super) async fn files(at: Readable, page: Page) -> Result<Response, ApiError> {
    let pull = at.repo.pulls.get(&at.number()?).ok_or(ApiError::NotFound)?;
    let from = fork_point(&at.git, pull).await?;
    let changes = at.git.changes(&from, &pull.head.sha).await?;
    let sha = &pull.head.sha;
    Ok(page.of(at.urls(), &changes, |it| json::file_change(&at.repo, at.urls(), sha, it)))
}

pub(super) async fn commits(at: Readable, page: Page) -> Result<Response, ApiError> {
    let pull = at.repo.pulls.get(&at.number()?).ok_or(ApiError::NotFound)?;
    let commits = at.git.commits_between(&pull.base.sha, &pull.head.sha).await?;
    Ok(page.of(at.urls(), &commits, |it| json::commit(&at.repo, at.urls(), it)))
}

async fn answer(at: &Readable, repo: &Repo, number: u64) -> Result<Json<Value>, ApiError> {
    let pull = repo.pulls.get(&number).ok_or(ApiError::NotFound)?;
    let viewer = at.call.login.as_deref();
    Ok(Json(show(&at.call.github, repo, pull, at.urls(), viewer).await?))
}

/// GitHub lets at most one open pull request go from a branch to a base.
fn refuse_second(repo: &Repo, head: &str, base: &str) -> Result<(), ApiError> {
    let mut open = repo.open_pulls();
    if open.any(|pull| pull.head.branch == head && pull.base.branch == base) {
        let text = format!("A pull request already exists for {}:{head}.", repo.owner);
        return Err(ApiError::custom("PullRequest", text));
    }
    Ok(())
}

/// The branch that a text names: `branch`, or `owner:branch` with this repository's owner.
async fn find_tip(
    at: &Readable,
    text: Option<String>,
    field: &'static str,
) -> Result<Tip, ApiError> {
    let text = text.ok_or_else(|| ApiError::missing("PullRequest", field))?;
    let branch = match text.split_once(':') {
        Some((owner, branch)) if owner.eq_ignore_ascii_case(&at.repo.owner) => branch,
        // Forks are not stood in for.
        Some(_) => return Err(ApiError::invalid("PullRequest", field)),
        None => text.as_str(),
    };
    let sha = at.git.branch_tip(branch).await?;
    let sha = sha.ok_or_else(|| ApiError::invalid("PullRequest", field))?;
    Ok(Tip { branch: branch.to_owned(), sha })
}

fn check_texts(title: &str, body: Option<&str>) -> Result<(), ApiError> {
    if title.chars().count() > TITLE_CHARS_MAX {
        let text = format!("title is too long (maximum is {TITLE_CHARS_MAX} characters)");
        return Err(ApiError::custom("PullRequest", text));
    }
    if body.is_some_and(|body| body.chars().count() > BODY_CHARS_MAX) {
        let text = format!("body is too long (maximum is {BODY_CHARS_MAX} characters)");
        return Err(ApiError::custom("PullRequest", text));
    }
    Ok(())
}
