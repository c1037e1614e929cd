//! A diff ready to be shown: files, hunks, lines with classes for highlighting.

use crate::diff::{DiffStat, FileChange};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffView {
    pub stat: DiffStat,
    pub files: Vec<FileView>,
    /// Files that were left out because the diff is too large to show.
    pub files_left_out: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileView {
    /// Printable: control and bidirectional characters stand escaped.
    pub path: String,
    /// The name before a rename.
    pub old_path: Option<String>,
    pub change: FileChange,
    pub stat: DiffStat,
    pub body: FileBody,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileBody {
    Hunks {
        hunks: Vec<HunkView>,
        /// Large files start folded.
        folded: bool,
    },
    Binary,
    /// Only the mode or the name changed.
    Empty,
    /// Too large to show; the raw diff has it.
    TooLarge,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HunkView {
    /// Such as `@@ -1,4 +1,5 @@ fn main()`.
    pub header: String,
    pub lines: Vec<LineView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineView {
    pub kind: LineKind,
    /// The number in the old file, from 1.
    pub old: Option<u32>,
    /// The number in the new file, from 1.
    pub new: Option<u32>,
    /// Escaped HTML: spans with classes `hl-*` and text, nothing else.
    pub html: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LineKind {
    Context,
    Added,
    Removed,
}
