//! GitHub's REST API, as far as Drover uses it: one file per resource.
//!
//! Handlers read the path and the body, ask git or change the state, and answer; who may do what
//! is decided by the extractors of `call`.

mod branches;
mod commits;
mod contents;
mod hooks;
mod issues;
mod media;
mod merge_texts;
mod merges;
mod objects;
mod page;
mod people;
mod pull_edits;
mod pulls;
mod refs;
mod repos;
mod reviews;
mod search;
mod writes;

pub(crate) use issues::set_labels;
pub(crate) use merges::{Merge, merge};
pub(crate) use pull_edits::{PullEdit, WantedState, edit as edit_pull};
pub(crate) use pulls::{NewPull, create as create_pull};

use crate::{call::Call, error::ApiError, github::Github};
use axum::{
    Router,
    extract::{Request, State},
    response::Response,
    routing::{delete, get, post, put},
};
use std::sync::Arc;
use tower::ServiceExt as _;

/// Answers below `/` as api.github.com does, and below `/api/v3` as GitHub Enterprise Server.
pub(crate) fn routes() -> Router<Arc<Github>> {
    people_routes()
        .merge(repo_routes())
        .merge(git_routes())
        .merge(object_routes())
        .merge(pull_routes())
}

/// Answers below the number of a repository what is answered below its name.
pub(crate) async fn by_id(
    State(github): State<Arc<Github>>,
    call: Call,
    mut request: Request,
) -> Result<Response, ApiError> {
    let path = request.uri().path().trim_start_matches("/repositories/");
    let (id, rest) = path.split_once('/').unwrap_or((path, ""));
    let id: u64 = id.parse().map_err(|_| ApiError::NotFound)?;
    let repo = github.store.find_id(id).filter(|repo| call.may_read(repo));
    let name = repo.ok_or(ApiError::NotFound)?.full_name();
    let slash = if rest.is_empty() { "" } else { "/" };
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let uri = format!("/repos/{name}{slash}{rest}{query}");
    *request.uri_mut() = uri.parse().map_err(|_| ApiError::NotFound)?;
    let by_name = routes().method_not_allowed_fallback(not_found).fallback(not_found);
    match by_name.with_state(github).oneshot(request).await {
        Ok(response) => Ok(response),
        Err(never) => match never {},
    }
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
        .route("/repos/{owner}/{repo}", get(repos::get).patch(repos::patch).delete(repos::delete))
        .route("/repos/{owner}/{repo}/transfer", post(repos::transfer))
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
        .route(
            "/repos/{owner}/{repo}/contents/{*path}",
            get(contents::get).put(writes::put_file).delete(writes::delete_file),
        )
        .route("/repos/{owner}/{repo}/readme", get(contents::readme))
        .route("/repos/{owner}/{repo}/merges", post(writes::merge))
}

fn object_routes() -> Router<Arc<Github>> {
    Router::new()
        .route("/repos/{owner}/{repo}/git/blobs", post(objects::create_blob))
        .route("/repos/{owner}/{repo}/git/blobs/{sha}", get(objects::blob))
        .route("/repos/{owner}/{repo}/git/trees", post(objects::create_tree))
        .route("/repos/{owner}/{repo}/git/trees/{*sha}", get(objects::tree))
        .route("/repos/{owner}/{repo}/git/commits", post(objects::create_commit))
        .route("/repos/{owner}/{repo}/git/commits/{sha}", get(objects::commit))
        .route("/repos/{owner}/{repo}/git/tags", post(objects::create_tag))
        .route("/repos/{owner}/{repo}/git/tags/{sha}", get(objects::tag))
}

fn pull_routes() -> Router<Arc<Github>> {
    Router::new()
        .route("/repos/{owner}/{repo}/pulls", get(pulls::list).post(pulls::post))
        .route("/repos/{owner}/{repo}/pulls/{number}", get(pulls::get).patch(pulls::patch))
        .route("/repos/{owner}/{repo}/pulls/{number}/update-branch", put(writes::catch_up))
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
