//! The files of the private database.

use super::{PostgresError, User, binaries::Binaries};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The major version that made the cluster, and where it is; `None` when there is none.
pub(super) fn version(cluster: &Path) -> Result<Option<(u32, PathBuf)>, PostgresError> {
    let path = cluster.join("PG_VERSION");
    match fs::read_to_string(&path) {
        // A file that holds no number is no file of PostgreSQL: no version fits.
        Ok(text) => Ok(Some((text.trim().parse().unwrap_or(0), cluster.to_owned()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(PostgresError::io("read", &path)(error)),
    }
}

/// Makes a cluster unless there is one. It is made beside its place and moved there when it is
/// complete, so that a crash leaves no half of it.
pub(super) fn make(cluster: &Path, binaries: &Binaries, user: &User) -> Result<(), PostgresError> {
    if cluster.join("PG_VERSION").exists() {
        return Ok(());
    }
    let new = cluster.with_extension("new");
    if new.exists() {
        fs::remove_dir_all(&new).map_err(PostgresError::io("remove", &new))?;
    }
    let output = user
        .command(&binaries.program("initdb"), &new)?
        .args(["--auth=trust", "--username=drover", "--encoding=UTF8", "--locale=C.UTF-8"])
        .arg("--pgdata")
        .arg(&new)
        .output()
        .map_err(PostgresError::io("run initdb for", &new))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(PostgresError::Init { output: text });
    }
    fs::rename(&new, cluster).map_err(PostgresError::io("move", &new))
}
