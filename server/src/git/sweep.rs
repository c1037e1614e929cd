//! Deletes what servers left in mirrors that were killed.

use super::commit::INDEX_PREFIX;
use std::{fs, path::Path, time::Duration};

/// An index serves commands that have ended long before.
const INDEX_AGE: Duration = Duration::from_hours(2);
/// Mirrors lie so deep at most, by code host, owner and name.
const DEPTH_MAX: u32 = 4;

/// Deletes the indexes that no living server can be using.
pub fn indexes(mirrors: &Path) {
    let mut waiting = vec![(mirrors.to_owned(), 0)];
    while let Some((dir, depth)) = waiting.pop() {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            let Ok(meta) = entry.metadata() else { continue };
            let is_index = entry.file_name().to_string_lossy().starts_with(INDEX_PREFIX);
            let age = meta.modified().ok().and_then(|at| at.elapsed().ok());
            if !meta.is_dir() {
                continue;
            }
            if !is_index && depth < DEPTH_MAX {
                waiting.push((entry.path(), depth + 1));
            } else if is_index && age.is_some_and(|age| age > INDEX_AGE) {
                // The next start tries again.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}
