//! GitHub's REST API, as far as Drover uses it: one file per resource.
//!
//! Handlers read the path and the body, ask git or change the state, and answer; who may do what
//! is decided by the extractors of `call`.

mod branches;
mod commits;
mod contents;
mod hooks;
mod issues;
mod merges;
mod page;
mod people;
mod pull_edits;
mod pulls;
mod refs;
mod repos;
mod reviews;
mod search;

pub(crate) use issues::set_labels;
pub(crate) use merges::{Merge, Method, merge};
pub(crate) use pull_edits::{PullEdit, WantedState, edit as edit_pull};
pub(crate) use pulls::{NewPull, create as create_pull};

use crate::{error::ApiError, github::Github};
use axum::{
    Router,
    routing::{delete, get, post, put},
};
use std::sync::Arc;

/// Answers below `/` as api.github.com does, and below `/api/v3` as GitHub Enterprise Server.
pub(crate) fn routes() -> Router<Arc<Github>> {
    people_routes().merge(repo_routes()).merge(git_routes()).merge(pull_routes())
}

/// A path that nobody knows.
pub(crate) async fn not_found() -> ApiError {
    ApiError::NotFound
}

fn people_routes() -> Router<Arc<Github>> {
    Router::new()
        .route("/user", get(people::me))
        .route("/user/repos", get(repos::list_mine))
        .route("/user/orgs", get(people::my_organisations))
        .route("/users/{username}", get(people::user))
        .route("/users/{username}/repos", get(repos::list_of_user))
        .route("/orgs/{org}", get(people::organisation))
        .route("/orgs/{org}/repos", get(repos::list_of_organisation))
        .route("/search/repositories", get(search::repositories))
        .route("/rate_limit", get(people::rate_limit))
}

fn repo_routes() -> Router<Arc<Github>> {
    Router::new()
        .route("/repos/{owner}/{repo}", get(repos::get).patch(repos::patch))
        .route("/repos/{owner}/{repo}/topics", get(repos::topics).put(repos::set_topics))
        .route("/repos/{owner}/{repo}/languages", get(repos::languages))
        .route("/repos/{owner}/{repo}/hooks", get(hooks::list).post(hooks::create))
        .route("/repos/{owner}/{repo}/hooks/{number}", get(hooks::get).delete(hooks::delete))
}

fn git_routes() -> Router<Arc<Github>> {
    Router::new()
        .route("/repos/{owner}/{repo}/git/ref/{*reference}", get(refs::get))
        .route("/repos/{owner}/{repo}/git/matching-refs/{*reference}", get(refs::list_matching))
        .route("/repos/{owner}/{repo}/git/refs", post(refs::create))
        .route(
            "/repos/{owner}/{repo}/git/refs/{*reference}",
            delete(refs::delete).patch(refs::update),
        )
        .route("/repos/{owner}/{repo}/branches", get(branches::list))
        .route("/repos/{owner}/{repo}/branches/{*branch}", get(branches::get))
        .route("/repos/{owner}/{repo}/commits", get(commits::list))
        .route("/repos/{owner}/{repo}/commits/{*reference}", get(commits::get))
        .route("/repos/{owner}/{repo}/compare/{*basehead}", get(commits::compare))
        .route("/repos/{owner}/{repo}/contents", get(contents::get))
        .route("/repos/{owner}/{repo}/contents/", get(contents::get))
        .route("/repos/{owner}/{repo}/contents/{*path}", get(contents::get))
}

fn pull_routes() -> Router<Arc<Github>> {
    Router::new()
        .route("/repos/{owner}/{repo}/pulls", get(pulls::list).post(pulls::post))
        .route("/repos/{owner}/{repo}/pulls/{number}", get(pulls::get).patch(pulls::patch))
        .route("/repos/{owner}/{repo}/pulls/{number}/files", get(pulls::files))
        .route("/repos/{owner}/{repo}/pulls/{number}/commits", get(pulls::commits))
        .route("/repos/{owner}/{repo}/pulls/{number}/merge", put(merges::put).get(merges::get))
        .route(
            "/repos/{owner}/{repo}/pulls/{number}/reviews",
            get(reviews::list).post(reviews::create),
        )
        .route("/repos/{owner}/{repo}/issues/{number}", get(issues::get).patch(issues::patch))
        .route(
            "/repos/{owner}/{repo}/issues/{number}/comments",
            get(issues::comments).post(issues::create_comment),
        )
}
