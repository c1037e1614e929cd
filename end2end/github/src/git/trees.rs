use super::{Git, GitError};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TreeEntry {
    pub(crate) kind: EntryKind,
    pub(crate) sha: String,
    pub(crate) size: u64,
    pub(crate) path: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    File,
    Symlink,
    Directory,
    Submodule,
}

impl Git {
    /// The entry at a path of a commit; the empty path is the root.
    pub(crate) async fn entry(&self, sha: &str, path: &str) -> Result<Option<TreeEntry>, GitError> {
        if path.is_empty() {
            let tree = self.line(&["rev-parse", &format!("{sha}^{{tree}}")]).await?;
            let kind = EntryKind::Directory;
            return Ok(Some(TreeEntry { kind, sha: tree, size: 0, path: String::new() }));
        }
        let args = ["ls-tree", "-z", "--long", "--full-tree", "--end-of-options", sha, "--", path];
        let answer = self.run(&args).await?;
        Ok(parse(&answer).into_iter().find(|entry| entry.path == path))
    }

    /// What lies in a directory, with paths from the root.
    pub(crate) async fn entries(&self, tree: &TreeEntry) -> Result<Vec<TreeEntry>, GitError> {
        let args = ["ls-tree", "-z", "--long", "--end-of-options", &tree.sha];
        let mut entries = parse(&self.run(&args).await?);
        if !tree.path.is_empty() {
            for entry in &mut entries {
                entry.path = format!("{}/{}", tree.path, entry.path);
            }
        }
        Ok(entries)
    }

    pub(crate) async fn blob(&self, sha: &str) -> Result<Vec<u8>, GitError> {
        self.run(&["cat-file", "blob", sha]).await
    }
}

fn parse(answer: &[u8]) -> Vec<TreeEntry> {
    String::from_utf8_lossy(answer).split('\0').filter_map(parse_entry).collect()
}

fn parse_entry(record: &str) -> Option<TreeEntry> {
    let (head, path) = record.split_once('\t')?;
    let words: Vec<&str> = head.split_whitespace().collect();
    let [mode, _, sha, size] = words[..] else { return None };
    let kind = match mode {
        "120000" => EntryKind::Symlink,
        "160000" => EntryKind::Submodule,
        "040000" => EntryKind::Directory,
        _ => EntryKind::File,
    };
    // Directories and submodules have `-` for a size.
    let size = size.parse().unwrap_or(0);
    Some(TreeEntry { kind, sha: sha.to_owned(), size, path: path.to_owned() })
}
