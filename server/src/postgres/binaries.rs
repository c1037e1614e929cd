//! Where the binaries of PostgreSQL are.

use super::PostgresError;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Where Debian puts one folder per major version.
const DEBIAN_ROOT: &str = "/usr/lib/postgresql";
/// Where people add one by hand.
const SEARCHED: &str = "$PG_BIN_DIR, /usr/lib/postgresql/*/bin or $PATH";

/// A folder with `initdb` and `postgres` of one major version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Binaries {
    dir: PathBuf,
    version: u32,
}

impl Binaries {
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

/// Finds binaries, the newest first; of the version that made the cluster when there is one.
pub(super) fn find(
    bin_dir: Option<&Path>,
    cluster: Option<(u32, PathBuf)>,
) -> Result<Binaries, PostgresError> {
    let found: Vec<Binaries> = folders(bin_dir).into_iter().filter_map(inspect).collect();
    if found.is_empty() {
        return Err(PostgresError::NotInstalled { searched: SEARCHED.to_owned() });
    }
    let Some((version, dir)) = cluster else {
        return newest(found, bin_dir);
    };
    let installed = found.iter().map(|it| it.version.to_string()).collect::<Vec<_>>().join(", ");
    found.into_iter().find(|it| it.version == version).ok_or(PostgresError::Version {
        dir,
        cluster: version,
        installed,
    })
}

/// The folder that was asked for by name, otherwise the newest version.
fn newest(found: Vec<Binaries>, bin_dir: Option<&Path>) -> Result<Binaries, PostgresError> {
    let named = found.iter().find(|it| Some(it.dir.as_path()) == bin_dir).cloned();
    named
        // Of several with the newest version, the first that was searched.
        .or_else(|| found.into_iter().rev().max_by_key(|it| it.version))
        .ok_or(PostgresError::NotInstalled { searched: SEARCHED.to_owned() })
}

fn folders(bin_dir: Option<&Path>) -> Vec<PathBuf> {
    let debian = fs::read_dir(DEBIAN_ROOT).into_iter().flatten().flatten();
    let path = std::env::var_os("PATH").unwrap_or_default();
    bin_dir
        .map(Path::to_owned)
        .into_iter()
        .chain(debian.map(|entry| entry.path().join("bin")))
        .chain(std::env::split_paths(&path))
        .collect()
}

/// Reads the version of a folder that has the binaries.
fn inspect(dir: PathBuf) -> Option<Binaries> {
    if !dir.join("initdb").is_file() {
        return None;
    }
    let output = Command::new(dir.join("postgres")).arg("--version").output().ok()?;
    let version = parse_version(&String::from_utf8_lossy(&output.stdout))?;
    Some(Binaries { dir, version })
}

/// The major version in `postgres (PostgreSQL) 15.18 (Debian …)`.
fn parse_version(text: &str) -> Option<u32> {
    let version = text.split_once("(PostgreSQL) ")?.1;
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_postgres_says() {
        for (text, version) in [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Some(15)),
            ("postgres (PostgreSQL) 17beta2\n", Some(17)),
            ("something else", None),
        ] {
            assert_eq!(parse_version(text), version, "{text:?}");
        }
    }
}
