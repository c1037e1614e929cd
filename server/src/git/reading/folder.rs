//! Opens files and folders below a tree that steps wrote, never through a link.
//!
//! Every part of a path is opened from the folder that it lies in, and a link in its place is an
//! error. So nothing outside is read, also when a process that a step left behind swaps folders
//! for links meanwhile.

use super::{fault::TreeFault, join, shown};
use crate::git::error::GitError;
use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fstat, openat, readlinkat, statat},
    io::Errno,
};
use std::{
    fs::File,
    io::{Read, Write},
    os::fd::OwnedFd,
    path::Path,
};

const FOLDER: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// A pipe in the place of a file must not be waited for.
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// The folder at the top.
pub(super) struct Root(OwnedFd);

/// A folder below it, or the top itself.
pub(super) struct Folder {
    fd: OwnedFd,
    path: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    File {
        executable: bool,
    },
    Link,
    /// A pipe, a socket or a device.
    Other,
}

impl Root {
    pub(super) fn open(path: &Path) -> Result<Self, GitError> {
        let fd = rustix::fs::open(path, FOLDER, Mode::empty());
        fd.map(Self).map_err(|error| failed(b"", error))
    }

    pub(super) fn folder(&self, path: &[u8]) -> Result<Folder, GitError> {
        let open = |fd: &OwnedFd, name: &[u8]| {
            openat(fd, name, FOLDER, Mode::empty()).map_err(|error| failed(path, error))
        };
        let mut fd = open(&self.0, b".")?;
        for part in path.split(|&byte| byte == b'/').filter(|part| !part.is_empty()) {
            fd = open(&fd, part)?;
        }
        Ok(Folder { fd, path: path.to_vec() })
    }
}

impl Folder {
    /// From the root of the tree.
    pub(super) fn path(&self) -> &[u8] {
        &self.path
    }

    /// The names in it, in order.
    pub(super) fn names(&self, max: u64) -> Result<Vec<Vec<u8>>, GitError> {
        let fail = |error| failed(&self.path, error);
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.fd).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            if u64::try_from(names.len()).is_ok_and(|count| count == max) {
                return Err(TreeFault::TooManyEntries { max }.into());
            }
            names.push(name.to_vec());
        }
        names.sort_unstable();
        Ok(names)
    }

    pub(super) fn stat(&self, name: &[u8]) -> Result<Stat, GitError> {
        statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|error| failed(&join(&self.path, name), error))
    }

    /// What a name is; `None` when there is nothing.
    pub(super) fn kind(&self, name: &[u8]) -> Result<Option<Kind>, GitError> {
        match statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(kind(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(failed(&join(&self.path, name), error)),
        }
    }

    /// The text of a link.
    pub(super) fn link(&self, name: &[u8]) -> Result<Vec<u8>, GitError> {
        readlinkat(&self.fd, name, Vec::new())
            .map(std::ffi::CString::into_bytes)
            .map_err(|error| failed(&join(&self.path, name), error))
    }

    /// The bytes of a file of at most `max`.
    pub(super) fn file(&self, name: &[u8], max: u64) -> Result<Vec<u8>, GitError> {
        let path = join(&self.path, name);
        let fail = |error| failed(&path, error);
        let fd = openat(&self.fd, name, FILE, Mode::empty()).map_err(fail)?;
        let stat = fstat(&fd).map_err(fail)?;
        if !matches!(kind(&stat), Kind::File { .. }) {
            return Err(TreeFault::Moving { path: shown(&path) }.into());
        }
        // Holes count, and before the first byte is read.
        let too_large = |bytes| TreeFault::FileTooLarge { path: shown(&path), bytes, max };
        let bytes = size(&stat);
        if bytes > max {
            return Err(too_large(bytes).into());
        }
        let mut content = Vec::new();
        let read = File::from(fd).take(max.saturating_add(1)).read_to_end(&mut content);
        let read = read.map_err(GitError::disk(format!("`{}` could not be read", shown(&path))))?;
        let read = u64::try_from(read).unwrap_or(u64::MAX);
        if read > max { Err(too_large(read).into()) } else { Ok(content) }
    }

    /// Writes other bytes into a file.
    pub(super) fn replace(&self, name: &[u8], content: &[u8]) -> Result<(), GitError> {
        let path = join(&self.path, name);
        let flags = OFlags::WRONLY | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = openat(&self.fd, name, flags, Mode::empty());
        let mut file = File::from(fd.map_err(|error| failed(&path, error))?);
        let fail = GitError::disk(format!("`{}` could not be written", shown(&path)));
        file.write_all(content).map_err(fail)
    }
}

pub(super) fn kind(stat: &Stat) -> Kind {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => Kind::Folder,
        FileType::RegularFile => Kind::File { executable: stat.st_mode & 0o100 != 0 },
        FileType::Symlink => Kind::Link,
        FileType::Fifo
        | FileType::Socket
        | FileType::CharacterDevice
        | FileType::BlockDevice
        | FileType::Unknown => Kind::Other,
    }
}

/// The size that a file says it has.
pub(super) fn size(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(u64::MAX)
}

fn failed(path: &[u8], error: Errno) -> GitError {
    let path = shown(path);
    match error {
        Errno::ACCESS | Errno::PERM => TreeFault::Locked { path }.into(),
        // A link where a folder or a file was, or nothing at all.
        Errno::LOOP | Errno::NOTDIR | Errno::NOENT | Errno::NXIO => {
            TreeFault::Moving { path }.into()
        }
        error => GitError::disk(format!("`{path}` could not be read"))(error.into()),
    }
}
