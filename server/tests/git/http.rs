//! A code host over HTTP that answers with trouble.

use super::support::{branch, target};
use drover_server::git::{
    GitConfig,
    error::GitError,
    mirror::{Mirror, Mirrors},
    push::Expected,
    remote::{GitBase, Remote},
};
use secrecy::SecretString;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const TOKEN: &str = "tok-canary-4711";

struct Trouble {
    dir: TempDir,
    mirror: Mirror,
    requests: Arc<Mutex<String>>,
}

/// Answers every request with `answer`; with `None`, never.
async fn trouble(answer: Option<&'static str>) -> Trouble {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(String::new()));
    let seen = Arc::clone(&requests);
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = vec![0; 4_096];
            let read = stream.read(&mut bytes).await.unwrap_or(0);
            seen.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..read]));
            match answer {
                Some(answer) => drop(stream.write_all(answer.as_bytes()).await),
                None => open.push(stream),
            }
        }
    });
    let dir = TempDir::new().unwrap();
    let network_timeout = Duration::from_secs(if answer.is_some() { 60 } else { 1 });
    let config = GitConfig { network_timeout, ..GitConfig::default() };
    let token = Some(SecretString::from(TOKEN));
    let repo = "acme/web".parse().unwrap();
    let remote = Remote::new(&GitBase::parse(&base).unwrap(), &repo, token);
    let mirror = Mirrors::new(config, dir.path().to_owned()).open(remote).await.unwrap();
    Trouble { dir, mirror, requests }
}

async fn check(answer: Option<&'static str>, is_right: fn(&GitError) -> bool) {
    let Trouble { dir, mirror, requests } = trouble(answer).await;
    let sha = "1234567890123456789012345678901234567890".parse().unwrap();
    for error in [
        mirror.fetch_branch(&branch("main")).await.unwrap_err(),
        mirror.remote_head(&branch("main")).await.unwrap_err(),
        mirror.push(&sha, &target("x"), &Expected::Absent).await.unwrap_err(),
    ] {
        // A push of a commit that is not there fails before anything is asked.
        assert!(is_right(&error), "{answer:?}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
    let requests = requests.lock().unwrap();
    assert!(requests.contains("Authorization: Basic eC1hY2Nlc3MtdG9rZW46"), "{requests}");
    let found = std::process::Command::new("grep")
        .args(["-rl", "-e", TOKEN, "-e", "eC1hY2Nlc3MtdG9rZW46"])
        .arg(dir.path())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "", "the credential is on the disk");
}

#[tokio::test]
async fn a_revoked_credential_is_told_apart() {
    let answer = "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\
                  Connection: close\r\n\r\n";
    check(Some(answer), |it| matches!(it, GitError::AuthFailed { .. })).await;
}

#[tokio::test]
async fn a_credential_that_may_not_is_told_apart() {
    let answer = "HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    check(Some(answer), |it| matches!(it, GitError::Forbidden { .. })).await;
}

#[tokio::test]
async fn a_missing_repository_is_told_apart() {
    let answer = "HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    check(Some(answer), |it| matches!(it, GitError::NotFound { .. })).await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let answer = "HTTP/1.1 302 There\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\
                  Connection: close\r\n\r\n";
    check(Some(answer), |it| matches!(it, GitError::Moved { .. })).await;
}

#[tokio::test]
async fn a_page_for_people_is_no_repository() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\
                  Connection: close\r\n\r\n<html></html>";
    check(Some(answer), |it| matches!(it, GitError::NotFound { .. })).await;
}

#[tokio::test]
async fn a_broken_code_host_is_unavailable() {
    for answer in [
        "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 429 Slow\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "",
    ] {
        check(Some(answer), |it| matches!(it, GitError::Unavailable { .. })).await;
    }
}

#[tokio::test]
async fn a_code_host_that_hangs_is_given_up() {
    check(None, |it| matches!(it, GitError::TimedOut { .. })).await;
}
