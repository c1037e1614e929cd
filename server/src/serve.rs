//! A server from its settings to its end: database, workers, web.

use crate::{
    accounts,
    cli::args::ServeArgs,
    config::{Config, Mode},
    executor::Executor,
    git::{mirror::Mirrors, sweep},
    handlers,
    hosts::{Hosts, Setting},
    jobs::{Hints, Worker, rescuer},
    postgres::{Database, Restarts},
    secret::{key, token::Token},
    state::{AppState, Parts},
    store::{Store, migrations},
    web,
    work_dir::{WorkDir, make_private},
};
use anyhow::Context;
use rustix::fs::Mode as FileMode;
use secrecy::ExposeSecret;
use std::{future::Future, net::SocketAddr, path::Path};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing_subscriber::EnvFilter;
use url::Url;
use uuid::Uuid;

/// What a server that is about to answer tells whoever started it.
pub struct Started {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where people reach it.
    pub url: Url,
    /// With which the first person signs in; `None` when somebody has already.
    pub setup_token: Option<Token>,
    /// With which the CLI acts in the demo.
    pub demo_token: Option<Token>,
}

/// Runs a server until `stop`. `started` is told when it answers.
pub async fn run(
    mut config: Config,
    code_host: Option<Setting>,
    stop: CancellationToken,
    started: impl FnOnce(&Started),
) -> anyhow::Result<()> {
    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        format!(
            "cannot listen on {}: is the port taken? choose another with --port, or `make demo \
             PORT=…`",
            config.listen
        )
    })?;
    config.listen = listener.local_addr()?;
    if config.public_url.port() == Some(0) {
        // Any free port was asked for, and this is the one. An http address takes every port.
        let (Ok(()) | Err(())) = config.public_url.set_port(Some(config.listen.port()));
    }
    make_data_dir(&config.data_dir)?;
    let url = config.database_url.as_ref().map(ExposeSecret::expose_secret);
    let bin_dir = config.postgres_bin_dir.as_deref();
    let mut database = Database::open(url, &config.data_dir, bin_dir).await?;
    let url = database.url().to_owned();
    let stop = stop.child_token();
    let ran = {
        let serving = serve(config, code_host, &url, listener, stop.clone(), started);
        let mut serving = std::pin::pin!(serving);
        let restarts = Restarts::default();
        tokio::select! {
            ran = serving.as_mut() => ran,
            lost = database.keep(&restarts) => {
                stop.cancel();
                if let Err(error) = serving.await {
                    tracing::warn!(error = format!("{error:#}"), "the server ended badly too");
                }
                Err(lost).context("there is no database any more")
            }
        }
    };
    database.stop().await;
    ran
}

async fn serve(
    config: Config,
    code_host: Option<Setting>,
    database_url: &str,
    listener: TcpListener,
    stop: CancellationToken,
    started: impl FnOnce(&Started),
) -> anyhow::Result<()> {
    migrations::run(database_url).await.context("the database could not be brought up to date")?;
    let state = build(config, database_url, stop.clone()).await?;
    if let Some(setting) = &code_host {
        let mut conn = state.store.conn().await?;
        state.hosts.set_up(&mut conn, setting).await?;
    } else if let Some(named) = &state.config.expected_github {
        let mut conn = state.store.conn().await?;
        state.hosts.expect(&mut conn, named).await?;
    }
    let (setup_token, demo_token) = match state.config.mode {
        Mode::Demo => (None, Some(accounts::prepare_demo(&state.store).await?)),
        Mode::SignIn => (accounts::prepare_setup(&state.store).await?, None),
    };
    let (address, url) = (state.config.listen, state.config.public_url.clone());
    let tasks = TaskTracker::new();
    start_work(&state, &tasks, database_url.to_owned());
    started(&Started { address, url, setup_token, demo_token });
    axum::serve(listener, web::router(state.clone()))
        .with_graceful_shutdown(stop.clone().cancelled_owned())
        .await
        .context("the web server failed")?;
    tasks.close();
    tasks.wait().await;
    Ok(())
}

async fn build(config: Config, url: &str, shutdown: CancellationToken) -> anyhow::Result<AppState> {
    let seal_key = key::load_key(config.secret_key.as_ref(), &config.data_dir, &mut rand::rng())?;
    let executor = Executor::start(config.executor.clone()).await?;
    for limit in executor.in_force() {
        tracing::info!("steps on this server: {limit}");
    }
    let name = Uuid::new_v4().simple().to_string();
    let work_dir = WorkDir::open(&config.work_dir(), &name).await?;
    let mirrors = config.data_dir.join("mirrors");
    make_private(&mirrors)?;
    sweep::indexes(&mirrors);
    Ok(AppState::new(Parts {
        store: Store::new(url)?,
        hints: Hints::default(),
        hosts: Hosts::new(seal_key, config.code_host_timeouts),
        mirrors: Mirrors::new(config.git.clone(), mirrors),
        executor,
        work_dir,
        shutdown,
        config,
    }))
}

/// Starts all that goes on beside the requests; each task ends with `shutdown`.
fn start_work(state: &AppState, tasks: &TaskTracker, url: String) {
    let stop = state.shutdown.clone();
    let worker = Worker::new(
        state.store.clone(),
        state.hints.clone(),
        format!("drover-{}", Uuid::new_v4().simple()),
        handlers::limits(state.config.workspaces_at_once),
    );
    let handling = state.clone();
    let handler = move |job, stop| handlers::handle(handling.clone(), job, stop);
    spawn(tasks, state, stop.clone(), |_, stop| async move { worker.run(handler, stop).await });
    spawn(tasks, state, stop.clone(), move |state, stop| async move {
        state.hints.run(&url, stop).await;
    });
    spawn(tasks, state, stop.clone(), |state, stop| async move {
        rescuer::run(&state.store, stop).await;
    });
    spawn(tasks, state, stop, |state, stop| async move {
        handlers::keep_house(&state, stop).await;
    });
}

fn spawn<F: Future<Output = ()> + Send + 'static>(
    tasks: &TaskTracker,
    state: &AppState,
    stop: CancellationToken,
    work: impl FnOnce(AppState, CancellationToken) -> F,
) {
    tasks.spawn(work(state.clone(), stop));
}

/// Makes a new data directory that nobody else can enter. One that is there keeps its mode, for
/// it may be a folder of the system's; what Drover makes in it is closed by itself.
pub(crate) fn make_data_dir(dir: &Path) -> anyhow::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    make_private(dir).with_context(|| format!("cannot make the data directory {}", dir.display()))
}

/// Nothing that this process makes from here on can be read by other users, unless it says so.
pub(crate) fn keep_files_private() {
    rustix::process::umask(FileMode::from_raw_mode(0o077));
}

/// Runs `drover serve` until it is told to stop.
pub async fn command(args: &ServeArgs) -> anyhow::Result<()> {
    keep_files_private();
    start_log();
    let (config, code_host) = Config::serve(args)?;
    run(config, code_host, stop_signal()?, tell).await
}

#[expect(clippy::print_stdout, reason = "this is what the command is run for")]
fn tell(started: &Started) {
    println!("Drover is at {}", started.url.as_str().trim_end_matches('/'));
    if let Some(token) = &started.setup_token {
        println!("Nobody has signed in yet. Do so with the setup token {}", token.expose_secret());
    }
}

/// Logs go to standard error; `RUST_LOG` chooses what.
pub fn start_log() {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("warn,drover_server=info"));
    // A second start in one process, as in tests, keeps the first log.
    let _ =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}

/// Cancelled at Ctrl-C or when the system asks to stop.
pub fn stop_signal() -> anyhow::Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let told = stop.clone();
    tokio::task::spawn(async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        told.cancel();
    });
    Ok(stop)
}
