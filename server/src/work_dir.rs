//! Where working copies live while steps run in them: a folder for each run of a server.
//!
//! A server holds a lock on its folder for as long as it lives, so that the next start knows what
//! a server that was killed left behind, and never touches what belongs to a living one. Several
//! may share a data directory. Nobody but the server's user may enter.

use crate::git::working_copy::remove_tree;
use anyhow::Context;
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::{self, DirBuilder, File, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Held while folders are made and swept, in the folder of all.
const DOOR: &str = "door.lock";
/// Held by the server that owns a folder, in it.
const OWNER: &str = "owner.lock";
/// Only their owner may do anything with them.
const PRIVATE: u32 = 0o700;

/// The folder of this server.
pub struct WorkDir {
    dir: PathBuf,
    /// The kernel gives it back whatever ends the server.
    _owner: File,
}

impl WorkDir {
    /// Makes the folder `name` below `all`, and deletes what dead servers left there.
    pub async fn open(all: &Path, name: &str) -> anyhow::Result<Self> {
        make_private(all)?;
        let door = lock_file(all, DOOR)?;
        let held = tokio::task::spawn_blocking(move || {
            flock(&door, FlockOperation::LockExclusive).map(|()| door)
        });
        let door = held.await?.context("the folder of working copies could not be locked")?;
        sweep(all).await?;
        let dir = all.join(name);
        make_private(&dir)?;
        let owner = lock_file(&dir, OWNER)?;
        flock(&owner, FlockOperation::LockExclusive)?;
        drop(door);
        Ok(Self { dir, _owner: owner })
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.dir
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        // What cannot be deleted now is swept at the next start.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Makes a folder that only this user can enter, or closes one that is there.
pub fn make_private(dir: &Path) -> anyhow::Result<()> {
    let made = DirBuilder::new().recursive(true).mode(PRIVATE).create(dir);
    made.and_then(|()| fs::set_permissions(dir, Permissions::from_mode(PRIVATE))).with_context(
        || format!("the folder {} could not be made, or closed to other users", dir.display()),
    )
}

async fn sweep(all: &Path) -> anyhow::Result<()> {
    let mut swept = 0_u32;
    for entry in fs::read_dir(all)? {
        let entry = entry?;
        if entry.file_name() == DOOR || is_owned(&entry.path()) {
            continue;
        }
        let left = entry.path();
        let deleted = match entry.file_type()?.is_dir() {
            true => remove_tree(&left).await,
            false => fs::remove_file(&left),
        };
        match deleted {
            Ok(()) => swept += 1,
            Err(error) => {
                tracing::warn!(%error, path = %left.display(), "what a dead server left stays");
            }
        }
    }
    if swept > 0 {
        tracing::info!(swept, "what servers left that were killed was deleted");
    }
    Ok(())
}

/// Whether a living server holds the lock of a folder. When in doubt, it does.
fn is_owned(dir: &Path) -> bool {
    match File::open(dir.join(OWNER)) {
        Ok(file) => flock(&file, FlockOperation::NonBlockingLockExclusive).is_err(),
        Err(error) => {
            !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        }
    }
}

fn lock_file(dir: &Path, name: &str) -> anyhow::Result<File> {
    let path = dir.join(name);
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    file.with_context(|| format!("the lock {} could not be made", path.display()))
}
