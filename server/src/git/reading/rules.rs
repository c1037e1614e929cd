//! `.gitignore`, as the folders of the tree hold it.

use super::{ReadLimits, folder::Folder, join};
use crate::git::error::GitError;
use gix_ignore::{Search, glob::pattern::Case, search::Ignore};
use std::{ffi::OsStr, os::unix::ffi::OsStrExt, path::Path};

/// Where patterns believe that the tree lies.
const ROOT: &str = "/tree";

/// The rules of a folder and of those that it lies in.
#[derive(Default)]
pub(super) struct Rules {
    ignored: Search,
    /// The depth of each folder that brought patterns.
    depths: Vec<usize>,
}

impl Rules {
    /// Goes to a folder at a depth: what folders beside it say does not hold for it.
    pub(super) fn enter(
        &mut self,
        path: &[u8],
        depth: usize,
        folder: &Folder,
        limits: &ReadLimits,
    ) -> Result<(), GitError> {
        while self.depths.last().is_some_and(|&last| last >= depth) {
            self.depths.pop();
            self.ignored.patterns.pop();
        }
        let Some(bytes) = folder.rules(b".gitignore", limits)? else { return Ok(()) };
        let source = Path::new(ROOT).join(OsStr::from_bytes(&join(path, b".gitignore")));
        self.ignored
            .add_patterns_buffer(&bytes, source, Some(Path::new(ROOT)), Ignore::default())
            .map_err(GitError::disk("a `.gitignore` could not be read"))?;
        self.depths.push(depth);
        Ok(())
    }

    /// Whether the last pattern that matches a path ignores it. What lies in an ignored folder is
    /// ignored too, which is for the caller to know.
    pub(super) fn ignores(&self, path: &[u8], is_folder: IsFolder) -> bool {
        let is_folder = Some(is_folder == IsFolder::Yes);
        let found =
            self.ignored.pattern_matching_relative_path(path.into(), is_folder, Case::Sensitive);
        found.is_some_and(|found| !found.pattern.is_negative())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IsFolder {
    Yes,
    No,
}
