//! What one file of a diff alone cannot show.

use super::{Change, DiffError, FileDiff, FileMode};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(files: &[FileDiff]) -> Result<(), DiffError> {
    check_paths(files)?;
    let known = Known::of(files);
    for file in files {
        known.check(file)?;
    }
    Ok(())
}

/// A path that is changed twice (unless a file turns into a symlink or back, which git writes as
/// removal and addition), and a path below a file.
fn check_paths(files: &[FileDiff]) -> Result<(), DiffError> {
    let mut kept = BTreeMap::new();
    let mut removed = BTreeMap::new();
    for file in files {
        let side = if file.removes() { &mut removed } else { &mut kept };
        if side.insert(file.path.as_bytes(), file).is_some() {
            return Err(DiffError::Twice { path: file.path.clone() });
        }
    }
    for file in kept.values() {
        let is_added = matches!(file.change, Change::Added(_));
        if removed.contains_key(file.path.as_bytes()) && !is_added {
            return Err(DiffError::Twice { path: file.path.clone() });
        }
        if let Some(parent) = file.path.parents().find(|parent| kept.contains_key(parent)) {
            let parent = String::from_utf8_lossy(parent).escape_debug().to_string();
            return Err(DiffError::BelowFile { path: file.path.clone(), parent });
        }
    }
    Ok(())
}

/// What the base holds, as far as the diff tells: a commit fails where it does not.
struct Known<'a> {
    parts: BTreeSet<&'a [u8]>,
    /// The links and submodules that go, by their objects.
    gone: BTreeSet<(&'static str, &'a str)>,
}

impl<'a> Known<'a> {
    fn of(files: &'a [FileDiff]) -> Self {
        let (mut parts, mut gone) = (BTreeSet::new(), BTreeSet::new());
        for file in files {
            match &file.change {
                Change::Added(_) => continue,
                Change::Removed(old) => {
                    gone.insert((old.mode.as_str(), old.id.as_str()));
                }
                Change::Modified { .. } | Change::Mode { .. } => {}
            }
            parts.extend(file.path.parts());
        }
        Self { parts, gone }
    }

    fn check(&self, file: &FileDiff) -> Result<(), DiffError> {
        let path = || file.path.clone();
        let moved = match &file.change {
            Change::Added(new) => {
                let knows = |part: &[u8]| self.parts.contains(part);
                file.path
                    .check_new(knows)
                    .map_err(|fault| DiffError::Path { path: path().to_string(), fault })?;
                let moved = self.gone.contains(&(new.mode.as_str(), new.id.as_str()));
                if new.mode == FileMode::Submodule && !moved {
                    return Err(DiffError::Submodule { path: path() });
                }
                moved
            }
            Change::Removed(_) | Change::Modified { .. } | Change::Mode { .. } => false,
        };
        match &file.leads_out {
            Some(target) if !moved => Err(DiffError::Link { path: path(), target: target.clone() }),
            Some(_) | None => Ok(()),
        }
    }
}
