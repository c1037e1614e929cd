//! The stand-in as a program of its own.

use anyhow::Context;
use clap::Parser;
use github_stand_in::{Config, DataDir, StandIn, fixtures};
use std::{net::SocketAddr, path::PathBuf};

/// A GitHub on this machine: REST, git over HTTP and webhooks.
#[derive(Parser)]
struct Arguments {
    /// Where to listen; port 0 takes any that is free.
    #[arg(long, default_value = "127.0.0.1:4010")]
    listen: SocketAddr,
    /// Where repositories are kept; without it, nothing is kept.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Where browsers find the pages, when that is not where requests come in.
    #[arg(long)]
    public_url: Option<String>,
    /// Begin with the demo's twelve repositories.
    #[arg(long)]
    demo: bool,
    /// Hold every exchange against GitHub's OpenAPI description in this file.
    #[cfg(feature = "conformance")]
    #[arg(long)]
    openapi: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let arguments = Arguments::parse();
    let stand_in = StandIn::start(Config {
        listen: arguments.listen,
        data_dir: arguments.data_dir.map_or(DataDir::Temporary, DataDir::At),
        public_url: arguments.public_url,
        #[cfg(feature = "conformance")]
        openapi: arguments.openapi,
    })
    .await
    .context("could not start the stand-in")?;
    if arguments.demo {
        let demo = fixtures::demo(&stand_in.control()).await?;
        say(&format!("demo user {} has the token {}", demo.login, demo.token));
    }
    say(&format!("listening on {}", stand_in.url()));
    tokio::signal::ctrl_c().await.context("could not wait for Ctrl-C")?;
    stand_in.shutdown().await;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "this is the program's output")]
fn say(text: &str) {
    println!("{text}");
}
