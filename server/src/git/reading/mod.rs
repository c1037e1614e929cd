//! Reads what steps left in a working copy, without letting any of it decide what is run.
//!
//! - [`folder`]: opens files and folders below the tree, never through a link
//! - [`index`]: reads the file `index` of a repository, ours or the one of the steps
//! - [`rules`]: `.gitignore` and `.gitattributes`, read from the tree
//! - [`convert`], [`encoding`]: line ends and encodings, as `.gitattributes` ask for them
//! - [`mod@dress`]: gives a fresh checkout its line ends and encodings
//! - [`mod@walk`]: compares the tree with its base, by names and times, inside limits
//! - [`mod@absorb`]: reads the contents of what changed and keeps them as objects of ours
//! - [`submodule`]: tells whether a submodule was moved
//! - [`removal`]: deletes it all in the end
//! - [`fault`]: why a tree is refused
//!
//! The git program never gets this tree as its work tree, nor a repository that lies in it: with
//! a repository inside the tree, git itself starts programs that the configuration over there
//! names (`filter.<name>.clean` is one, and the name is anybody's choice). So everything is read
//! here: a file is bytes, a link is its text, and whatever lies in `.git` is data of strangers.
//! Not chosen: running `git add` inside of the sandbox, for its objects would have to be trusted
//! or checked, and its index read all the same.

mod absorb;
mod convert;
mod dress;
mod encoding;
pub mod fault;
mod folder;
pub(super) mod index;
mod objects;
mod removal;
mod rules;
mod submodule;
mod walk;

pub(super) use absorb::{Absorbed, Bases, absorb};
pub(super) use dress::{Dressed, dress};
pub(super) use objects::Id;
pub(super) use removal::remove_tree;
pub(super) use walk::{Found, walk};

use fault::TreeFault;
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// What the reading of one tree may cost the server.
#[derive(Clone, Copy, Debug)]
pub struct ReadLimits {
    /// Files, folders and links that are looked at.
    pub entries_max: u64,
    /// Folders inside of folders.
    pub depth_max: usize,
    /// The size of a changed file as the file system tells it, holes included.
    pub file_bytes_max: u64,
    /// All changed files together.
    pub bytes_max: u64,
    /// All files of rules, such as `.gitignore`, together.
    pub rules_bytes_max: u64,
    pub time_max: Duration,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self {
            entries_max: 2_000_000,
            depth_max: 200,
            // What GitHub takes.
            file_bytes_max: 100 << 20,
            bytes_max: 1 << 30,
            rules_bytes_max: 4 << 20,
            time_max: Duration::from_mins(5),
        }
    }
}

/// The limits of a reading that has begun.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    limits: ReadLimits,
    end: Instant,
}

impl Budget {
    pub(super) fn new(limits: ReadLimits) -> Self {
        Self { limits, end: Instant::now() + limits.time_max }
    }

    fn check_time(&self) -> Result<(), TreeFault> {
        if Instant::now() < self.end {
            return Ok(());
        }
        Err(TreeFault::TooSlow { after: self.limits.time_max })
    }
}

/// Where a reading takes place.
#[derive(Clone, Copy)]
pub(super) struct Places<'a> {
    /// What steps wrote.
    pub(super) tree: &'a Path,
    /// The index of the base commit, which steps never see.
    pub(super) index: &'a Path,
    /// Where contents are kept.
    pub(super) objects: &'a Path,
}

/// A path for people: no control character, whatever a step named its file.
fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).escape_debug().to_string()
}

/// The folder of a path, and its name there.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (&[], path),
    }
}

/// Puts a name into a folder; the root has the empty path.
fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    if folder.is_empty() { name.to_vec() } else { [folder, b"/", name].concat() }
}
