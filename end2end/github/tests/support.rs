//! A stand-in with one repository and two people, and the clients that tests use.

use github_stand_in::{Access, Config, Control, FileContent, NewCommit, NewRepo, StandIn};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use std::{path::Path, process::Command, process::Output, time::Duration};

/// Anna may write to `acme/shop`; Bob may read it.
pub(crate) const ANNA: &str = "token-anna";
pub(crate) const BOB: &str = "token-bob";
pub(crate) const REPO: &str = "acme/shop";
/// Far more than anything here takes.
const WAIT_MAX: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(20);

pub(crate) struct World {
    pub(crate) stand_in: StandIn,
    client: Client,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Config::conforming()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let stand_in = StandIn::start(config).await.expect("the stand-in starts");
        let client = Client::builder().no_proxy().build().expect("a client");
        Self { stand_in, client }
    }

    /// A world with `acme/shop`, whose branch `fix` is one commit ahead of `main`.
    pub(crate) async fn shop() -> Self {
        let world = Self::new().await;
        world.furnish().await;
        world
    }

    pub(crate) async fn furnish(&self) {
        let control = self.control();
        control.create_user("anna", ANNA).unwrap();
        control.create_user("bob", BOB).unwrap();
        let files = vec![
            FileContent::new("README.md", "# Shop\n"),
            FileContent::new("src/main.rs", "fn main() {}\n"),
        ];
        let (owner, name) = ("acme".to_owned(), "shop".to_owned());
        control.create_repo(NewRepo { owner, name, files, ..NewRepo::default() }).await.unwrap();
        control.grant(REPO, "anna", Access::Write).unwrap();
        self.push("fix", "README.md", "# The shop\n").await;
    }

    pub(crate) fn control(&self) -> Control {
        self.stand_in.control()
    }

    /// Pushes one file to a branch as Anna, and returns the commit.
    pub(crate) async fn push(&self, branch: &str, path: &str, content: &str) -> String {
        let commit = NewCommit {
            repo: REPO.to_owned(),
            branch: branch.to_owned(),
            by: "anna".to_owned(),
            message: format!("Change {path}"),
            files: vec![FileContent::new(path, content)],
        };
        self.control().commit(&commit).await.unwrap()
    }

    pub(crate) async fn open_pull(&self) -> u64 {
        self.control().open_pull(REPO, "anna", "Fix", "fix", "main").await.unwrap()
    }

    pub(crate) fn request(&self, method: Method, path: &str, token: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.stand_in.url()));
        if token.is_empty() { request } else { request.bearer_auth(token) }
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        Answer::of(self.request(Method::GET, path, token).send().await.unwrap()).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: Value,
    ) -> Answer {
        let request = self.request(method, path, token).json(&body);
        Answer::of(request.send().await.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.send(Method::POST, path, token, body).await
    }

    /// Says what GitHub's description does not allow of all that was exchanged so far.
    #[track_caller]
    pub(crate) fn conforms(&self) {
        let violations = self.stand_in.violations();
        assert!(violations.is_empty(), "{violations:#?}");
    }

    pub(crate) fn clone_url(&self, repo: &str, token: &str) -> String {
        let url = self.stand_in.url();
        let host = url.trim_start_matches("http://");
        let user =
            if token.is_empty() { String::new() } else { format!("x-access-token:{token}@") };
        format!("http://{user}{host}/{repo}.git")
    }
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self { status, headers, body }
    }

    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{:#}", self.body);
        self
    }

    /// The text of the first entry of `errors`, or of the whole refusal.
    pub(crate) fn message(&self) -> &str {
        let detailed = self.body["errors"][0]["message"].as_str();
        detailed.or(self.body["message"].as_str()).unwrap_or_default()
    }
}

/// Runs git as a user would, with nothing of the machine's configuration.
pub(crate) async fn git(dir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new("git");
    command.current_dir(dir).args(args).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.envs([
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_AUTHOR_NAME", "Anna"),
        ("GIT_AUTHOR_EMAIL", "anna@acme.example"),
        ("GIT_COMMITTER_NAME", "Anna"),
        ("GIT_COMMITTER_EMAIL", "anna@acme.example"),
    ]);
    tokio::task::spawn_blocking(move || command.output().expect("git runs")).await.unwrap()
}

#[track_caller]
pub(crate) fn worked(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Asks again until there is an answer.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(ask: impl Fn() -> F) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::time::timeout(WAIT_MAX, asking).await.expect("an answer in time")
}
