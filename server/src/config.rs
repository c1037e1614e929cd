//! The server's settings, read once and checked together.

use crate::{executor::ExecutorConfig, git::GitConfig};
use secrecy::SecretString;
use std::{net::SocketAddr, path::PathBuf};
use url::Url;

/// What the server was told. Nothing below this reads the environment.
#[derive(Clone)]
pub struct Config {
    pub listen: SocketAddr,
    /// Where people reach the server, without a slash at the end.
    pub public_url: Url,
    /// Everything that the server keeps outside of the database.
    pub data_dir: PathBuf,
    pub database: Database,
    /// Where the built pages lie: `pkg/` and the files of `public/`.
    pub site_root: PathBuf,
    pub secret_key: SecretKey,
    pub mode: Mode,
    pub git: GitConfig,
    pub executor: ExecutorConfig,
    /// How many workspaces run at once on this server.
    pub workspaces_at_once: u32,
}

#[derive(Clone)]
pub enum Database {
    /// A PostgreSQL that somebody else runs.
    Url(SecretString),
    /// One that the server starts for itself, in its data directory.
    Private,
}

#[derive(Clone)]
pub enum SecretKey {
    /// 32 bytes in base64, from the environment.
    Given(SecretString),
    /// A file in the data directory, made at the first start.
    File,
}

/// How people get in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// With the setup token that the first start prints, then with access tokens.
    SignIn,
    /// Everybody is the demo user.
    Demo,
}
