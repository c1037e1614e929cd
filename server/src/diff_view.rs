//! A stored diff becomes the diff that a page shows: highlighted, folded where it is large, and
//! cut where it is too large to show.

use crate::{
    git::{
        patch::{Body, Change, Diff, FileDiff, Hunk},
        path::RepoPath,
    },
    highlight::{self, Highlighter},
};
use drover::{
    diff::FileChange,
    view::diff::{DiffView, FileBody, FileView, HunkView, LineKind, LineView},
};
use std::collections::{BTreeMap, BTreeSet};

/// The files of a page, at most.
pub const FILES_MAX: usize = 300;
/// The lines of a page, at most; further files show their names only.
pub const LINES_MAX: usize = 20_000;
/// The code of a page that gets colours, in bytes; further files are plain. Grammars read far
/// slower than anything else here.
pub const COLOURED_BYTES_MAX: usize = 128 << 10;
/// A file with more changed lines starts folded.
pub const FOLD_LINES: u32 = 400;

/// Whether code gets colours, which costs most of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    Plain,
    Highlighted,
}

/// What a page shows of a diff.
#[must_use]
pub fn view(diff: &Diff, colours: Colours) -> DiffView {
    let renames = Renames::of(diff);
    let mut left = Budget { lines: LINES_MAX, coloured_bytes: COLOURED_BYTES_MAX };
    let mut files = Vec::new();
    let shown = diff.files().iter().enumerate().filter(|(at, _)| !renames.gone.contains(at));
    let total = diff.files().len() - renames.gone.len();
    for (at, file) in shown.take(FILES_MAX) {
        let old_path = renames.origin.get(&at).copied();
        files.push(file_view(diff, file, old_path, colours, &mut left));
    }
    let files_left_out = u32::try_from(total - files.len()).unwrap_or(u32::MAX);
    DiffView { stat: diff.stat(), files, files_left_out }
}

/// What the rest of a page may still show.
struct Budget {
    lines: usize,
    coloured_bytes: usize,
}

/// Files that moved without a change. They are stored as a removal and an addition.
struct Renames<'a> {
    /// The old path of an added file.
    origin: BTreeMap<usize, &'a RepoPath>,
    /// Removed files that are shown as the origin of another one.
    gone: BTreeSet<usize>,
}

impl<'a> Renames<'a> {
    fn of(diff: &'a Diff) -> Self {
        let mut removed = BTreeMap::new();
        for (at, file) in diff.files().iter().enumerate() {
            if let Change::Removed(old) = &file.change {
                removed.entry((old.id.as_str(), old.mode.as_str())).or_insert((at, file));
            }
        }
        let (mut origin, mut gone) = (BTreeMap::new(), BTreeSet::new());
        for (at, file) in diff.files().iter().enumerate() {
            if let Change::Added(new) = &file.change
                && let Some((from, old)) = removed.remove(&(new.id.as_str(), new.mode.as_str()))
            {
                origin.insert(at, &old.path);
                gone.insert(from);
            }
        }
        Self { origin, gone }
    }
}

fn file_view(
    diff: &Diff,
    file: &FileDiff,
    old_path: Option<&RepoPath>,
    colours: Colours,
    left: &mut Budget,
) -> FileView {
    let (change, body) = match old_path {
        Some(_) => (FileChange::Renamed, FileBody::Empty),
        None => (change_of(file), body_of(diff, file, colours, left)),
    };
    let stat = match change {
        FileChange::Renamed => drover::diff::DiffStat { files: 1, ..Default::default() },
        _ => file.stat(),
    };
    let old_path = old_path.map(|path| visible(&path.to_text()));
    FileView { path: visible(&file.path.to_text()), old_path, change, stat, body }
}

fn change_of(file: &FileDiff) -> FileChange {
    match &file.change {
        Change::Added(_) => FileChange::Added,
        Change::Removed(_) => FileChange::Removed,
        Change::Modified { .. } => FileChange::Modified,
        Change::Mode { .. } => FileChange::Mode,
    }
}

fn body_of(diff: &Diff, file: &FileDiff, colours: Colours, left: &mut Budget) -> FileBody {
    let hunks = match &file.body {
        Body::Empty => return FileBody::Empty,
        Body::Binary => return FileBody::Binary,
        Body::Text(hunks) => hunks,
    };
    let (mut lines, mut bytes) = (0, 0);
    for hunk in hunks {
        for line in diff.lines(hunk) {
            lines += 1;
            bytes += line.len();
        }
    }
    if lines > left.lines {
        return FileBody::TooLarge;
    }
    left.lines -= lines;
    let is_small = bytes <= highlight::FILE_BYTES_MAX.min(left.coloured_bytes)
        && lines <= highlight::FILE_LINES_MAX;
    if is_small {
        left.coloured_bytes -= bytes;
    }
    let highlighter = || match colours {
        Colours::Highlighted if is_small => Highlighter::for_path(&file.path.to_text()),
        Colours::Highlighted | Colours::Plain => Highlighter::plain(),
    };
    // A hunk starts anywhere in a file, so each one starts anew.
    let hunks = hunks.iter().map(|it| hunk_view(diff, it, highlighter(), highlighter()));
    let stat = file.stat();
    let folded = stat.added.saturating_add(stat.removed) > FOLD_LINES;
    FileBody::Hunks { hunks: hunks.collect(), folded }
}

fn hunk_view(
    diff: &Diff,
    hunk: &Hunk,
    mut old_side: Highlighter,
    mut new_side: Highlighter,
) -> HunkView {
    let (mut old, mut new) = (hunk.old_start, hunk.new_start);
    let mut lines = Vec::new();
    for line in diff.lines(hunk) {
        let Some((sign, text)) = line.split_first() else { continue };
        let text = String::from_utf8_lossy(text);
        let text = text.as_ref();
        lines.push(match sign {
            b'+' => {
                new += 1;
                let html = new_side.line(text);
                LineView { kind: LineKind::Added, old: None, new: Some(new - 1), html }
            }
            b'-' => {
                old += 1;
                let html = old_side.line(text);
                LineView { kind: LineKind::Removed, old: Some(old - 1), new: None, html }
            }
            b' ' => {
                (old, new) = (old + 1, new + 1);
                // Both sides have it; only one needs to be seen.
                drop(old_side.line(text));
                let html = new_side.line(text);
                LineView { kind: LineKind::Context, old: Some(old - 1), new: Some(new - 1), html }
            }
            // `\ No newline at end of file`
            _ => continue,
        });
    }
    let header = visible(&String::from_utf8_lossy(diff.header(hunk)));
    HunkView { header, lines }
}

/// A text that pages show as text: control and bidirectional characters stand escaped.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if highlight::is_hidden(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    shown
}

#[cfg(test)]
mod tests;
