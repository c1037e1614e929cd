//! Git: mirrors, working copies, diffs, commits and pushes, through the git program.
//!
//! - [`remote`]: where a repository lives and with which credential; the only place that knows
//!   URLs
//! - [`mirror`]: one bare, blobless mirror per repository; fetch and resolve
//! - [`working_copy`]: the files of a commit for steps to change, and the diff afterwards
//! - [`reading`]: what steps left, read without git
//! - [`patch`], [`path`]: a diff as validated data; a [`patch::Diff`] is safe to commit
//! - [`commit`]: a diff becomes a commit without a work tree
//! - [`push`]: a commit becomes a branch, guarded by a lease
//! - [`sweep`]: deletes what servers left that were killed
//! - [`process`]: runs git with an empty configuration, limits and a deadline
//! - [`error`]: what can go wrong, classified for whoever decides on a retry
//!
//! The git program instead of a library, because it alone has partial clones, pushes and leases.
//! It never sees a shell, a hook, a filter, a user's configuration or a submodule, and nothing
//! that a step wrote is trusted: git never gets a work tree or a repository of a step, [`reading`]
//! makes objects of it, and a diff is validated as text before git reads it and as a tree after
//! git applied it.

pub mod commit;
pub mod error;
pub mod mirror;
pub mod patch;
pub mod path;
mod process;
pub mod push;
pub mod reading;
pub mod remote;
mod seed;
pub mod sweep;
pub mod working_copy;

use std::{collections::BTreeMap, ffi::OsString, time::Duration};

/// How git is run.
#[derive(Clone, Debug)]
pub struct GitConfig {
    pub program: OsString,
    /// Everything that git sees of the server's environment; see [`PASSED_ENV`].
    pub environment: BTreeMap<OsString, OsString>,
    /// A command that only touches the disk.
    pub local_timeout: Duration,
    /// A command that talks to a code host.
    pub network_timeout: Duration,
    /// The largest diff that steps may make, in bytes.
    pub diff_bytes_max: usize,
    /// What the reading of a tree that steps left may cost.
    pub reading: reading::ReadLimits,
}

/// The variables worth passing on from the server's environment: the search path, proxies and
/// certificates.
pub const PASSED_ENV: [&str; 9] = [
    "PATH",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "no_proxy",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
];

impl Default for GitConfig {
    fn default() -> Self {
        Self {
            program: "git".into(),
            environment: BTreeMap::from([("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into())]),
            local_timeout: Duration::from_mins(2),
            network_timeout: Duration::from_mins(10),
            diff_bytes_max: patch::DIFF_BYTES_MAX,
            reading: reading::ReadLimits::default(),
        }
    }
}
