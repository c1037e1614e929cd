//! The server's settings, made of the command line and the environment, and checked together.

use crate::{
    cli::args::{PlaceArgs, ServeArgs, StepContainers, StepNetwork},
    code_host::github::Timeouts,
    executor::{Containers, ExecutorConfig, Network},
    git::{GitConfig, PASSED_ENV},
    hosts::{Address, Setting},
    store::code_hosts::WriteLimits,
};
use anyhow::Context;
use drover::budget;
use secrecy::SecretString;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};
use url::Url;

/// Workspaces that run at once for each processor: steps wait for disks and the code host too.
const WORKSPACES_PER_CPU: u32 = 2;

/// The GitHub of a server that is told no other.
const GITHUB: &str = "https://api.github.com";

/// What the server was told. Nothing below this reads the environment.
#[derive(Clone)]
pub struct Config {
    pub listen: SocketAddr,
    /// Where people reach the server.
    pub public_url: Url,
    /// Everything that the server keeps outside of the database.
    pub data_dir: PathBuf,
    /// A PostgreSQL that somebody else runs; otherwise one is started in the data directory.
    pub database_url: Option<SecretString>,
    /// Searched for PostgreSQL's programs before the usual places.
    pub postgres_bin_dir: Option<PathBuf>,
    /// Where the built pages lie: `pkg/` and the files of `public/`.
    pub site_root: PathBuf,
    /// The key that seals secrets; otherwise a file in the data directory.
    pub secret_key: Option<SecretString>,
    pub mode: Mode,
    pub git: GitConfig,
    pub executor: ExecutorConfig,
    /// The API that the operator named: what is stored must belong to it.
    pub expected_github: Option<String>,
    /// How long to wait for the code host.
    pub code_host_timeouts: Timeouts,
    /// How many workspaces run at once on this server.
    pub workspaces_at_once: u32,
}

/// How people get in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// With the setup token that the first start prints, then with access tokens.
    SignIn,
    /// Everybody is the demo user.
    Demo,
}

impl Config {
    /// The settings of `drover serve`, and the code host that they name.
    pub fn serve(args: &ServeArgs) -> anyhow::Result<(Self, Option<Setting>)> {
        let mut config = Self::at(&args.place, Mode::SignIn)?;
        if let Some(url) = &args.public_url {
            config.public_url = url.clone();
        }
        config.database_url = args.database_url.clone();
        config.secret_key = args.secret_key.clone();
        config.executor.network = match args.step_network {
            StepNetwork::Deny => Network::Off,
            StepNetwork::Allow => Network::On,
        };
        config.executor.containers = match args.step_containers {
            StepContainers::Refuse => Containers::Refused,
            StepContainers::Ignore => Containers::AsSandbox,
        };
        let named = args.github_url.as_deref();
        let code_host = match &args.github_token {
            Some(token) => Some(github(named.unwrap_or(GITHUB), token.clone())?),
            None => None,
        };
        config.expected_github = named.map(str::to_owned);
        Ok((config, code_host))
    }

    /// The settings of `drover demo`.
    pub fn demo(place: &PlaceArgs) -> anyhow::Result<Self> {
        Self::at(place, Mode::Demo)
    }

    fn at(place: &PlaceArgs, mode: Mode) -> anyhow::Result<Self> {
        let listen = SocketAddr::new(place.listen, place.port);
        let public_url = Url::parse(&format!("http://{listen}"))?;
        let data_dir = std::path::absolute(&place.data_dir).with_context(|| {
            format!("the data directory {} is no path", place.data_dir.display())
        })?;
        let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Self {
            listen,
            public_url,
            data_dir,
            database_url: None,
            postgres_bin_dir: variable("PG_BIN_DIR").map(PathBuf::from),
            site_root: site_root(),
            secret_key: None,
            mode,
            git: GitConfig { environment: git_environment(), ..GitConfig::default() },
            executor: ExecutorConfig::default(),
            expected_github: None,
            code_host_timeouts: Timeouts::default(),
            workspaces_at_once: WORKSPACES_PER_CPU * u32::try_from(cpus).unwrap_or(1),
        })
    }

    /// The working copies of all servers that share the data directory.
    #[must_use]
    pub fn work_dir(&self) -> PathBuf {
        self.data_dir.join("work")
    }
}

/// GitHub, or an Enterprise Server, whose API is at `api_url`.
fn github(api_url: &str, token: SecretString) -> anyhow::Result<Setting> {
    let url = Url::parse(api_url)
        .with_context(|| format!("`{api_url}` is no address of a GitHub API"))?;
    let web_url = match url.host_str() {
        Some("api.github.com") => "https://github.com".to_owned(),
        _ => url.origin().ascii_serialization(),
    };
    let limits = budget::GITHUB;
    let limits = WriteLimits {
        per_minute: i32::try_from(limits.per_minute)?,
        per_hour: i32::try_from(limits.per_hour)?,
        gap_millis: i32::try_from(limits.spacing.as_millis())?,
    };
    let api_url = api_url.trim_end_matches('/').to_owned();
    let address = Address::Fixed;
    Ok(Setting { api_url, git_url: web_url.clone(), web_url, limits, token, address })
}

fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn git_environment() -> std::collections::BTreeMap<std::ffi::OsString, std::ffi::OsString> {
    PASSED_ENV.iter().filter_map(|name| Some(((*name).into(), variable(name)?))).collect()
}

/// `DROVER_SITE_ROOT`, otherwise the folder `site` beside that of the program.
fn site_root() -> PathBuf {
    let beside = || {
        let program = std::env::current_exe().ok()?;
        Some(program.parent()?.parent()?.join("site"))
    };
    variable("DROVER_SITE_ROOT")
        .map(PathBuf::from)
        .or_else(beside)
        .unwrap_or_else(|| Path::new("site").to_owned())
}
