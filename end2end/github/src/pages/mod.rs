//! Small pages for people: what the links of the API lead to.
//!
//! Plain HTML with one style sheet, light and dark, and no script. Private repositories are not
//! shown: nobody signs in here.

mod html;
mod patch;

use crate::{
    call::Call,
    error::{ApiError, Moved},
    git::{Commit, EntryKind, Git},
    github::Github,
    pulls::fork_point,
    state::{Pull, PullState, Repo},
};
use axum::{
    Router,
    extract::{Path, Request},
    http::{StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use html::{escape, page};
use std::{fmt::Write as _, sync::Arc};

/// Names of branches with more parts than this are not looked for.
const REF_PARTS_MAX: usize = 10;
const STYLE: &str = include_str!("style.css");

pub(crate) fn routes() -> Router<Arc<Github>> {
    Router::new()
        .route("/", get(home))
        .route("/style.css", get(style))
        .route("/_avatar/{owner}", get(avatar))
        .route("/{owner}", get(owner))
        .route("/{owner}/{repo}", get(repo))
        .route("/{owner}/{repo}/raw/{*rest}", get(raw))
        .route("/{owner}/{repo}/pull/{number}", get(pull))
}

/// A refusal that people read.
struct Missing(ApiError);

impl From<ApiError> for Missing {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Missing {
    fn into_response(self) -> Response {
        let body = "<h1>Not found</h1><p>There is nothing at this address. \
                    <a href=\"/\">All repositories</a></p>";
        if self.0.status().is_server_error() || self.0.status().is_redirection() {
            return self.0.into_response();
        }
        let status = StatusCode::NOT_FOUND;
        (status, Html(page("Not found", &[], body))).into_response()
    }
}

/// Pages are for people: who does not ask for one is told that it is missing as the API tells it.
pub(crate) async fn json_for_programs(request: Request, next: Next) -> Response {
    let accept = request.headers().get(header::ACCEPT).and_then(|it| it.to_str().ok());
    let wants_page = accept.is_some_and(|accept| accept.contains("text/html"));
    let response = next.run(request).await;
    match response.status() {
        StatusCode::NOT_FOUND if !wants_page => ApiError::NotFound.into_response(),
        _ => response,
    }
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css")], STYLE)
}

async fn avatar(Path(login): Path<String>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "image/svg+xml")], html::avatar(&login))
}

async fn home(call: Call) -> Html<String> {
    let repos = visible(&call, None);
    let mut owners: Vec<&str> = repos.iter().map(|repo| repo.owner.as_str()).collect();
    owners.dedup();
    let mut body = "<h1>Repositories</h1><p class=\"lead\">A stand-in for GitHub on this machine. \
                    Nothing here leaves it.</p>"
        .to_owned();
    if owners.is_empty() {
        body.push_str("<p>There are no repositories yet.</p>");
    }
    for owner in owners {
        let theirs: Vec<_> = repos.iter().filter(|repo| repo.owner == owner).cloned().collect();
        body.push_str(&format!("<h2><a href=\"/{0}\">{0}</a></h2>", escape(owner)));
        body.push_str(&html::repo_list(&theirs));
    }
    Html(page("Repositories", &[], &body))
}

async fn owner(call: Call, Path(login): Path<String>) -> Result<Html<String>, Missing> {
    let accounts = call.github.store.accounts();
    let login = accounts.find(&login).ok_or(ApiError::NotFound)?.login.clone();
    let repos = visible(&call, Some(&login));
    let body = format!("<h1>{}</h1>{}", escape(&login), html::repo_list(&repos));
    Ok(Html(page(&login, &[], &body)))
}

async fn repo(
    call: Call,
    Path((owner, name)): Path<(String, String)>,
) -> Result<Html<String>, Missing> {
    let repo = find_repo(&call, &owner, &name)?;
    let clone_url = format!("{}/{}.git", call.urls.git, repo.full_name());
    let mut body = format!("<h1>{}{}</h1>", escape(&repo.name), html::archived(&repo));
    if let Some(description) = &repo.description {
        let _ = write!(body, "<p class=\"lead\">{}</p>", escape(description));
    }
    let _ = write!(body, "<p><code>git clone {}</code></p>", escape(&clone_url));
    body.push_str("<h2>Pull requests</h2>");
    body.push_str(&html::pull_list(&repo));
    Ok(Html(page(&repo.full_name(), &[(&repo.owner, &format!("/{}", repo.owner))], &body)))
}

async fn pull(
    call: Call,
    Path((owner, name, number)): Path<(String, String, String)>,
) -> Result<Response, Missing> {
    let repo = find_repo(&call, &owner, &name)?;
    if let Some((number, media)) = number.split_once('.') {
        return plain(&call, &repo, number, media).await;
    }
    let number: u64 = number.parse().map_err(|_| ApiError::NotFound)?;
    let pull = repo.pulls.get(&number).ok_or(ApiError::NotFound)?;
    let git = call.github.git(&repo.key());
    let from = fork_point(&git, pull).await?;
    let commits = commits(&git, pull).await?;
    let diff = git.patch(&from, &pull.head.sha).await.map_err(ApiError::from)?;
    let mut body = head(pull);
    let _ = write!(body, "<h2>Commits</h2><ul class=\"commits\">{commits}</ul>");
    body.push_str(&comments(pull));
    let _ = write!(body, "<h2>Changes</h2>{}", patch::show(&diff));
    let crumbs = [
        (repo.owner.as_str(), format!("/{}", repo.owner)),
        (repo.name.as_str(), format!("/{}", repo.full_name())),
    ];
    let crumbs: Vec<_> = crumbs.iter().map(|(text, link)| (*text, link.as_str())).collect();
    Ok(Html(page(&format!("{} #{number}", pull.title), &crumbs, &body)).into_response())
}

/// A pull request as a diff or as mails: where `diff_url` and `patch_url` lead.
async fn plain(call: &Call, repo: &Repo, number: &str, media: &str) -> Result<Response, Missing> {
    let number: u64 = number.parse().map_err(|_| ApiError::NotFound)?;
    let pull = repo.pulls.get(&number).ok_or(ApiError::NotFound)?;
    let git = call.github.git(&repo.key());
    let (from, head) = (fork_point(&git, pull).await?, &pull.head.sha);
    let text = match media {
        "diff" => git.plain_diff(&from, head).await.map_err(ApiError::from)?,
        "patch" => git.mails(&format!("{from}..{head}")).await.map_err(ApiError::from)?,
        _ => return Err(Missing(ApiError::NotFound)),
    };
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// A file as it is: where `download_url` leads. The name of a branch may have slashes, so what is
/// the branch and what the path is found by trying.
async fn raw(
    call: Call,
    Path((owner, name, rest)): Path<(String, String, String)>,
) -> Result<Response, Missing> {
    let repo = find_repo(&call, &owner, &name)?;
    let git = call.github.git(&repo.key());
    for (at, _) in rest.match_indices('/').take(REF_PARTS_MAX) {
        let (reference, path) = (rest.get(..at).unwrap_or(""), rest.get(at + 1..).unwrap_or(""));
        let Some(sha) = git.find_commit(reference).await.map_err(ApiError::from)? else { continue };
        let entry = git.entry(&sha, path).await.map_err(ApiError::from)?;
        if let Some(entry) = entry.filter(|entry| entry.kind == EntryKind::File) {
            let bytes = git.blob(&entry.sha).await.map_err(ApiError::from)?;
            let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
            return Ok((kind, bytes).into_response());
        }
    }
    Err(Missing(ApiError::NotFound))
}

/// People are led on to the new name.
fn find_repo(call: &Call, owner: &str, name: &str) -> Result<Arc<Repo>, ApiError> {
    match call.find_moved(owner, name) {
        Some(repo) => {
            let url = format!("{}/{}", call.urls.web, repo.full_name());
            Err(ApiError::Moved(Moved { url, status: StatusCode::MOVED_PERMANENTLY }))
        }
        None => call.find_repo(owner, name),
    }
}

fn head(pull: &Pull) -> String {
    let (word, class) = html::state(pull);
    let mut head = format!(
        "<h1>{} <span class=\"number\">#{}</span></h1><p class=\"facts\">\
         <span class=\"badge {class}\">{word}</span> <b>{}</b> wants to merge <code>{}</code> into \
         <code>{}</code></p>",
        escape(&pull.title),
        pull.number,
        escape(&pull.author),
        escape(&pull.head.branch),
        escape(&pull.base.branch),
    );
    if let PullState::Merged { by, sha, .. } = &pull.state {
        let (by, sha) = (escape(by), escape(sha.get(..12).unwrap_or(sha)));
        let _ = write!(head, "<p>Merged by <b>{by}</b> as <code>{sha}</code></p>");
    }
    if !pull.labels.is_empty() {
        let labels =
            pull.labels.iter().map(|it| format!("<li class=\"label\">{}</li>", escape(it)));
        let labels: String = labels.collect();
        let _ = write!(head, "<ul class=\"labels\" aria-label=\"Labels\">{labels}</ul>");
    }
    let text = html::without_comments(pull.body.as_deref().unwrap_or_default());
    if text.trim().is_empty() {
        head.push_str("<p><em>No description.</em></p>");
    } else {
        let _ = write!(head, "<div class=\"text\">{}</div>", escape(text.trim()));
    }
    head
}

async fn commits(git: &Git, pull: &Pull) -> Result<String, ApiError> {
    let commits = git.commits_between(&pull.base.sha, &pull.head.sha).await?;
    let show = |commit: &Commit| {
        let title = commit.message.lines().next().unwrap_or_default();
        let sha = commit.sha.get(..12).unwrap_or(&commit.sha);
        let (title, name) = (escape(title), escape(&commit.author.name));
        format!("<li><code>{sha}</code> {title} <span class=\"quiet\">by {name}</span></li>")
    };
    Ok(commits.iter().map(show).collect())
}

fn comments(pull: &Pull) -> String {
    if pull.comments.is_empty() {
        return String::new();
    }
    let show = |(author, body): (&str, &str)| {
        format!("<li><b>{}</b><div class=\"text\">{}</div></li>", escape(author), escape(body))
    };
    let comments = pull.comments.iter().map(|it| show((&it.author, &it.body)));
    format!("<h2>Comments</h2><ul class=\"comments\">{}</ul>", comments.collect::<String>())
}

fn visible(call: &Call, owner: Option<&str>) -> Vec<Arc<Repo>> {
    let mut repos = call.github.store.list();
    repos.retain(|repo| call.may_read(repo) && owner.is_none_or(|owner| repo.owner == owner));
    repos
}
