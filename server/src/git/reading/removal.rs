//! Deletes a tree that steps wrote: however deep it is, whatever they may not read any more, and
//! never through a link.

use rustix::{
    fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, chmodat, openat, renameat, statat, unlinkat},
    io::Errno,
};
use std::{
    io,
    os::fd::{AsRawFd, OwnedFd},
    path::Path,
};

const ALL: Mode = Mode::RWXU;
/// How often the top is looked through: once for each folder inside of a folder.
const ROUNDS_MAX: usize = 2_000_000;

/// Deletes a folder with all that is in it; none is fine.
pub(in crate::git) fn remove_tree(dir: &Path) -> io::Result<()> {
    let root = match open(CWD, dir.as_os_str().as_encoded_bytes()) {
        Ok(root) => root,
        Err(Errno::NOENT) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let mut moved = 0_u64;
    for _ in 0..ROUNDS_MAX {
        let names = names(&root)?;
        if names.is_empty() {
            break;
        }
        for name in names {
            empty(&root, &name, &mut moved)?;
        }
    }
    unlinkat(CWD, dir, AtFlags::REMOVEDIR).map_err(io::Error::from)
}

/// Deletes what lies at a name in the top. Folders in a folder are put beside it first: so
/// nothing here goes deeper than that, and each folder is moved at most once.
fn empty(root: &OwnedFd, name: &[u8], moved: &mut u64) -> rustix::io::Result<()> {
    if !is_folder(root, name)? {
        return unlinkat(root, name, AtFlags::empty());
    }
    let folder = open(root, name)?;
    for child in names(&folder)? {
        if !is_folder(&folder, &child)? {
            unlinkat(&folder, &child, AtFlags::empty())?;
            continue;
        }
        // A folder that nobody may write cannot be moved.
        drop(open(&folder, &child)?);
        loop {
            *moved += 1;
            match renameat(&folder, &child, root, format!("removed-{moved}")) {
                // A name that a step took.
                Err(Errno::NOTDIR | Errno::NOTEMPTY | Errno::EXIST) => {}
                done => break done?,
            }
        }
    }
    unlinkat(root, name, AtFlags::REMOVEDIR)
}

fn is_folder(folder: &OwnedFd, name: &[u8]) -> rustix::io::Result<bool> {
    let stat = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}

/// Opens a folder, after giving us back the permissions on it.
fn open(parent: impl std::os::fd::AsFd, name: &[u8]) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let path = openat(parent, name, flags | OFlags::PATH, Mode::empty())?;
    // The name of an open file is followed to that very file, whatever its path is now.
    let itself = format!("/proc/self/fd/{}", path.as_raw_fd());
    match chmodat(CWD, itself, ALL, AtFlags::empty()) {
        // Where it is somebody else's or `/proc` is not there, the next call tells.
        Ok(()) | Err(_) => {}
    }
    openat(path, ".", flags | OFlags::RDONLY, Mode::empty())
}

fn names(folder: &OwnedFd) -> rustix::io::Result<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if !matches!(name, b"." | b"..") {
            names.push(name.to_vec());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::remove_tree;
    use std::{fs, os::unix::fs::symlink, process::Command};

    #[test]
    fn trees_of_every_kind_go_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("kept"), "x").unwrap();
        let tree = dir.path().join("tree");
        fs::create_dir(&tree).unwrap();
        symlink("../..", tree.join("link")).unwrap();
        let script = "mkdir -p a/b/c removed-1/x removed-2; touch a/b/c/d removed-1/x/y removed-3
                      mkfifo a/pipe; chmod 0 a/b/c; chmod 500 a/b removed-1
                      i=0; while [ $i -lt 1500 ]; do mkdir d; cd d; i=$((i+1)); done; touch f";
        let made = Command::new("sh").args(["-euc", script]).current_dir(&tree).status().unwrap();
        assert!(made.success());
        remove_tree(&tree).unwrap();
        remove_tree(&tree).unwrap();
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|it| it.unwrap().path()).collect();
        assert_eq!(left, [dir.path().join("kept")]);
    }
}
