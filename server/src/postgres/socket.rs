//! Where the socket of the private server is.
//!
//! The address of a socket holds 107 bytes. A data directory with a longer name gets a short
//! directory of its own for the socket among the temporary files.

use super::{PostgresError, User};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The longest path of a socket, in bytes, without the zero at its end.
const PATH_BYTES_MAX: usize = 107;
/// The longest name that PostgreSQL gives to a file beside the socket.
const LONGEST_NAME: &str = "/.s.PGSQL.5432.lock";

/// A directory that only the server's user can enter.
pub(super) enum SocketDir {
    /// In the data directory.
    Home(PathBuf),
    /// Removed when it is dropped.
    Short(TempDir),
}

impl SocketDir {
    pub(super) fn make(home: &Path, user: &User) -> Result<Self, PostgresError> {
        let dir = home.join("socket");
        if fits(&dir) {
            return user.make_private_dir(&dir).map(Self::Home);
        }
        let temp = std::env::temp_dir();
        let short = tempfile::Builder::new()
            .prefix("drover-")
            .tempdir_in(&temp)
            .map_err(PostgresError::io("make a directory for the socket in", &temp))?;
        user.own(short.path())?;
        Ok(Self::Short(short))
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Home(path) => path,
            Self::Short(dir) => dir.path(),
        }
    }
}

fn fits(dir: &Path) -> bool {
    dir.as_os_str().len() + LONGEST_NAME.len() <= PATH_BYTES_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_directory_does_not_fit() {
        assert!(fits(Path::new("/var/lib/drover/postgres/socket")));
        assert!(!fits(&PathBuf::from(format!("/{}", "x".repeat(90)))));
    }
}
