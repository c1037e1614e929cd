//! `drover demo`: a server, a GitHub stand-in with sample repositories, and a sample campaign.

use crate::{
    cli::args::DemoArgs,
    config::Config,
    hosts::{Address, Setting},
    serve::{self, Started},
    store::code_hosts::WriteLimits,
};
use anyhow::Context;
use drover::campaign::SAMPLE;
use github_stand_in::{Config as StandInConfig, DataDir, StandIn, fixtures};
use secrecy::{ExposeSecret, SecretString};
use std::{net::SocketAddr, path::Path};
use tokio_util::sync::CancellationToken;

/// The stand-in belongs to this machine, so nothing needs to be spared.
const LIMITS: WriteLimits = WriteLimits { per_minute: 6_000, per_hour: 60_000, gap_millis: 50 };

/// Runs `drover demo` until it is told to stop.
pub async fn command(args: &DemoArgs) -> anyhow::Result<()> {
    serve::keep_files_private();
    serve::start_log();
    run(args, serve::stop_signal()?).await
}

/// Runs until `stop`, and goes on where an earlier run on the same data directory ended.
pub async fn run(args: &DemoArgs, stop: CancellationToken) -> anyhow::Result<()> {
    let config = Config::demo(&args.place)?;
    let data_dir = config.data_dir.clone();
    serve::make_data_dir(&data_dir)?;
    let stand_in = start_stand_in(&data_dir).await?;
    let demo = fixtures::demo(&stand_in.control()).await?;
    let url = stand_in.url();
    let setting = Setting {
        api_url: url.clone(),
        git_url: url.clone(),
        web_url: url.clone(),
        limits: LIMITS,
        token: SecretString::from(demo.token),
        address: Address::Moves,
    };
    let sample = data_dir.join("sample.yaml");
    tokio::fs::write(&sample, SAMPLE).await.context("cannot write the sample spec")?;
    let told = |started: &Started| tell(&url, &sample, started);
    let ran = serve::run(config, Some(setting), stop, told).await;
    stand_in.shutdown().await;
    ran
}

/// Links to pull requests must live as long as the data, so the port is kept with it.
async fn start_stand_in(data_dir: &Path) -> anyhow::Result<StandIn> {
    let memory = data_dir.join("stand-in.port");
    let port: u16 = tokio::fs::read_to_string(&memory)
        .await
        .ok()
        .and_then(|it| it.trim().parse().ok())
        .unwrap_or(0);
    let config = StandInConfig {
        listen: SocketAddr::from(([127, 0, 0, 1], port)),
        data_dir: DataDir::At(data_dir.join("stand-in")),
        ..StandInConfig::default()
    };
    let stand_in = StandIn::start(config).await.with_context(|| {
        format!(
            "the GitHub stand-in did not start; when another program has taken its port, delete {}",
            memory.display()
        )
    })?;
    tokio::fs::write(&memory, stand_in.address().port().to_string()).await?;
    Ok(stand_in)
}

#[expect(clippy::print_stdout, reason = "this is what the command is run for")]
fn tell(stand_in: &str, sample: &Path, started: &Started) {
    let url = started.url.as_str().trim_end_matches('/');
    println!("Drover is at {url}");
    println!();
    println!("  the GitHub stand-in: {stand_in}");
    println!("  the sample campaign: {}", sample.display());
    if let Some(token) = &started.demo_token {
        println!("  for the CLI:         export DROVER_URL={url}");
        println!("                       export DROVER_TOKEN={}", token.expose_secret());
    }
    println!();
    println!("Ctrl-C stops everything; starting again goes on where it was.");
}
