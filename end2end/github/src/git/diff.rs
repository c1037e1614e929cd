use super::{Git, GitError};
use std::collections::VecDeque;

/// GitHub lists at most 3,000 files of a pull request.
pub(crate) const FILES_MAX: usize = 3_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileChange {
    pub(crate) path: String,
    pub(crate) old_path: Option<String>,
    pub(crate) status: FileStatus,
    /// The blob after the change, or before it when the file is gone.
    pub(crate) blob: String,
    pub(crate) additions: u64,
    pub(crate) deletions: u64,
    /// Hunks without the file header; absent for binary files.
    pub(crate) patch: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileStatus {
    Added,
    Removed,
    Modified,
    Renamed,
    TypeChanged,
}

impl FileStatus {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Modified => "modified",
            Self::Renamed => "renamed",
            Self::TypeChanged => "changed",
        }
    }
}

impl Git {
    /// The unified diff of two trees or commits as text.
    pub(crate) async fn patch(&self, old: &str, new: &str) -> Result<String, GitError> {
        let answer = self.diff(&["--patch", "--full-index"], old, new).await?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// The unified diff as GitHub gives it to who asks for one.
    pub(crate) async fn plain_diff(&self, old: &str, new: &str) -> Result<Vec<u8>, GitError> {
        self.diff(&["--patch"], old, new).await
    }

    /// Commits as mails, as `git am` takes them; a range, or the one at a sha.
    pub(crate) async fn mails(&self, range: &str) -> Result<Vec<u8>, GitError> {
        let one = if range.contains("..") { "--topo-order" } else { "-1" };
        self.run(&["format-patch", "--stdout", one, range, "--"]).await
    }

    /// The changed files with counts and patches, in git's order.
    pub(crate) async fn changes(&self, old: &str, new: &str) -> Result<Vec<FileChange>, GitError> {
        let mut changes = self.change_counts(old, new).await?;
        changes.truncate(FILES_MAX);
        let patch = self.patch(old, new).await?;
        for (change, section) in changes.iter_mut().zip(split_patch(&patch)) {
            change.patch = section.find("\n@@").map(|at| section[at + 1..].trim_end().to_owned());
        }
        Ok(changes)
    }

    /// The changed files with counts only.
    pub(crate) async fn change_counts(
        &self,
        old: &str,
        new: &str,
    ) -> Result<Vec<FileChange>, GitError> {
        let how = ["--raw", "--numstat", "-z", "--abbrev=40"];
        let summary = self.diff(&how, old, new).await?;
        Ok(parse_summary(&String::from_utf8_lossy(&summary)))
    }

    /// The empty tree, against which a first commit is shown.
    pub(crate) async fn empty_tree(&self) -> Result<String, GitError> {
        self.line(&["hash-object", "-t", "tree", "-w", "--stdin"]).await
    }

    async fn diff(&self, how: &[&str], old: &str, new: &str) -> Result<Vec<u8>, GitError> {
        let mut args = vec!["diff-tree", "-r", "-M", "--no-ext-diff", "--no-textconv"];
        args.extend(how);
        args.extend(["--end-of-options", old, new]);
        self.run(&args).await
    }
}

/// Sections of a patch, one per file. A line of a hunk never begins with `diff`.
fn split_patch(patch: &str) -> Vec<&str> {
    let mut starts: Vec<usize> =
        patch.match_indices("\ndiff --git ").map(|(at, _)| at + 1).collect();
    if patch.starts_with("diff --git ") {
        starts.insert(0, 0);
    }
    let ends = starts.iter().skip(1).copied().chain([patch.len()]);
    starts.iter().zip(ends).map(|(start, end)| &patch[*start..end]).collect()
}

/// Reads `--raw --numstat -z`: first all raw entries, then all counts, in the same order.
fn parse_summary(text: &str) -> Vec<FileChange> {
    let mut fields: VecDeque<&str> = text.split('\0').collect();
    let mut changes = Vec::new();
    while fields.front().is_some_and(|field| field.starts_with(':')) {
        match parse_raw(&mut fields) {
            Some(change) => changes.push(change),
            None => break,
        }
    }
    for change in &mut changes {
        parse_counts(&mut fields, change);
    }
    changes
}

fn parse_raw(fields: &mut VecDeque<&str>) -> Option<FileChange> {
    let head = fields.pop_front()?;
    let words: Vec<&str> = head.split(' ').collect();
    let [_, _, old_blob, new_blob, letter] = words[..] else { return None };
    let path = fields.pop_front()?.to_owned();
    let (status, path, old_path) = match letter.chars().next()? {
        'A' => (FileStatus::Added, path, None),
        'D' => (FileStatus::Removed, path, None),
        'R' | 'C' => (FileStatus::Renamed, fields.pop_front()?.to_owned(), Some(path)),
        'T' => (FileStatus::TypeChanged, path, None),
        _ => (FileStatus::Modified, path, None),
    };
    let blob = if status == FileStatus::Removed { old_blob } else { new_blob };
    let blob = blob.to_owned();
    Some(FileChange { path, old_path, status, blob, additions: 0, deletions: 0, patch: None })
}

/// Binary files have `-` for both counts.
fn parse_counts(fields: &mut VecDeque<&str>, change: &mut FileChange) {
    let Some(head) = fields.pop_front() else { return };
    let mut words = head.trim_start_matches('\n').splitn(3, '\t');
    change.additions = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
    change.deletions = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
    if words.next() == Some("") {
        // A rename: the two paths follow as fields of their own.
        fields.drain(..fields.len().min(2));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_with_a_rename_keeps_its_counts_in_step() {
        let (a, b) = ("a".repeat(40), "b".repeat(40));
        let text = format!(
            ":100644 100644 {a} {b} R090\0old\0new\0:100644 000000 {a} {b} D\0gone\0\
             2\t1\t\0old\0new\x000\t7\tgone\0"
        );
        let changes = parse_summary(&text);
        assert_eq!(changes.len(), 2);
        assert_eq!((changes[0].path.as_str(), changes[0].additions), ("new", 2));
        assert_eq!(changes[0].old_path.as_deref(), Some("old"));
        assert_eq!((changes[1].blob.as_str(), changes[1].deletions), (a.as_str(), 7));
    }

    #[test]
    fn a_patch_is_split_at_its_files_and_not_at_their_content() {
        let patch = "diff --git a/x b/x\n@@ -1 +1 @@\n-diff --git a b\n+y\ndiff --git a/z b/z\n";
        assert_eq!(split_patch(patch).len(), 2);
    }
}
