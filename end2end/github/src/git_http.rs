//! Clone and push over HTTP, by `git http-backend` as a CGI program.
//!
//! The answer to a fetch is streamed. The answer to a push is held until the pull requests have
//! followed the branches: whoever pushed may then read what his push did.

use crate::{
    error::challenge,
    git::{RefChange, clean_environment, name_rules},
    github::Github,
    identity::Identity,
    pushes,
    state::{Access, Freshness, Protection, Repo, RepoKey},
};
use axum::{
    body::Body,
    extract::{OriginalUri, Path, Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::TryStreamExt;
use std::{io, process::Stdio, sync::Arc};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdout, Command},
};
use tokio_util::io::{ReaderStream, StreamReader};

/// A pack larger than this is refused.
const PUSH_BYTES_MAX: u64 = 1 << 30;
/// What git says about a push; it is short.
const REPORT_BYTES_MAX: u64 = 4 << 20;
const HEADER_LINES_MAX: usize = 50;

/// Which of git's two services a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    Fetch,
    Push,
}

/// Who may go on, to which repository.
struct Admitted {
    repo: Arc<Repo>,
    login: Option<String>,
}

pub(crate) async fn serve(
    State(github): State<Arc<Github>>,
    Path((owner, name)): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Response {
    let name = name.strip_suffix(".git").unwrap_or(&name);
    let key = RepoKey::new(&owner, name);
    let path = uri.path();
    let is_push = path.ends_with("/git-receive-pack")
        || uri.query().is_some_and(|query| query.contains("service=git-receive-pack"));
    let service = if is_push { Service::Push } else { Service::Fetch };
    let admitted = match admit(&github, &key, service, &request) {
        Ok(admitted) => admitted,
        Err(refusal) => return *refusal,
    };
    let file = path.rsplit('/').next().unwrap_or_default();
    let file = if file == "refs" { "info/refs" } else { file };
    let answer = match (service, request.method() == Method::POST) {
        (Service::Push, true) => push(&github, &admitted, file, request).await,
        (Service::Push, false) | (Service::Fetch, _) => {
            fetch(&github, &admitted, file, request).await
        }
    };
    answer.unwrap_or_else(|error| {
        tracing::error!(error = ?error, "git over HTTP failed");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    })
}

/// The refusals that git clients are used to from GitHub.
fn admit(
    github: &Github,
    key: &RepoKey,
    service: Service,
    request: &Request,
) -> Result<Admitted, Box<Response>> {
    let identity = request.extensions().get().cloned().unwrap_or(Identity::Anonymous);
    let login = match &identity {
        Identity::Stranger => {
            return Err(Box::new(challenge("Invalid username or token.")));
        }
        Identity::Anonymous if service == Service::Push => {
            return Err(Box::new(challenge("Authentication required")));
        }
        Identity::Anonymous | Identity::User { .. } => identity.login(),
    };
    let found = github.store.find(key, Freshness::Current);
    let moved = || github.store.find_moved(key);
    let repo = match found {
        Some(repo) => Some(repo),
        None => match moved().filter(|repo| repo.access_of(login) >= Access::Read) {
            Some(repo) => return Err(Box::new(redirect(github, &repo, request))),
            None => None,
        },
    };
    let repo = repo.filter(|repo| repo.access_of(login) >= Access::Read);
    let Some(repo) = repo else {
        return Err(Box::new(match login {
            None => challenge("Authentication required"),
            Some(_) => (StatusCode::NOT_FOUND, "Repository not found.").into_response(),
        }));
    };
    let refuse = |message: String| Box::new((StatusCode::FORBIDDEN, message).into_response());
    if service == Service::Push {
        let name = repo.full_name();
        if repo.access_of(login) < Access::Write {
            let login = login.unwrap_or_default();
            return Err(refuse(format!("Permission to {name}.git denied to {login}.")));
        }
        if repo.is_archived() {
            return Err(refuse("This repository was archived so it is read-only.".to_owned()));
        }
    }
    Ok(Admitted { repo, login: login.map(str::to_owned) })
}

/// Git goes on at the new name.
fn redirect(github: &Github, repo: &Repo, request: &Request) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let origin = host.map_or_else(|| github.urls().git, |host| format!("http://{host}"));
    let path = request.uri().path();
    let rest = path.match_indices('/').nth(2).and_then(|(at, _)| path.get(at..)).unwrap_or("");
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let url = format!("{origin}/{}.git{rest}{query}", repo.full_name());
    (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, url)]).into_response()
}

async fn fetch(
    github: &Arc<Github>,
    admitted: &Admitted,
    file: &str,
    request: Request,
) -> io::Result<Response> {
    let mut child = start(github, admitted, file, &request)?;
    let stdin = child.stdin.take();
    let body = request.into_body();
    github.tasks.spawn(async move { feed(stdin, body).await });
    let Some(stdout) = child.stdout.take() else { return Err(io::Error::other("no output")) };
    let mut stdout = BufReader::new(stdout);
    let head = read_head(&mut stdout).await?;
    let stopping = github.stopping.clone();
    github.tasks.spawn(async move {
        tokio::select! {
            // Git's exit code says no more than its answer.
            _ = child.wait() => (),
            () = stopping.cancelled() => drop(child.kill().await),
        }
    });
    Ok((head.0, head.1, Body::from_stream(ReaderStream::new(stdout))).into_response())
}

async fn push(
    github: &Arc<Github>,
    admitted: &Admitted,
    file: &str,
    request: Request,
) -> io::Result<Response> {
    let key = admitted.repo.key();
    let git = github.git(&key);
    let _turn = github.push_locks.lock(&key).await;
    let before = git.refs("").await.map_err(io::Error::other)?;
    let mut child = start(github, admitted, file, &request)?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let Some(stdout) = stdout else { return Err(io::Error::other("no output")) };
    let mut stdout = BufReader::new(stdout).take(REPORT_BYTES_MAX);
    let mut report = Vec::new();
    let answer = async {
        let head = read_head(stdout.get_mut()).await?;
        stdout.read_to_end(&mut report).await?;
        Ok::<_, io::Error>(head)
    };
    let ((), head) = tokio::join!(feed(stdin, request.into_body()), answer);
    let head = head?;
    child.wait().await?;
    let after = git.refs("").await.map_err(io::Error::other)?;
    // The merge that is tried for a pull request may have moved meanwhile, by nobody's push.
    let mut changes = RefChange::between(&before, &after);
    changes.retain(|change| !change.name.starts_with("refs/pull/"));
    let pusher = admitted.login.as_deref().unwrap_or_default();
    pushes::record(github, &key, &changes, pusher).await.map_err(io::Error::other)?;
    let rule_of = |name: &str| {
        let branch = name.strip_prefix("refs/heads/");
        let is_protected = branch.is_some_and(|it| admitted.repo.protections.contains_key(it));
        if is_protected { "protected branch" } else { "pre-receive" }
    };
    Ok((head.0, head.1, name_rules(report, rule_of)).into_response())
}

/// Starts the CGI program with what RFC 3875 wants to be told.
fn start(github: &Github, admitted: &Admitted, file: &str, request: &Request) -> io::Result<Child> {
    let headers = request.headers();
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let mut command = Command::new("git");
    clean_environment(&mut command);
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", github.store.repos_dir())
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", format!("/{}.git/{file}", admitted.repo.key().as_str()))
        .env("REQUEST_METHOD", request.method().as_str())
        .env("QUERY_STRING", request.uri().query().unwrap_or_default())
        .env("CONTENT_TYPE", header("content-type").unwrap_or_default())
        .env("REMOTE_ADDR", "127.0.0.1");
    for (variable, name) in [
        ("CONTENT_LENGTH", "content-length"),
        ("HTTP_CONTENT_ENCODING", "content-encoding"),
        ("GIT_PROTOCOL", "git-protocol"),
    ] {
        if let Some(value) = header(name) {
            command.env(variable, value);
        }
    }
    if let Some(login) = &admitted.login {
        command.env("REMOTE_USER", login);
    }
    command
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "core.hooksPath")
        .env("GIT_CONFIG_VALUE_0", github.store.push_hooks_dir())
        .env("PROTECTED", protected(&admitted.repo));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.kill_on_drop(true).spawn()
}

/// The protected branches, as the hook reads them.
fn protected(repo: &Repo) -> String {
    let line = |(branch, protection): (&String, &Protection)| match protection {
        Protection::Rewriting => format!("rewriting {branch}\n"),
        Protection::Pushes => format!("pushes {branch}\n"),
    };
    repo.protections.iter().map(line).collect()
}

/// Passes the body on. A program that ends early or a caller that goes away ends it too; the
/// program's answer tells what came of it.
async fn feed(stdin: Option<impl tokio::io::AsyncWrite + Unpin>, body: Body) {
    let Some(mut stdin) = stdin else { return };
    let body = body.into_data_stream().map_err(io::Error::other);
    let mut body = StreamReader::new(body).take(PUSH_BYTES_MAX);
    if let Err(error) = tokio::io::copy(&mut body, &mut stdin).await {
        tracing::debug!(%error, "a request's body was not read to its end");
    }
    if let Err(error) = stdin.shutdown().await {
        tracing::debug!(%error, "git did not wait for the end of its input");
    }
}

/// Reads the CGI head: `Status:` is the status, the rest are headers.
async fn read_head(stdout: &mut BufReader<ChildStdout>) -> io::Result<(StatusCode, HeaderMap)> {
    let (mut status, mut headers) = (StatusCode::OK, HeaderMap::new());
    for _ in 0..HEADER_LINES_MAX {
        let mut line = String::new();
        stdout.read_line(&mut line).await?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        if name.eq_ignore_ascii_case("status") {
            let code = value.split(' ').next().and_then(|code| code.parse::<u16>().ok());
            status = code.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(status);
        } else if let (Ok(name), Ok(value)) =
            (header::HeaderName::try_from(name), header::HeaderValue::from_str(value))
        {
            headers.insert(name, value);
        }
    }
    Ok((status, headers))
}
