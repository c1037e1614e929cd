//! Reads the contents of what may have changed, and keeps what has.

use super::{
    Budget, Dressed, Places,
    convert::{self, Converted, InBase},
    fault::TreeFault,
    folder::{Folder, Root},
    index::Entry,
    objects::{self, Id},
    shown, split,
    walk::{Candidate, Found},
};
use crate::git::{
    error::GitError,
    patch::{DIFF_FILES_MAX, DiffError, FileMode},
};
use std::{borrow::Cow, collections::BTreeMap};

/// The name of the filter of Git LFS.
const LFS: &str = "lfs";
/// How a file of Git LFS begins where only its pointer is there.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1\n";
/// The longest pointer, in bytes.
const POINTER_BYTES_MAX: usize = 1_024;

/// How a tree differs from its base.
pub(in crate::git) struct Absorbed {
    /// What `git update-index -z --index-info` reads; empty when nothing changed.
    pub(in crate::git) changes: Vec<u8>,
    /// The contents of the base that decide how files are converted, with their sizes. Unless
    /// there are none, the changes are not complete.
    pub(in crate::git) depends_on: BTreeMap<Id, u32>,
}

/// What is known of contents of the base.
#[derive(Default)]
pub(in crate::git) struct Bases(BTreeMap<Id, InBase>);

impl Bases {
    pub(in crate::git) fn learn(&mut self, id: Id, content: &[u8]) {
        self.0.insert(id, convert::in_base(content));
    }
}

/// Reads the contents that a walk found to be in question.
pub(in crate::git) fn absorb(
    places: Places<'_>,
    found: &Found,
    dressed: &Dressed,
    bases: &Bases,
    budget: &Budget,
) -> Result<Absorbed, GitError> {
    let Found { base, candidates, gone, submodules, notes: _ } = found;
    let mut changes = Changes::default();
    // First what goes, so that a file makes room for a folder of its name.
    for entry in gone.iter().filter_map(|&at| base.entries().get(at)) {
        changes.remove(&entry.path)?;
    }
    let mut reader = Reader { root: Root::open(places.tree)?, last: None, budget, bytes: 0 };
    let mut depends_on = BTreeMap::new();
    for candidate in candidates {
        let content = reader.read(candidate)?;
        let old = candidate.base.and_then(|at| base.entries().get(at));
        let committed = match committed(candidate, old, &content, dressed, bases)? {
            Committed::AsBefore(id) => {
                if old.is_none_or(|old| old.mode != candidate.mode) {
                    changes.put(&candidate.path, candidate.mode, &id)?;
                }
                continue;
            }
            Committed::DependsOn(Entry { id, stamp, .. }) => {
                let (bytes, max) = (u64::from(stamp.size()), budget.limits.file_bytes_max);
                if bytes > max {
                    let path = shown(&candidate.path);
                    return Err(TreeFault::FileTooLarge { path, bytes, max }.into());
                }
                depends_on.insert(*id, stamp.size());
                continue;
            }
            Committed::Content(content) => content,
        };
        let id = objects::id_of(&committed);
        if old.is_none_or(|old| old.id != id) {
            objects::keep(places.objects, &id, &committed)
                .map_err(GitError::disk("a changed file could not be kept"))?;
        }
        if old.is_none_or(|old| old.id != id || old.mode != candidate.mode) {
            changes.put(&candidate.path, candidate.mode, &id)?;
        }
    }
    for Entry { path, mode, id, .. } in submodules {
        changes.put(path, *mode, id)?;
    }
    Ok(Absorbed { changes: changes.lines, depends_on })
}

/// What of a file is committed.
enum Committed<'a> {
    /// The object that the base has, for these are the bytes that the checkout wrote.
    AsBefore(Id),
    Content(Cow<'a, [u8]>),
    /// On a content of the base that is not known yet.
    DependsOn(&'a Entry),
}

fn committed<'a>(
    candidate: &Candidate,
    old: Option<&'a Entry>,
    content: &'a [u8],
    dressed: &Dressed,
    bases: &Bases,
) -> Result<Committed<'a>, TreeFault> {
    let Candidate { path, mode, base: _, rules } = candidate;
    let is_link = match mode {
        FileMode::Symlink => true,
        FileMode::Regular | FileMode::Executable | FileMode::Submodule => false,
    };
    let id = objects::id_of(content);
    let was_file = old.filter(|old| (old.mode == FileMode::Symlink) == is_link);
    if let Some(old) = was_file
        && (old.id == id || dressed.ids.get(path) == Some(&id))
    {
        return Ok(Committed::AsBefore(old.id));
    }
    if is_link {
        return Ok(Committed::Content(content.into()));
    }
    check_filter(path, rules.filter.as_deref(), content)?;
    let encoding = |encoding: &String| TreeFault::Encoding {
        path: shown(path),
        encoding: encoding.escape_debug().to_string(),
    };
    let conversion = rules.conversion.as_ref().map_err(encoding)?;
    let in_base = match was_file {
        None => InBase::Other,
        Some(old) => bases.0.get(&old.id).copied().unwrap_or(InBase::Unknown),
    };
    match (conversion.to_commit(content, in_base), was_file) {
        (Ok(Converted::To(content)), _) => Ok(Committed::Content(content)),
        (Ok(Converted::Depends), Some(old)) => Ok(Committed::DependsOn(old)),
        // Of no base, everything is known.
        (Ok(Converted::Depends), None) => Ok(Committed::Content(content.into())),
        (Err(fault), _) => Err(TreeFault::Text { path: shown(path), fault }),
    }
}

/// No program of a filter is run here, so only what it would leave alone may pass.
fn check_filter(path: &[u8], filter: Option<&str>, content: &[u8]) -> Result<(), TreeFault> {
    let Some(filter) = filter else { return Ok(()) };
    let path = shown(path);
    if filter != LFS {
        return Err(TreeFault::Filter { path, filter: filter.escape_debug().to_string() });
    }
    let is_pointer = content.starts_with(POINTER) && content.len() <= POINTER_BYTES_MAX;
    if is_pointer || content.is_empty() { Ok(()) } else { Err(TreeFault::Lfs { path }) }
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
        let (parent, name) = split(&candidate.path);
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
