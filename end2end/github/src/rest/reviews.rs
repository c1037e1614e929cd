use super::page::Page;
use crate::{
    call::{Input, Readable},
    clock::now,
    error::ApiError,
    hooks, json,
    state::{Review, Verdict},
};
use axum::{Json, response::Response};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
pub(super) struct NewReview {
    body: Option<String>,
    event: Option<Event>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Event {
    Approve,
    RequestChanges,
    Comment,
}

pub(super) async fn list(at: Readable, page: Page) -> Result<Response, ApiError> {
    let pull = at.repo.pulls.get(&at.number()?).ok_or(ApiError::NotFound)?;
    let accounts = at.call.github.store.accounts();
    let viewer = at.call.login.as_deref();
    let shown = json::Shown { repo: &at.repo, accounts: &accounts, urls: at.urls(), viewer };
    Ok(page.of(at.urls(), &pull.reviews, |it| json::review(it, pull.number, shown)))
}

/// Everybody who may read may review, but nobody may judge his own work.
pub(super) async fn create(
    at: Readable,
    Input(wish): Input<NewReview>,
) -> Result<Json<Value>, ApiError> {
    let login = at.call.signed_in()?.to_owned();
    if at.repo.is_archived() {
        return Err(ApiError::Archived);
    }
    let number = at.number()?;
    let verdict = match wish.event {
        Some(Event::Approve) => Verdict::Approved,
        Some(Event::RequestChanges) => Verdict::ChangesRequested,
        Some(Event::Comment) | None => Verdict::Commented,
    };
    let review = at.update(|repo| {
        let id = repo.next_item_id();
        let pull = repo.pulls.get_mut(&number).ok_or(ApiError::NotFound)?;
        refuse_own(&pull.author, &login, verdict)?;
        let body = wish.body.unwrap_or_default();
        let (author, sha) = (login.clone(), pull.head.sha.clone());
        let review = Review { id, author, body, verdict, sha, submitted_at: now() };
        pull.reviews.push(review.clone());
        Ok(review)
    })?;
    let (repo, accounts) = (at.reread()?, at.call.github.store.accounts());
    let shown =
        json::Shown { repo: &repo, accounts: &accounts, urls: at.urls(), viewer: Some(&login) };
    let body = json::review(&review, number, shown);
    if let Some(pull) = repo.pulls.get(&number) {
        let pull = json::pull_simple(pull, shown);
        let payload = json!({ "action": "submitted", "review": body, "pull_request": pull });
        hooks::tell(&at.call.github, &repo, "pull_request_review", &login, payload);
    }
    Ok(Json(body))
}

fn refuse_own(author: &str, login: &str, verdict: Verdict) -> Result<(), ApiError> {
    if !author.eq_ignore_ascii_case(login) {
        return Ok(());
    }
    let text = match verdict {
        Verdict::Approved => "Can not approve your own pull request",
        Verdict::ChangesRequested => "Can not request changes on your own pull request",
        Verdict::Commented => return Ok(()),
    };
    Err(ApiError::Unprocessable(format!("Review {text}")))
}
