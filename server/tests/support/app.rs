//! A whole Drover of its own: a database, a GitHub stand-in, and a server between them.

use super::{client::Client, db::TestDb, eventually, spec::Spec};
use clap::Parser;
use drover::{
    id::{NamespaceId, UserId},
    view::campaign::CampaignPage,
    viewer::Role,
};
use drover_server::{
    cli::args::{Cli, Command},
    config::Config,
    hosts::Setting,
    secret::token::Token,
    serve,
    store::{
        tokens::{self, NewToken},
        users,
    },
};
use github_stand_in::{
    Access, Class, Config as StandInConfig, Control, Exchange, FileContent, NewCommit, NewRepo,
    StandIn,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::path::Path;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

/// With which Drover acts on the stand-in, as `drover-bot`.
pub(crate) const BOT_TOKEN: &str = "token-drover-bot";
pub(crate) const BOT: &str = "drover-bot";
/// A colleague, who pushes and closes what she likes.
pub(crate) const BEA: &str = "bea";
/// Who runs the campaigns.
pub(crate) const ADA: &str = "ada";

/// What outlives a server: its database, its data directory and the code host.
pub(crate) struct World {
    pub(crate) db: TestDb,
    pub(crate) github: Control,
    pub(crate) data: TempDir,
    stand_in: StandIn,
    http: reqwest::Client,
}

impl World {
    pub(crate) async fn new() -> Self {
        let conforming = StandInConfig::conforming();
        let is_there = conforming.openapi.as_deref().is_some_and(Path::is_file);
        let config = if is_there { conforming } else { StandInConfig::default() };
        let stand_in = StandIn::start(config).await.unwrap();
        let github = stand_in.control();
        github.create_user(BOT, BOT_TOKEN).unwrap();
        github.create_user(BEA, "token-bea").unwrap();
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self { db: TestDb::new().await, github, data: TempDir::new().unwrap(), stand_in, http }
    }

    /// A repository with a README, to which Drover may push.
    pub(crate) async fn repo(&self, name: &str) {
        self.readable_repo(name).await;
        self.github.grant(name, BOT, Access::Write).unwrap();
        self.github.grant(name, BEA, Access::Write).unwrap();
    }

    /// A repository that Drover may read only.
    pub(crate) async fn readable_repo(&self, full_name: &str) {
        let (owner, name) = full_name.split_once('/').unwrap();
        let wish = NewRepo {
            owner: owner.to_owned(),
            name: name.to_owned(),
            files: vec![FileContent::new("README.md", &format!("# {name}\n"))],
            ..NewRepo::default()
        };
        self.github.create_repo(wish).await.unwrap();
    }

    /// Bea pushes a file to a branch.
    pub(crate) async fn bea_pushes(&self, repo: &str, branch: &str, path: &str) -> String {
        let commit = NewCommit {
            repo: repo.to_owned(),
            branch: branch.to_owned(),
            by: BEA.to_owned(),
            message: "Work of Bea's".to_owned(),
            files: vec![FileContent::new(path, "Bea was here\n")],
        };
        self.github.commit(&commit).await.unwrap()
    }

    pub(crate) async fn tip(&self, repo: &str, branch: &str) -> Option<String> {
        self.github.branch_tip(repo, branch).await.unwrap()
    }

    /// Requests of a class so far.
    pub(crate) fn requests(&self, class: Class) -> u64 {
        self.github.request_counts().get(&class).copied().unwrap_or(0)
    }

    /// The writes of the REST API so far, such as `POST /repos/acme/shop/pulls`.
    pub(crate) fn writes(&self) -> Vec<String> {
        let is_write = |it: &Exchange| it.class == Class::ContentWrite;
        let requests = self.github.requests().into_iter().filter(is_write);
        requests.map(|it| format!("{} {}", it.method, it.path)).collect()
    }

    /// Reads from the stand-in's REST API.
    pub(crate) async fn on_github(&self, path: &str) -> Value {
        let request = self.http.get(format!("{}{path}", self.stand_in.url()));
        let answer = request.bearer_auth(BOT_TOKEN).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    /// Bea edits a pull request.
    pub(crate) async fn edit_pull(&self, repo: &str, number: u64, change: &Value) {
        let url = format!("{}/repos/{repo}/pulls/{number}", self.stand_in.url());
        let request = self.http.patch(url).bearer_auth("token-bea").json(change);
        assert_eq!(request.send().await.unwrap().status(), 200);
    }

    /// A person with an access token.
    pub(crate) async fn token_of(&self, name: &str, role: Role) -> String {
        let conn = &mut *self.db.conn().await;
        let (user, namespace) = (UserId(Uuid::new_v4()), NamespaceId(Uuid::new_v4()));
        users::insert_user(conn, user, namespace, &name.parse().unwrap(), role).await.unwrap();
        let token = Token::new(&mut rand::rng());
        let digest = token.hash().0;
        let id = Uuid::new_v4();
        let new = NewToken { id, user, label: "test", digest: &digest, expires_at: None };
        tokens::insert(conn, &new).await.unwrap();
        token.expose_secret().to_owned()
    }

    /// The command line of a server for this world.
    pub(crate) fn command_line(&self) -> Vec<String> {
        let data = self.data.path().to_str().unwrap();
        let (url, database) = (self.stand_in.url(), self.db.url());
        let args = [
            ["--port", "0"],
            ["--data-dir", data],
            ["--database-url", &database],
            ["--github-url", &url],
            ["--github-token", BOT_TOKEN],
        ];
        let words = ["drover", "serve"].into_iter().chain(args.into_iter().flatten());
        words.map(str::to_owned).collect()
    }

    /// Lets pauses end and writes that nobody has heard of grow old.
    pub(crate) async fn time_passes(&self) {
        self.db
            .run(
                "UPDATE effects SET created_at = created_at - interval '1 hour'
                 WHERE finished_at IS NULL;
                 UPDATE jobs SET run_at = now() WHERE state = 'waiting'",
            )
            .await;
    }

    /// Lets the leases of servers that are gone run out.
    pub(crate) async fn leases_run_out(&self) {
        self.db.run("UPDATE jobs SET leased_until = now() WHERE state = 'running'").await;
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let violations = self.stand_in.violations();
        assert!(violations.is_empty() || std::thread::panicking(), "{violations:#?}");
    }
}

/// A world with a server in it, and Ada, who uses it.
pub(crate) struct TestApp {
    pub(crate) world: World,
    pub(crate) ada: Client,
    _stop: DropGuard,
}

impl TestApp {
    pub(crate) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// A server whose settings a test has changed.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let world = World::new().await;
        let token = world.token_of(ADA, Role::Admin).await;
        let (mut config, setting) = settings(&world);
        change(&mut config);
        let (url, stop) = start(config, setting).await;
        let ada = Client::new(&url, &token);
        Self { world, ada, _stop: stop.drop_guard() }
    }

    /// Another person, who uses the same server.
    pub(crate) async fn user(&self, name: &str) -> Client {
        Client::new(self.ada.url(), &self.world.token_of(name, Role::Member).await)
    }

    /// Previews, applies, and waits until everything is at rest.
    pub(crate) async fn publish(&self, spec: &Spec) -> CampaignPage {
        let preview = self.ada.preview(spec).await;
        self.ada.apply(&preview).await;
        self.ada.settled(spec.name()).await
    }

    /// Stores another token for the code host, as a restart with it does.
    pub(crate) async fn set_token(&self, token: &str) {
        let (config, mut setting) = settings(&self.world);
        setting.token = SecretString::from(token);
        let (_, stop) = start(config, setting).await;
        stop.cancel();
    }
}

fn settings(world: &World) -> (Config, Setting) {
    let cli = Cli::try_parse_from(world.command_line()).unwrap();
    let Command::Serve(args) = cli.command else { panic!("it says `serve`") };
    let (config, setting) = Config::serve(&args).unwrap();
    let mut setting = setting.unwrap();
    setting.limits.gap_millis = 5;
    (config, setting)
}

async fn start(config: Config, setting: Setting) -> (String, CancellationToken) {
    let stop = CancellationToken::new();
    let (told, tell) = oneshot::channel();
    let running = serve::run(config, Some(setting), stop.clone(), |started| {
        told.send(format!("http://{}", started.address)).unwrap();
    });
    let running = tokio::task::spawn(running);
    match tell.await {
        Ok(url) => (url, stop),
        Err(_) => panic!("the server did not start: {:#}", running.await.unwrap().unwrap_err()),
    }
}

/// Waits until the database says so.
pub(crate) async fn until(world: &World, what: &str, sql: &str) {
    eventually(what, async || (world.db.count(sql).await > 0).then_some(())).await;
}
