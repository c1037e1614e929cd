//! Why there is no database, and what to do about it.

use std::{
    io,
    path::{Path, PathBuf},
};

#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    #[error(
        "no PostgreSQL is installed: `initdb` and `postgres` are not in {searched}; \
         install it (Debian: `apt-get install postgresql`), name its folder in PG_BIN_DIR, \
         or name a running database in DATABASE_URL"
    )]
    NotInstalled { searched: String },
    #[error(
        "the database in {dir} was made by PostgreSQL {cluster}, and installed is {installed}; \
         install PostgreSQL {cluster} or name its folder in PG_BIN_DIR"
    )]
    Version { dir: PathBuf, cluster: u32, installed: String },
    #[error("another Drover uses {dir}: stop it, or choose another data directory")]
    InUse { dir: PathBuf },
    #[error(
        "{dir} belongs to another user (id {owner}): start Drover as that user, \
         or choose another data directory"
    )]
    ForeignDir { dir: PathBuf, owner: u32 },
    #[error("PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`")]
    NoUser,
    #[error(
        "the user of the database cannot pass {dir}: allow it (`chmod o+x`), \
         install `setpriv` (Debian: util-linux), or choose another data directory"
    )]
    ClosedParent { dir: PathBuf },
    #[error("`initdb` failed: {output}")]
    Init { output: String },
    #[error("the private PostgreSQL did not start; its log ends with:\n{log}")]
    Start { log: String, source: tokio_postgres::Error },
    #[error(
        "the private PostgreSQL ended {times} times, each time soon after it had started; its log \
         ends with:\n{log}"
    )]
    GivenUp { times: u32, log: String },
    #[error("a PostgreSQL (process {pid}) that was left over in {dir} does not stop")]
    Orphan { dir: PathBuf, pid: i32 },
    #[error("DATABASE_URL is no address of a PostgreSQL")]
    BadUrl(#[source] tokio_postgres::Error),
    #[error("the database at {address} cannot be reached")]
    Unreachable { address: String, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("could not {action} {path}")]
    Io { action: &'static str, path: PathBuf, source: io::Error },
}

impl PostgresError {
    /// Says what could not be done with which path.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
