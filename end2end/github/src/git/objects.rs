//! Objects by their shas: what they are, and new ones.

use super::{Git, GitError, Signature};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ObjectKind {
    Blob,
    Tree,
    Commit,
    Tag,
}

/// One line of a tree, with its path from where the listing began.
#[derive(Clone, Debug)]
pub(crate) struct TreeLine {
    pub(crate) mode: String,
    pub(crate) kind: ObjectKind,
    pub(crate) sha: String,
    /// Of blobs only.
    pub(crate) size: Option<u64>,
    pub(crate) path: String,
}

/// What a path of a new tree shall be: mode and object, or nothing.
#[derive(Clone)]
pub(crate) struct NewEntry {
    pub(crate) path: String,
    pub(crate) what: Option<(String, String)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) message: String,
    pub(crate) object: String,
    pub(crate) kind: ObjectKind,
    pub(crate) tagger: Signature,
}

impl ObjectKind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Blob => "blob",
            Self::Tree => "tree",
            Self::Commit => "commit",
            Self::Tag => "tag",
        }
    }

    pub(super) fn of(word: &str) -> Option<Self> {
        [Self::Blob, Self::Tree, Self::Commit, Self::Tag].into_iter().find(|it| it.word() == word)
    }
}

impl Git {
    /// What a full sha is the name of.
    pub(crate) async fn kind_of(&self, sha: &str) -> Result<Option<ObjectKind>, GitError> {
        let ended = self.try_run(&["cat-file", "-t", sha], &[], &[]).await?;
        Ok(ObjectKind::of(String::from_utf8_lossy(&ended.stdout).trim()))
    }

    /// The tree that a sha, a branch or a tag leads to.
    pub(crate) async fn find_tree(&self, text: &str) -> Result<Option<String>, GitError> {
        let spec = format!("{text}^{{tree}}");
        let args = ["rev-parse", "--verify", "--quiet", "--end-of-options", &spec];
        let ended = self.try_run(&args, &[], &[]).await?;
        let sha = String::from_utf8_lossy(&ended.stdout).trim().to_owned();
        Ok((ended.code == 0).then_some(sha))
    }

    pub(crate) async fn write_blob(&self, bytes: &[u8]) -> Result<String, GitError> {
        let answer = self.run_with(&["hash-object", "-w", "--stdin"], bytes, &[]).await?;
        Ok(String::from_utf8_lossy(&answer).trim().to_owned())
    }

    /// Lists a tree; with `-r`, all that is below it, directories included.
    pub(crate) async fn tree_lines(
        &self,
        sha: &str,
        depth: Option<&str>,
    ) -> Result<Vec<TreeLine>, GitError> {
        let mut args = vec!["ls-tree", "-z", "--long"];
        if let Some(depth) = depth {
            args.extend([depth, "-t"]);
        }
        args.extend(["--end-of-options", sha]);
        let answer = self.run(&args).await?;
        Ok(String::from_utf8_lossy(&answer).split('\0').filter_map(tree_line).collect())
    }

    /// Writes a tree that is like another one but for some paths. None when a path cannot be.
    ///
    /// The index is a file of its own: a bare repository has none, and two writers share nothing.
    pub(crate) async fn write_tree(
        &self,
        base: Option<&str>,
        entries: &[NewEntry],
    ) -> Result<Option<String>, GitError> {
        let failed = |source| GitError::Start { command: "write-tree".to_owned(), source };
        let dir = tempfile::TempDir::new().map_err(failed)?;
        let index = dir.path().join("index");
        let Some(index) = index.to_str() else { return Ok(None) };
        let environment = [("GIT_INDEX_FILE", index)];
        if let Some(base) = base {
            self.run_with(&["read-tree", base], &[], &environment).await?;
        }
        let mut input = Vec::new();
        for NewEntry { path, what } in &self.without_trees(entries).await? {
            let zero = super::refs::ZERO_SHA.to_owned();
            let (mode, sha) = what.clone().unwrap_or_else(|| ("0".to_owned(), zero));
            input.extend(format!("{mode} {sha}\t{path}\0").bytes());
        }
        let args = ["update-index", "-z", "--add", "--replace", "--index-info"];
        if self.try_run(&args, &input, &environment).await?.code != 0 {
            return Ok(None);
        }
        let answer = self.run_with(&["write-tree"], &[], &environment).await?;
        Ok(Some(String::from_utf8_lossy(&answer).trim().to_owned()))
    }

    /// The index knows files only: a tree stands for all that is below it.
    async fn without_trees(&self, entries: &[NewEntry]) -> Result<Vec<NewEntry>, GitError> {
        let mut files = Vec::new();
        for entry in entries {
            let tree = entry.what.as_ref().filter(|(mode, _)| mode == "040000");
            let Some((_, sha)) = tree else {
                files.push(entry.clone());
                continue;
            };
            let lines = self.tree_lines(sha, Some("-r")).await?;
            let below = lines.into_iter().filter(|line| line.kind != ObjectKind::Tree);
            files.extend(below.map(|line| NewEntry {
                path: format!("{}/{}", entry.path, line.path),
                what: Some((line.mode, line.sha)),
            }));
        }
        Ok(files)
    }

    pub(crate) async fn tag(&self, sha: &str) -> Result<Option<Tag>, GitError> {
        let answer = self.run(&["cat-file", "tag", sha]).await?;
        Ok(parse_tag(&String::from_utf8_lossy(&answer)))
    }

    pub(crate) async fn write_tag(&self, tag: &Tag) -> Result<String, GitError> {
        let Tag { name, message, object, kind, tagger } = tag;
        let Signature { name: by, email, at } = tagger;
        let secs = chrono::DateTime::parse_from_rfc3339(at).map_or(0, |at| at.timestamp());
        let text = format!(
            "object {object}\ntype {}\ntag {name}\ntagger {by} <{email}> {secs} +0000\n\n{message}\n",
            kind.word(),
        );
        let answer = self.run_with(&["mktag"], text.as_bytes(), &[]).await?;
        Ok(String::from_utf8_lossy(&answer).trim().to_owned())
    }
}

fn tree_line(record: &str) -> Option<TreeLine> {
    let (head, path) = record.split_once('\t')?;
    let words: Vec<&str> = head.split_whitespace().collect();
    let [mode, kind, sha, size] = words[..] else { return None };
    Some(TreeLine {
        mode: mode.to_owned(),
        kind: ObjectKind::of(kind)?,
        sha: sha.to_owned(),
        size: size.parse().ok(),
        path: path.to_owned(),
    })
}

fn parse_tag(text: &str) -> Option<Tag> {
    let (head, message) = text.split_once("\n\n")?;
    let field = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(' '));
        lines.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let (by, rest) = field("tagger")?.split_once(" <")?;
    let (email, at) = rest.split_once("> ")?;
    let secs = at.split(' ').next()?.parse().ok()?;
    let at = chrono::DateTime::from_timestamp(secs, 0)?;
    let at = at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    Some(Tag {
        name: field("tag")?.to_owned(),
        message: message.trim_end().to_owned(),
        object: field("object")?.to_owned(),
        kind: ObjectKind::of(field("type")?)?,
        tagger: Signature { name: by.to_owned(), email: email.to_owned(), at },
    })
}

#[cfg(test)]
mod tests {
    use super::parse_tag;

    #[test]
    fn a_tag_is_read_with_who_made_it() {
        let sha = "a".repeat(40);
        let text = format!("object {sha}\ntype commit\ntag v1\ntagger A B <a@b> 0 +0100\n\nText\n");
        let tag = parse_tag(&text).expect("a tag");
        assert_eq!((tag.name.as_str(), tag.message.as_str()), ("v1", "Text"));
        assert_eq!(
            (tag.tagger.name.as_str(), tag.tagger.at.as_str()),
            ("A B", "1970-01-01T00:00:00Z")
        );
    }
}
