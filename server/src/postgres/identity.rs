//! As whom the private PostgreSQL runs.
//!
//! It refuses to be root. For root it runs as `postgres` or `nobody`, and its directory belongs
//! to that user. Where a folder above is closed to that user, such as `/root`, it gets the one
//! capability that lets it pass.

use super::{PostgresError, absolute};
use std::{
    fs,
    os::unix::{
        fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
};

const PASSWD: &str = "/etc/passwd";
/// Who the server becomes when we are root, the first that exists.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];
const SETPRIV: [&str; 2] = ["/usr/bin/setpriv", "/bin/setpriv"];

/// As whom the private PostgreSQL runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum User {
    /// As ourselves.
    Own,
    /// As somebody else, since we are root.
    Other { uid: u32, gid: u32 },
}

impl User {
    /// Ourselves, or for root the first of the users that exist for such things.
    pub(super) fn for_postgres() -> Result<Self, PostgresError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Own);
        }
        let passwd =
            fs::read_to_string(PASSWD).map_err(PostgresError::io("read", Path::new(PASSWD)))?;
        CANDIDATES
            .into_iter()
            .find_map(|name| find_user(&passwd, name))
            .ok_or(PostgresError::NoUser)
    }

    fn uid(self) -> u32 {
        match self {
            Self::Own => rustix::process::geteuid().as_raw(),
            Self::Other { uid, .. } => uid,
        }
    }

    /// Makes a directory that only this user can enter, and gives its absolute path.
    pub(super) fn make_private_dir(&self, dir: &Path) -> Result<PathBuf, PostgresError> {
        if let Some(parent) = dir.parent() {
            fs::create_dir_all(parent).map_err(PostgresError::io("make", parent))?;
        }
        match fs::DirBuilder::new().mode(0o700).create(dir) {
            Ok(()) => self.own(dir)?,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(PostgresError::io("make", dir)(error)),
        }
        let dir = absolute(dir)?;
        let owner = fs::metadata(&dir).map_err(PostgresError::io("read", &dir))?.uid();
        if owner != self.uid() {
            return Err(PostgresError::ForeignDir { dir, owner });
        }
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700))
            .map_err(PostgresError::io("close", &dir))?;
        Ok(dir)
    }

    pub(super) fn own(&self, path: &Path) -> Result<(), PostgresError> {
        match self {
            Self::Own => Ok(()),
            Self::Other { uid, gid } => {
                chown(path, Some(*uid), Some(*gid)).map_err(PostgresError::io("give away", path))
            }
        }
    }

    /// A command of this user that works in `dir` and dies with us, where `setpriv` is there.
    pub(super) fn command(&self, program: &Path, dir: &Path) -> Result<Command, PostgresError> {
        let setpriv = SETPRIV.into_iter().map(Path::new).find(|path| path.is_file());
        let mut command = match (setpriv, self) {
            (Some(setpriv), user) => user.by_setpriv(setpriv, dir),
            (None, Self::Own) => Command::new(program),
            (None, Self::Other { uid, gid }) => {
                if let Some(dir) = self.closed_parent(dir) {
                    return Err(PostgresError::ClosedParent { dir });
                }
                let mut command = Command::new(program);
                command.uid(*uid).gid(*gid);
                command
            }
        };
        if setpriv.is_some() {
            command.arg("--").arg(program);
        }
        // In a group of its own: Ctrl-C in a terminal is for us, and we stop it in our turn.
        command.process_group(0).current_dir("/").env_remove("PGDATA");
        Ok(command)
    }

    fn by_setpriv(self, setpriv: &Path, dir: &Path) -> Command {
        let mut command = Command::new(setpriv);
        // SIGINT is a fast shutdown.
        command.args(["--pdeathsig", "INT"]);
        if let Self::Other { uid, gid } = self {
            command.args([format!("--reuid={uid}"), format!("--regid={gid}")]);
            command.args(["--clear-groups", "--no-new-privs"]);
            let capabilities = match self.closed_parent(dir) {
                Some(_) => "-all,+dac_read_search",
                None => "-all",
            };
            for set in ["--inh-caps", "--ambient-caps", "--bounding-set"] {
                command.arg(format!("{set}={capabilities}"));
            }
        }
        command
    }

    /// The first folder above `dir` that the user cannot pass.
    fn closed_parent(self, dir: &Path) -> Option<PathBuf> {
        let Self::Other { uid, gid } = self else { return None };
        let passable = |path: &Path| {
            fs::metadata(path).is_ok_and(|it| {
                let mode = it.mode();
                match (it.uid() == uid, it.gid() == gid) {
                    (true, _) => mode & 0o100 != 0,
                    (false, true) => mode & 0o010 != 0,
                    (false, false) => mode & 0o001 != 0,
                }
            })
        };
        let closed = dir.ancestors().skip(1).filter(|path| path.exists()).find(|it| !passable(it));
        closed.map(Path::to_owned)
    }
}

/// Finds a user in the lines `name:x:uid:gid:…`.
fn find_user(passwd: &str, name: &str) -> Option<User> {
    let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    let (uid, gid) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(User::Other { uid, gid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_their_whole_name() {
        let passwd =
            "root:x:0:0::/root:/bin/sh\npostgres2:x:7:8::/:/bin/sh\npostgres:x:101:104::/:\n";
        assert_eq!(find_user(passwd, "postgres"), Some(User::Other { uid: 101, gid: 104 }));
        assert_eq!(find_user(passwd, "nobody"), None);
    }
}
