use super::{PullEdit, edit_pull, media::Media, page::Page};
use crate::{
    call::{Input, Readable, Writable},
    clock::now,
    error::ApiError,
    hooks::{self, PullAction},
    json,
    pulls::{fork_point, prepare, show, with_trial},
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

pub(super) async fn list(at: Readable, page: Page) -> Result<Response, ApiError> {
    let state = one_of(&page, "state", &["open", "closed", "all"])?;
    let sort = one_of(&page, "sort", &["created", "updated", "popularity", "long-running"])?;
    let direction = if sort == "created" { ["desc", "asc"] } else { ["asc", "desc"] };
    let direction = one_of(&page, "direction", &direction)?;
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
    match sort {
        "updated" => pulls.sort_by_key(|pull| pull.updated_at),
        "popularity" => pulls.sort_by_key(|pull| pull.comments.len()),
        // The numbers are in the order of creation.
        _ => (),
    }
    if direction == "desc" {
        pulls.reverse();
    }
    let accounts = at.call.github.store.accounts();
    let viewer = at.call.login.as_deref();
    let shown = json::Shown { repo: &at.repo, accounts: &accounts, urls: at.urls(), viewer };
    let show =
        |pull: &&Pull| with_trial(&at.call.github, &at.repo, pull, json::pull_simple(pull, shown));
    Ok(page.of(at.urls(), &pulls, show))
}

/// A part of the query that GitHub takes a few words for; the first of them when it is absent.
fn one_of(
    page: &Page,
    field: &'static str,
    words: &[&'static str],
) -> Result<&'static str, ApiError> {
    let Some(given) = page.query(field) else { return Ok(words.first().copied().unwrap_or("")) };
    let word = words.iter().find(|word| **word == given).copied();
    word.ok_or_else(|| ApiError::invalid("PullRequest", field))
}

pub(super) async fn get(at: Readable, media: Media) -> Result<Response, ApiError> {
    let number = at.number()?;
    let pull = at.repo.pulls.get(&number).ok_or(ApiError::NotFound)?;
    match media {
        Media::Diff => {
            let from = fork_point(&at.git, pull).await?;
            Ok(media.answer(at.git.plain_diff(&from, &pull.head.sha).await?))
        }
        Media::Patch => {
            let from = fork_point(&at.git, pull).await?;
            Ok(media.answer(at.git.mails(&format!("{from}..{}", pull.head.sha)).await?))
        }
        Media::Json | Media::Raw | Media::Sha | Media::Object => {
            Ok(answer(&at, &at.repo, number).await?.into_response())
        }
    }
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
    let missing = |field| ApiError::missing("PullRequest", field);
    let title = wish.title.ok_or_else(|| ApiError::missing("Issue", "title"))?;
    check_texts(Some(&title), wish.body.as_deref())?;
    // No push comes between the tips that are read and the pull request that has them.
    let _turn = at.call.github.push_locks.lock(&at.key()).await;
    let head = find_head(at, &wish.head.ok_or_else(|| missing("head"))?).await?;
    let head = head.ok_or_else(|| ApiError::invalid("PullRequest", "head"))?;
    let base = find_base(at, &wish.base.ok_or_else(|| missing("base"))?).await?;
    let base = base.ok_or_else(|| ApiError::invalid("PullRequest", "base"))?;
    refuse_nothing(at, &head, &base).await?;
    let readiness = if wish.draft { Readiness::Draft } else { Readiness::Ready };
    let at_time = now();
    let pull = at.update(|repo| {
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
        refuse_second(repo, &pull)?;
        repo.pulls.insert(pull.number, pull.clone());
        Ok(pull)
    })?;
    let repo = at.reread()?;
    at.git.keep_pull_head(pull.number, &pull.head.sha).await?;
    prepare(&at.call.github, &repo, &pull).await?;
    hooks::tell_pull(&at.call.github, &repo, &pull, &PullAction::Opened, login).await?;
    Ok(pull.number)
}

/// Between a head and a base must be something to merge.
async fn refuse_nothing(at: &Readable, head: &Tip, base: &Tip) -> Result<(), ApiError> {
    if at.git.merge_base(&base.sha, &head.sha).await?.is_none() {
        let (head, base) = (&head.branch, &base.branch);
        let text = format!("The {head} branch has no history in common with {base}");
        return Err(ApiError::custom("PullRequest", text));
    }
    let (ahead, _) = at.git.ahead_behind(&base.sha, &head.sha).await?;
    if ahead == 0 {
        let text = format!("No commits between {} and {}", base.branch, head.branch);
        return Err(ApiError::custom("PullRequest", text));
    }
    Ok(())
}

pub(super) async fn patch(
    Writable { at, login }: Writable,
    Input(wish): Input<PullEdit>,
) -> Result<Json<Value>, ApiError> {
    let number = at.number()?;
    edit_pull(&at, number, &login, wish).await?;
    answer(&at, &*at.reread()?, number).await
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
pub(super) fn refuse_second(repo: &Repo, pull: &Pull) -> Result<(), ApiError> {
    let (head, base) = (&pull.head.branch, &pull.base.branch);
    let is_second =
        |it: &Pull| it.number != pull.number && it.head.branch == *head && it.base.branch == *base;
    if pull.is_open() && repo.open_pulls().any(is_second) {
        let text = format!("A pull request already exists for {}:{head}.", repo.owner);
        return Err(ApiError::custom("PullRequest", text));
    }
    Ok(())
}

/// The branch that a text names: `branch`, or `owner:branch` with this repository's owner.
async fn find_head(at: &Readable, text: &str) -> Result<Option<Tip>, ApiError> {
    match text.split_once(':') {
        Some((owner, branch)) if owner.eq_ignore_ascii_case(&at.repo.owner) => {
            find_base(at, branch).await
        }
        // Forks are not stood in for.
        Some(_) => Ok(None),
        None => find_base(at, text).await,
    }
}

pub(super) async fn find_base(at: &Readable, branch: &str) -> Result<Option<Tip>, ApiError> {
    let sha = at.git.branch_tip(branch).await?;
    Ok(sha.map(|sha| Tip { branch: branch.to_owned(), sha }))
}

pub(super) fn check_texts(title: Option<&str>, body: Option<&str>) -> Result<(), ApiError> {
    if title.is_some_and(|title| title.trim().is_empty()) {
        // It is as an issue that a pull request has a title.
        return Err(ApiError::missing("Issue", "title"));
    }
    if title.is_some_and(|title| title.chars().count() > TITLE_CHARS_MAX) {
        let text = format!("title is too long (maximum is {TITLE_CHARS_MAX} characters)");
        return Err(ApiError::custom("PullRequest", text));
    }
    if body.is_some_and(|body| body.chars().count() > BODY_CHARS_MAX) {
        let text = format!("body is too long (maximum is {BODY_CHARS_MAX} characters)");
        return Err(ApiError::custom("PullRequest", text));
    }
    Ok(())
}
