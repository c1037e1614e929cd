//! Reads the contents of what may have changed, and keeps what has.

use super::{
    Budget, Found, Places,
    fault::TreeFault,
    folder::{Folder, Root},
    index::Entry,
    objects::{self, Id},
    walk::Candidate,
};
use crate::git::{
    error::GitError,
    patch::{DIFF_FILES_MAX, DiffError, FileMode},
};

/// How a tree differs from its base.
pub(in crate::git) struct Absorbed {
    /// What `git update-index -z --index-info` reads; empty when nothing changed.
    pub(in crate::git) changes: Vec<u8>,
    /// What people shall know, a line each.
    pub(in crate::git) notes: Vec<String>,
}

/// Reads the contents that a walk found to be in question.
pub(in crate::git) fn absorb(
    places: Places<'_>,
    found: Found,
    budget: &Budget,
) -> Result<Absorbed, GitError> {
    let Found { base, candidates, gone, submodules, notes } = found;
    let mut changes = Changes::default();
    // First what goes, so that a file makes room for a folder of its name.
    for entry in gone.iter().filter_map(|&at| base.entries().get(at)) {
        changes.remove(&entry.path)?;
    }
    let mut reader = Reader { root: Root::open(places.tree)?, last: None, budget, bytes: 0 };
    for candidate in &candidates {
        let content = reader.read(candidate)?;
        let id = objects::id_of(&content);
        let old = candidate.base.and_then(|at| base.entries().get(at));
        if old.is_none_or(|old| old.id != id) {
            objects::keep(places.objects, &id, &content)
                .map_err(GitError::disk("a changed file could not be kept"))?;
        }
        if old.is_none_or(|old| old.id != id || old.mode != candidate.mode) {
            changes.put(&candidate.path, candidate.mode, &id)?;
        }
    }
    for Entry { path, mode, id, .. } in &submodules {
        changes.put(path, *mode, id)?;
    }
    Ok(Absorbed { changes: changes.lines, notes })
}

struct Reader<'a> {
    root: Root,
    /// Candidates come folder by folder.
    last: Option<Folder>,
    budget: &'a Budget,
    bytes: u64,
}

impl Reader<'_> {
    fn read(&mut self, candidate: &Candidate) -> Result<Vec<u8>, GitError> {
        self.budget.check_time()?;
        let limits = &self.budget.limits;
        let slash = candidate.path.iter().rposition(|&byte| byte == b'/');
        let (parent, name) = match slash {
            Some(at) => (&candidate.path[..at], &candidate.path[at + 1..]),
            None => (&[][..], &candidate.path[..]),
        };
        let folder = match self.last.take() {
            Some(last) if last.path() == parent => last,
            _ => self.root.folder(parent)?,
        };
        let folder = self.last.insert(folder);
        let content = match candidate.mode {
            FileMode::Symlink => folder.link(name)?,
            FileMode::Regular | FileMode::Executable | FileMode::Submodule => {
                folder.file(name, limits.file_bytes_max)?
            }
        };
        self.bytes = self.bytes.saturating_add(u64::try_from(content.len()).unwrap_or(u64::MAX));
        if self.bytes > limits.bytes_max {
            return Err(TreeFault::TooLarge { max: limits.bytes_max }.into());
        }
        Ok(content)
    }
}

/// The lines `<mode> <object>TAB<path>NUL`.
#[derive(Default)]
struct Changes {
    lines: Vec<u8>,
    count: usize,
}

impl Changes {
    fn put(&mut self, path: &[u8], mode: FileMode, id: &Id) -> Result<(), DiffError> {
        self.line(mode.as_str(), id, path)
    }

    fn remove(&mut self, path: &[u8]) -> Result<(), DiffError> {
        self.line("0", &[0; 20], path)
    }

    fn line(&mut self, mode: &str, id: &Id, path: &[u8]) -> Result<(), DiffError> {
        if self.count == DIFF_FILES_MAX {
            return Err(DiffError::TooManyFiles { max: DIFF_FILES_MAX });
        }
        self.count += 1;
        self.lines.extend(format!("{mode} {}\t", hex::encode(id)).as_bytes());
        self.lines.extend(path);
        self.lines.push(0);
        Ok(())
    }
}
