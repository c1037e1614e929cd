//! Compares a tree with its base, by names and times: which contents have to be read?

use super::{
    Budget, Places,
    fault::TreeFault,
    folder::{self, Kind, Root},
    index::{Entry, Index, Stamp},
    join,
    rules::{FileRules, IsFolder, Rules},
    shown, submodule,
};
use crate::git::{
    error::GitError,
    patch::{DiffError, FileMode},
    path::RepoPath,
};

/// The index of a repository, in bytes.
const INDEX_BYTES_MAX: u64 = 256 << 20;
/// The names of files that are left out, as far as the log tells them.
const NAMES_MAX: usize = 5;

/// What a walk found.
pub(in crate::git) struct Found {
    pub(super) base: Index,
    /// What may differ from the base.
    pub(super) candidates: Vec<Candidate>,
    /// What is gone, as places in the base.
    pub(super) gone: Vec<usize>,
    /// Submodules that steps gave another path.
    pub(super) submodules: Vec<Entry>,
    /// What people shall know, a line each.
    pub(in crate::git) notes: Vec<String>,
}

pub(super) struct Candidate {
    pub(super) path: Vec<u8>,
    pub(super) mode: FileMode,
    /// Its place in the base, unless it is new.
    pub(super) base: Option<usize>,
    pub(super) rules: FileRules,
}

/// Walks through the tree that steps left.
pub(in crate::git) fn walk(places: Places<'_>, budget: &Budget) -> Result<Found, GitError> {
    let root = Root::open(places.tree)?;
    let (base, written) = base(places)?;
    let mut notes = Vec::new();
    let of_steps = index_of_steps(&root).unwrap_or_else(|reason| {
        notes.push(format!(
            "the index that the steps left could not be read: {reason}; what `git add -f` put \
             there and `.gitignore` names is left out"
        ));
        None
    });
    let mut walk = Walk {
        root: &root,
        budget,
        seen: vec![false; base.entries().len()],
        base: &base,
        written,
        of_steps: of_steps.as_ref(),
        rules: Rules::new(budget.limits.rules_bytes_max)?,
        entries: 0,
        candidates: Vec::new(),
        submodules: Vec::new(),
        ignored: LeftOut::default(),
        odd: LeftOut::default(),
        in_submodules: LeftOut::default(),
    };
    let mut waiting = vec![Visit { path: Vec::new(), depth: 0, ignored: false }];
    while let Some(visit) = waiting.pop() {
        walk.folder(&visit, &mut waiting)?;
    }
    let Walk { seen, candidates, submodules, ignored, odd, in_submodules, .. } = walk;
    notes.extend(ignored.note("that `.gitignore` names; `git add -f` keeps one"));
    notes.extend(odd.note("that are neither files, folders nor links"));
    notes.extend(in_submodules.note("in submodules"));
    let gone = (0..seen.len()).filter(|&at| !seen[at]).collect();
    Ok(Found { base, candidates, gone, submodules, notes })
}

/// The base commit, and when it had been written out.
pub(super) fn base(places: Places<'_>) -> Result<(Index, Stamp), GitError> {
    let fail = || GitError::disk("the index of a working copy is gone");
    let stat = rustix::fs::stat(places.index).map_err(|error| fail()(error.into()))?;
    let bytes = std::fs::read(places.index).map_err(fail())?;
    let index = Index::parse(&bytes).map_err(|fault| GitError::Answer {
        command: "read-tree",
        answer: format!("an index that is not understood: {fault}"),
    })?;
    Ok((index, Stamp::of(&stat)))
}

/// What steps put into the index of their own repository; `None` when they have none.
fn index_of_steps(root: &Root) -> Result<Option<Index>, String> {
    let top = root.folder(b"").map_err(|error| error.to_string())?;
    if top.kind(b".git").map_err(|error| error.to_string())? != Some(Kind::Folder) {
        return Ok(None);
    }
    let read = || {
        let folder = root.folder(b".git")?;
        match folder.kind(b"index")? {
            None => Ok(None),
            Some(_) => folder.file(b"index", INDEX_BYTES_MAX).map(Some),
        }
    };
    let bytes = read().map_err(|error: GitError| error.to_string())?;
    bytes.map(|bytes| Index::parse(&bytes)).transpose().map_err(|fault| fault.to_string())
}

struct Walk<'a> {
    root: &'a Root,
    budget: &'a Budget,
    base: &'a Index,
    /// When the base had been written out.
    written: Stamp,
    of_steps: Option<&'a Index>,
    rules: Rules,
    entries: u64,
    /// Which entries of the base are still there.
    seen: Vec<bool>,
    candidates: Vec<Candidate>,
    submodules: Vec<Entry>,
    ignored: LeftOut,
    odd: LeftOut,
    in_submodules: LeftOut,
}

/// A folder that is to be looked at.
struct Visit {
    path: Vec<u8>,
    depth: usize,
    /// Whether only what git knows counts.
    ignored: bool,
}

impl Walk<'_> {
    fn folder(&mut self, visit: &Visit, waiting: &mut Vec<Visit>) -> Result<(), GitError> {
        self.budget.check_time()?;
        let limits = &self.budget.limits;
        if visit.depth > limits.depth_max {
            let path = shown(&visit.path);
            return Err(TreeFault::TooDeep { path, max: limits.depth_max }.into());
        }
        let folder = self.root.folder(&visit.path)?;
        self.rules.enter(visit.depth, &folder)?;
        let names = folder.names(limits.entries_max)?;
        self.entries += u64::try_from(names.len()).unwrap_or(u64::MAX);
        if self.entries > limits.entries_max {
            return Err(TreeFault::TooManyEntries { max: limits.entries_max }.into());
        }
        let mut folders = Vec::new();
        for name in names {
            let path = join(&visit.path, &name);
            if name == b".git" {
                self.repository(visit)?;
                continue;
            }
            let stat = folder.stat(&name)?;
            match folder::kind(&stat) {
                Kind::Folder => folders.extend(self.subfolder(path, visit)?),
                Kind::File { executable: true } => {
                    self.file(path, FileMode::Executable, Stamp::of(&stat), visit)?;
                }
                Kind::File { executable: false } => {
                    self.file(path, FileMode::Regular, Stamp::of(&stat), visit)?;
                }
                Kind::Link => self.file(path, FileMode::Symlink, Stamp::of(&stat), visit)?,
                Kind::Other => self.other(&path)?,
            }
        }
        // Each folder with all that lies below it before the next one, for the rules.
        waiting.extend(folders.into_iter().rev());
        Ok(())
    }

    /// The repository at the top is the one that steps were given; there is no other.
    fn repository(&self, visit: &Visit) -> Result<(), TreeFault> {
        if visit.path.is_empty() || visit.ignored {
            return Ok(());
        }
        Err(TreeFault::Repository { path: shown(&visit.path) })
    }

    fn subfolder(&mut self, path: Vec<u8>, parent: &Visit) -> Result<Option<Visit>, GitError> {
        if let Some(entry) = self.submodule_at(&path) {
            return self.submodule(path, entry, parent);
        }
        let ignored = parent.ignored || self.rules.ignores(&path, IsFolder::Yes);
        let is_known = |index: &Index| index.has_below(&path);
        if ignored && !is_known(self.base) && !self.of_steps.is_some_and(is_known) {
            self.ignored.add([&path[..], b"/"].concat());
            return Ok(None);
        }
        Ok(Some(Visit { path, depth: parent.depth + 1, ignored }))
    }

    /// The submodule that belongs into a folder: one of the base, or one of those that steps gave
    /// another path.
    fn submodule_at(&self, path: &[u8]) -> Option<Entry> {
        let submodule = |index: &Index| {
            let entry = index.find(path).and_then(|at| index.entries().get(at));
            entry.filter(|entry| entry.mode == FileMode::Submodule).cloned()
        };
        submodule(self.base).or_else(|| {
            let moved = self.of_steps.and_then(submodule)?;
            let is_old = |old: &Entry| old.mode == FileMode::Submodule && old.id == moved.id;
            self.base.entries().iter().any(is_old).then_some(moved)
        })
    }

    fn submodule(
        &mut self,
        path: Vec<u8>,
        entry: Entry,
        parent: &Visit,
    ) -> Result<Option<Visit>, GitError> {
        let folder = self.root.folder(&path)?;
        let names = folder.names(self.budget.limits.entries_max)?;
        if names.iter().any(|name| name == b".git") {
            if submodule::head(self.root, &path, &folder) != Some(entry.id) {
                return Err(TreeFault::Submodule { path: shown(&path) }.into());
            }
        } else if !names.is_empty() {
            let is_theirs = self.of_steps.is_some_and(|index| index.find(&path).is_none());
            if is_theirs {
                // Steps took the submodule out of their index and left files in its place.
                return Ok(Some(Visit { path, depth: parent.depth + 1, ignored: parent.ignored }));
            }
            self.in_submodules.add([&path[..], b"/"].concat());
        }
        match self.base.find(&path) {
            Some(at) => self.seen[at] = true,
            None => self.submodules.push(entry),
        }
        Ok(None)
    }

    fn file(
        &mut self,
        path: Vec<u8>,
        mode: FileMode,
        stamp: Stamp,
        parent: &Visit,
    ) -> Result<(), GitError> {
        let old = self.base.find(&path);
        if let Some(at) = old
            && let entry = &self.base.entries()[at]
            && entry.mode != FileMode::Submodule
        {
            self.seen[at] = true;
            let untouched =
                entry.mode == mode && entry.stamp == stamp && stamp.is_before(self.written);
            if !untouched {
                self.budget.check_time()?;
                let rules = self.rules.of_file(&path);
                self.candidates.push(Candidate { path, mode, base: old, rules });
            }
            return Ok(());
        }
        let forced = self.of_steps.is_some_and(|index| index.find(&path).is_some());
        if !forced && (parent.ignored || self.rules.ignores(&path, IsFolder::No)) {
            self.ignored.add(path);
            return Ok(());
        }
        self.budget.check_time()?;
        let known = RepoPath::parse_known(&path);
        let new = known.and_then(|path| path.check_new(|part| self.has_part(part)));
        new.map_err(|fault| DiffError::Path { path: shown(&path), fault })?;
        let rules = self.rules.of_file(&path);
        self.candidates.push(Candidate { path, mode, base: None, rules });
        Ok(())
    }

    /// Whether a part of a path is one that the base knows, odd or not.
    fn has_part(&self, part: &[u8]) -> bool {
        let is_part = |path: &[u8]| path.split(|&byte| byte == b'/').any(|it| it == part);
        self.base.entries().iter().any(|entry| is_part(&entry.path))
    }

    fn other(&mut self, path: &[u8]) -> Result<(), TreeFault> {
        if self.base.find(path).is_some() {
            return Err(TreeFault::Kind { path: shown(path) });
        }
        self.odd.add(path.to_vec());
        Ok(())
    }
}

/// What does not become part of the diff, counted.
#[derive(Default)]
struct LeftOut {
    count: u64,
    names: Vec<String>,
}

impl LeftOut {
    fn add(&mut self, path: Vec<u8>) {
        self.count += 1;
        if self.names.len() < NAMES_MAX {
            self.names.push(format!("`{}`", shown(&path)));
        }
    }

    fn note(&self, what: &str) -> Option<String> {
        let Self { count, names } = self;
        let more = count - u64::try_from(names.len()).unwrap_or_default();
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let entries = if *count == 1 { "entry" } else { "entries" };
        let named = names.join(", ");
        (*count > 0).then(|| format!("left out {count} {entries} {what}: {named}{more}"))
    }
}
