//! A diff becomes a commit without a work tree.

use super::{
    error::GitError,
    mirror::{Mirror, commit_sha},
    patch::{Change, Diff, FileMode},
};
use drover::{changeset::spec::Author, names::CommitSha, time::Timestamp};
use std::{collections::BTreeMap, path::Path};

/// How the folders are called in a mirror that an index lies in while a commit is made.
pub(super) const INDEX_PREFIX: &str = "index-";

/// Everything that goes into a commit: the same request gives the same commit, on any server.
#[derive(Clone, Copy, Debug)]
pub struct CommitRequest<'a> {
    pub base: &'a CommitSha,
    pub diff: &'a Diff,
    pub message: &'a str,
    pub author: &'a Author,
    pub committer: &'a Author,
    pub at: Timestamp,
}

impl Mirror {
    /// Commits a diff onto its base; the commit stays in the mirror until it is pushed.
    pub async fn commit(&self, request: &CommitRequest<'_>) -> Result<CommitSha, GitError> {
        check_identity("the author", request.author)?;
        check_identity("the committer", request.committer)?;
        if request.message.trim().is_empty() {
            return Err(GitError::EmptyIdentity { what: "the message" });
        }
        check_text("the message", request.message, |c| c == '\0')?;
        match self.commit_once(request).await {
            Err(GitError::Corrupt { .. }) => {
                self.clone_again(request.base).await?;
                self.commit_once(request).await
            }
            done => done,
        }
    }

    async fn commit_once(&self, request: &CommitRequest<'_>) -> Result<CommitSha, GitError> {
        let scratch = tempfile::Builder::new()
            .prefix(INDEX_PREFIX)
            .tempdir_in(&self.dir)
            .map_err(GitError::disk("no room for an index"))?;
        let index = scratch.path().join("index");
        self.read_base(request.base, &index).await?;
        self.apply(request.diff, &index).await?;
        self.check_applied(request, &index).await?;
        let tree = self
            .local("write-tree")
            .env("GIT_INDEX_FILE", &index)
            // Contents that the diff leaves alone need not be in the mirror.
            .args(["--missing-ok"])
            .run_word()
            .await?;
        let answer = self
            .local("commit-tree")
            .identity(request.author, request.committer, request.at)
            .args(["-p", request.base.as_str(), "-F", "-", &tree])
            .stdin(request.message)
            .run_word()
            .await?;
        commit_sha("commit-tree", &answer)
    }

    async fn read_base(&self, base: &CommitSha, index: &Path) -> Result<(), GitError> {
        let read = || {
            self.local("read-tree")
                .env("GIT_INDEX_FILE", index)
                .args(["--end-of-options", base.as_str()])
                .output()
        };
        if read().await?.success {
            return Ok(());
        }
        self.ensure_commit(base).await?;
        let output = read().await?;
        if output.success { Ok(()) } else { Err(GitError::classify("read-tree", output.stderr)) }
    }

    async fn apply(&self, diff: &Diff, index: &Path) -> Result<(), GitError> {
        let apply = || {
            self.local("apply")
                .env("GIT_INDEX_FILE", index)
                .args(["--cached", "--whitespace=nowarn", "--unidiff-zero", "-p1", "-"])
                .stdin(diff.as_bytes())
                .output()
        };
        let mut output = apply().await?;
        if is_short_of_contents(&output.stderr) {
            // No checkout has brought them yet.
            self.fetch_blobs(&old_blobs(diff)).await?;
            output = apply().await?;
        }
        if output.success { Ok(()) } else { Err(GitError::classify("apply", output.stderr)) }
    }

    /// Compares what git made of the diff with what was validated. Two readers of one text may
    /// differ; a commit must not come of that.
    async fn check_applied(
        &self,
        request: &CommitRequest<'_>,
        index: &Path,
    ) -> Result<(), GitError> {
        let raw = self
            .local("diff-index")
            .env("GIT_INDEX_FILE", index)
            .args(["--cached", "--raw", "-z", "--abbrev=64", "--no-renames"])
            .args(["--ignore-submodules=none", request.base.as_str(), "--"])
            .run()
            .await?;
        let (is, wants) = (applied(&raw)?, wanted(request.diff));
        let differs = |path: &&&[u8]| is.get(**path) != wants.get(**path);
        match is.keys().chain(wants.keys()).find(differs) {
            Some(path) => {
                let path = String::from_utf8_lossy(path).escape_debug().to_string();
                Err(GitError::Mismatch { path })
            }
            None => Ok(()),
        }
    }
}

/// The new mode of each changed path and its new object, if that changes; `None` for a removed
/// one.
type Entries<'a> = BTreeMap<&'a [u8], Option<(&'a str, Option<&'a str>)>>;

fn wanted(diff: &Diff) -> Entries<'_> {
    let mut entries = Entries::new();
    for file in diff.files() {
        let new = match &file.change {
            Change::Added(new) | Change::Modified { new, .. } => {
                Some((new.mode.as_str(), Some(new.id.as_str())))
            }
            Change::Mode { new, .. } => Some((new.as_str(), None)),
            Change::Removed(_) => None,
        };
        // A file that turns into a symlink is removed and added; the addition stays.
        let entry = entries.entry(file.path.as_bytes()).or_default();
        *entry = new.or(*entry);
    }
    entries
}

/// Reads `:<old mode> <new mode> <old> <new> <status>NUL<path>NUL`.
fn applied(raw: &[u8]) -> Result<Entries<'_>, GitError> {
    let odd = || GitError::Answer {
        command: "diff-index",
        answer: String::from_utf8_lossy(&raw[..raw.len().min(200)]).escape_debug().to_string(),
    };
    let mut fields = raw.split(|&byte| byte == 0);
    let mut entries = Entries::new();
    while let Some(meta) = fields.next().filter(|meta| !meta.is_empty()) {
        let path = fields.next().ok_or_else(odd)?;
        let meta = std::str::from_utf8(meta).map_err(|_| odd())?;
        let mut parts = meta.split(' ');
        let (_, mode, old, new) = (parts.next(), parts.next(), parts.next(), parts.next());
        let (Some(mode), Some(old), Some(new)) = (mode, old, new) else { return Err(odd()) };
        entries.insert(path, (mode != "000000").then_some((mode, (old != new).then_some(new))));
    }
    Ok(entries)
}

fn is_short_of_contents(stderr: &str) -> bool {
    [
        "lazy fetching disabled",
        "cannot read the current contents",
        "could not read blob",
        "unable to read",
        "failed to read",
    ]
    .iter()
    .any(|text| stderr.contains(text))
}

fn old_blobs(diff: &Diff) -> Vec<String> {
    let olds = diff.files().iter().filter_map(|file| match &file.change {
        // The commit of a submodule is in another repository.
        Change::Removed(old) | Change::Modified { old, .. } => {
            (old.mode != FileMode::Submodule).then(|| old.id.clone())
        }
        Change::Added(_) | Change::Mode { .. } => None,
    });
    olds.collect()
}

fn check_identity(what: &'static str, who: &Author) -> Result<(), GitError> {
    for text in [&who.name, &who.email] {
        if text.trim().is_empty() {
            return Err(GitError::EmptyIdentity { what });
        }
        check_text(what, text, |c| c.is_control() || c == '<' || c == '>')?;
    }
    Ok(())
}

fn check_text(
    what: &'static str,
    text: &str,
    is_bad: impl Fn(char) -> bool,
) -> Result<(), GitError> {
    match text.chars().find(|&c| is_bad(c)) {
        Some(character) => Err(GitError::BadIdentity { what, character }),
        None => Ok(()),
    }
}
