//! A diff as validated data.
//!
//! The stored form is the text that `git diff --binary --full-index --no-renames` writes, and
//! nothing else: it can be downloaded and applied anywhere, and there is one truth. [`Diff`] is
//! made by [`Diff::parse`] only, which refuses every form that git does not write, every path
//! that could lead out of a repository or into `.git`, every new link out of the tree and every
//! new submodule. Renames are stored as a removal and an addition, so that every byte that a
//! commit gets stands in the text that was validated. What the base holds may be changed and may
//! go, however odd; the same diff may put what it takes away to another place.

mod parse;
mod quote;
mod scan;
mod together;

use super::path::{PathFault, RepoPath};
use drover::diff::DiffStat;
use std::ops::Range;

/// The largest diff, in bytes.
pub const DIFF_BYTES_MAX: usize = 50 << 20;
/// The files of a diff, at most.
pub const DIFF_FILES_MAX: usize = 50_000;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiffError {
    #[error(
        "the diff is larger than {} MB: leave generated files out with `.gitignore`, or split \
         the campaign",
        max >> 20
    )]
    TooLarge { max: usize },
    #[error("the diff changes more than {max} files: split the campaign")]
    TooManyFiles { max: usize },
    /// The path stands escaped.
    #[error("the path `{path}` is refused: {fault}")]
    Path { path: String, fault: PathFault },
    #[error("`{path}` is a submodule: it can be removed or renamed, and nothing else")]
    Submodule { path: RepoPath },
    #[error("`{path}` has the mode {mode}: only files, executables and symlinks can be changed")]
    Mode { path: RepoPath, mode: String },
    #[error("the symlink `{path}` points out of the repository, to `{target}`")]
    Link { path: RepoPath, target: String },
    #[error("`{path}` lies below `{parent}`, which is a file or a symlink")]
    BelowFile { path: RepoPath, parent: String },
    #[error("`{path}` is changed twice")]
    Twice { path: RepoPath },
    #[error("line {line} of the diff is not what git writes: {expected} was expected")]
    Syntax { line: usize, expected: &'static str },
}

/// A diff that is safe to commit. It changes at least one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diff {
    text: Vec<u8>,
    files: Vec<FileDiff>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileDiff {
    pub path: RepoPath,
    pub change: Change,
    pub body: Body,
    /// Where a link that comes or changes points out of the repository to, escaped.
    leads_out: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Added(Blob),
    Removed(Blob),
    Modified {
        old: Blob,
        new: Blob,
    },
    /// The content stays.
    Mode {
        old: FileMode,
        new: FileMode,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    pub mode: FileMode,
    /// Its full object name, in hexadecimal.
    pub id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileMode {
    Regular,
    Executable,
    Symlink,
    /// Its content is the commit of another repository.
    Submodule,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// No content changes, or an empty file comes or goes.
    Empty,
    Text(Vec<Hunk>),
    Binary,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// Line numbers, from 1.
    pub old_start: u32,
    pub new_start: u32,
    pub added: u32,
    pub removed: u32,
    header: Range<usize>,
    lines: Range<usize>,
}

impl FileMode {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Regular => "100644",
            Self::Executable => "100755",
            Self::Symlink => "120000",
            Self::Submodule => "160000",
        }
    }
}

impl Diff {
    /// Validates a diff; `None` when it is empty.
    pub fn parse(text: Vec<u8>) -> Result<Option<Self>, DiffError> {
        if text.len() > DIFF_BYTES_MAX {
            return Err(DiffError::TooLarge { max: DIFF_BYTES_MAX });
        }
        let files = parse::files(&text)?;
        together::check(&files)?;
        Ok(if files.is_empty() { None } else { Some(Self { text, files }) })
    }

    /// The text to store; [`Diff::parse`] takes it back.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    #[must_use]
    pub fn files(&self) -> &[FileDiff] {
        &self.files
    }

    #[must_use]
    pub fn stat(&self) -> DiffStat {
        let zero = DiffStat::default();
        self.files.iter().map(FileDiff::stat).fold(zero, |sum, stat| DiffStat {
            files: sum.files + 1,
            added: sum.added.saturating_add(stat.added),
            removed: sum.removed.saturating_add(stat.removed),
        })
    }

    /// The line `@@ … @@` of a hunk of this diff.
    #[must_use]
    pub fn header(&self, hunk: &Hunk) -> &[u8] {
        &self.text[hunk.header.clone()]
    }

    /// The lines of a hunk of this diff, each with its sign and without its line break.
    pub fn lines(&self, hunk: &Hunk) -> impl Iterator<Item = &[u8]> {
        scan::lines(&self.text[hunk.lines.clone()])
    }
}

impl FileDiff {
    #[must_use]
    pub fn stat(&self) -> DiffStat {
        let hunks = match &self.body {
            Body::Text(hunks) => hunks.as_slice(),
            Body::Empty | Body::Binary => &[],
        };
        let sum = |count: fn(&Hunk) -> u32| hunks.iter().map(count).fold(0, u32::saturating_add);
        DiffStat { files: 1, added: sum(|it| it.added), removed: sum(|it| it.removed) }
    }

    fn removes(&self) -> bool {
        matches!(self.change, Change::Removed(_))
    }
}
