//! Gives the files of a fresh checkout the line ends and encodings of their tree.
//!
//! Git could do it while it writes them, with the tables of the system's library for names of
//! encodings that a repository chooses. It writes the bytes of the commit instead, and the few
//! files that need more get it here, before the first step.

use super::{
    Budget, Places,
    folder::{Folder, Root},
    objects::{self, Id},
    rules::Rules,
    walk,
};
use crate::git::{error::GitError, patch::FileMode};
use std::collections::BTreeMap;

/// The files that a checkout holds in another form than their commit.
#[derive(Default)]
pub(in crate::git) struct Dressed {
    /// What names the bytes that they have now.
    pub(super) ids: BTreeMap<Vec<u8>, Id>,
    /// Their entries for `git update-index -z --index-info`, which forgets sizes and times with
    /// that: git would take a file of another size for a changed one without a look at it.
    pub(in crate::git) entries: Vec<u8>,
}

pub(in crate::git) fn dress(places: Places<'_>, budget: &Budget) -> Result<Dressed, GitError> {
    let mut dressed = Dressed::default();
    let (base, _) = walk::base(places)?;
    let is_rules = |path: &[u8]| path.ends_with(b".gitattributes");
    if !base.entries().iter().any(|entry| is_rules(&entry.path)) {
        return Ok(dressed);
    }
    let root = Root::open(places.tree)?;
    let limits = &budget.limits;
    let mut rules = Rules::new(limits.rules_bytes_max)?;
    let mut folder = root.folder(b"")?;
    rules.enter(0, &folder)?;
    for entry in base.entries() {
        let is_file = matches!(entry.mode, FileMode::Regular | FileMode::Executable);
        if !is_file || u64::from(entry.stamp.size()) > limits.file_bytes_max {
            continue;
        }
        let (parent, name) = super::split(&entry.path);
        if folder.path() != parent {
            budget.check_time()?;
            folder = go_to(&root, &folder, parent, &mut rules)?;
        }
        let Ok(conversion) = rules.of_file(&entry.path).conversion else { continue };
        if !conversion.changes_the_tree() {
            continue;
        }
        let content = folder.file(name, limits.file_bytes_max)?;
        // What cannot be written in its encoding stays as it is, as with git.
        if let Ok(Some(content)) = conversion.to_tree(&content) {
            folder.replace(name, &content)?;
            dressed.ids.insert(entry.path.clone(), objects::id_of(&content));
            dressed.entries.extend(entry.line());
        }
    }
    Ok(dressed)
}

/// Enters the folders that lead to another one. The entries of a folder stand together, so each
/// is entered once.
fn go_to(root: &Root, from: &Folder, to: &[u8], rules: &mut Rules) -> Result<Folder, GitError> {
    let parts = |path: &[u8]| {
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        let last = (!path.is_empty()).then_some(path.len());
        ends.chain(last).collect::<Vec<_>>()
    };
    let shared = parts(from.path())
        .into_iter()
        .zip(parts(to))
        .take_while(|(old, new)| from.path()[..*old] == to[..*new])
        .count();
    rules.leave(shared + 1);
    let mut folder = root.folder(to)?;
    for (depth, end) in (1..).zip(parts(to)).skip(shared) {
        folder = root.folder(&to[..end])?;
        rules.enter(depth, &folder)?;
    }
    Ok(folder)
}
