//! The files of a commit for steps to change, and the diff afterwards.
//!
//! The folder holds `tree`, which steps see and may fill with anything, and `meta`, which they
//! never see: the index and the objects that the diff is made with. Steps find a repository of
//! one commit in `tree/.git`, made for them by [`super::seed`]; git never looks at it for us.
//! Git writes the tree before the first step, and from then on it is [`reading`]'s alone.

use super::{
    error::GitError,
    mirror::Mirror,
    patch::{Diff, DiffError},
    process::{Git, Invocation},
    reading::{self, Absorbed, Bases, Budget, Dressed, Found, Id, Places},
    seed,
};
use drover::names::CommitSha;
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The contents of the base that are read at once, in bytes; the last one may go beyond.
const BATCH_BYTES: usize = 32 << 20;
/// The line in front of a content, and the line break behind it.
const BATCH_LINE_BYTES: usize = 128;

/// A working copy on disk. [`WorkingCopy::remove`] deletes it.
pub struct WorkingCopy {
    git: Git,
    mirror: PathBuf,
    dir: PathBuf,
    base: CommitSha,
    dressed: Arc<Dressed>,
}

/// What steps changed in a working copy.
#[derive(Debug, PartialEq, Eq)]
pub struct Changes {
    /// `None` when nothing changed.
    pub diff: Option<Diff>,
    /// What people shall know, a line each: what was left out, and why.
    pub notes: Vec<String>,
}

impl Mirror {
    /// Writes the files of a commit into the new folder `dir`.
    pub async fn checkout(&self, commit: &CommitSha, dir: &Path) -> Result<WorkingCopy, GitError> {
        match self.checkout_once(commit, dir).await {
            Err(GitError::Corrupt { .. }) => {
                remove_tree(dir).await.map_err(GitError::disk("a working copy stayed behind"))?;
                self.clone_again(commit).await?;
                self.checkout_once(commit, dir).await
            }
            done => done,
        }
    }

    async fn checkout_once(&self, commit: &CommitSha, dir: &Path) -> Result<WorkingCopy, GitError> {
        self.ensure_commit(commit).await?;
        let mut copy = WorkingCopy {
            git: self.git.clone(),
            mirror: self.dir.clone(),
            dir: dir.to_owned(),
            base: commit.clone(),
            dressed: Arc::default(),
        };
        for folder in [copy.tree(), copy.objects()] {
            tokio::fs::create_dir_all(folder).await.map_err(GitError::disk(format!(
                "a working copy of {} could not be made in {}",
                self.remote.repo(),
                dir.display()
            )))?;
        }
        // Missing contents come from the code host in one go, into the mirror. The only command
        // with a work tree: no step has run yet.
        self.network("read-tree")
            .env("GIT_INDEX_FILE", copy.index())
            .env("GIT_WORK_TREE", copy.tree())
            .args(["-m", "-u", commit.as_str()])
            .run()
            .await?;
        let budget = Budget::new(self.git.config().reading);
        copy.dressed = Arc::new(copy.on_disk(move |it| reading::dress(it, &budget)).await?);
        seed::repository(self, &copy.tree(), &copy.index(), &copy.dressed, commit).await?;
        Ok(copy)
    }
}

impl WorkingCopy {
    /// What steps may change.
    #[must_use]
    pub fn tree(&self) -> PathBuf {
        self.dir.join("tree")
    }

    #[must_use]
    pub fn base(&self) -> &CommitSha {
        &self.base
    }

    /// What the steps changed. Files that `.gitignore` names are left out.
    pub async fn changes(&self) -> Result<Changes, GitError> {
        let budget = Budget::new(self.git.config().reading);
        let found = self.on_disk(move |places| reading::walk(places, &budget)).await?;
        let found = Arc::new(found);
        let mut absorbed = self.absorb(&found, Bases::default(), budget).await?;
        if !absorbed.depends_on.is_empty() {
            let bases = self.bases(&absorbed.depends_on).await?;
            absorbed = self.absorb(&found, bases, budget).await?;
        }
        let changes = absorbed.changes;
        let diff = if changes.is_empty() { None } else { self.diff(changes).await? };
        Ok(Changes { diff, notes: found.notes.clone() })
    }

    async fn absorb(
        &self,
        found: &Arc<Found>,
        bases: Bases,
        budget: Budget,
    ) -> Result<Absorbed, GitError> {
        let (found, dressed) = (Arc::clone(found), Arc::clone(&self.dressed));
        self.on_disk(move |places| reading::absorb(places, &found, &dressed, &bases, &budget)).await
    }

    /// Reads or writes many files, which is not for the threads that serve everybody.
    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(Places<'_>) -> Result<T, GitError> + Send + 'static,
    ) -> Result<T, GitError> {
        let (tree, index, objects) = (self.tree(), self.index(), self.objects());
        let done = tokio::task::spawn_blocking(move || {
            work(Places { tree: &tree, index: &index, objects: &objects })
        });
        done.await.map_err(broken)?
    }

    /// Learns about contents of the base, a few megabytes at a time.
    async fn bases(&self, wanted: &BTreeMap<Id, u32>) -> Result<Bases, GitError> {
        let mut bases = Bases::default();
        let mut wanted = wanted.iter().peekable();
        while wanted.peek().is_some() {
            let (mut ids, mut bytes) = (Vec::new(), 0);
            while let Some((id, size)) = wanted.next_if(|_| bytes < BATCH_BYTES) {
                bytes += usize::try_from(*size).unwrap_or(usize::MAX) + BATCH_LINE_BYTES;
                ids.push(*id);
            }
            let names: String = ids.iter().map(|id| format!("{}\n", hex::encode(id))).collect();
            let answer = self
                .command("cat-file")
                .args(["--batch"])
                .stdin(names)
                .stdout_max(bytes)
                .run()
                .await?;
            learn(&mut bases, &ids, &answer)?;
        }
        Ok(bases)
    }

    /// Makes the diff of two trees that are objects, far from the files of the steps.
    async fn diff(&self, changes: Vec<u8>) -> Result<Option<Diff>, GitError> {
        let fail = || GitError::disk("no room for an index");
        tokio::fs::copy(self.index(), self.changed_index()).await.map_err(fail())?;
        self.command("update-index").args(["-z", "--index-info"]).stdin(changes).run().await?;
        let max = self.git.config().diff_bytes_max;
        let flags = ["--cached", "--patch", "--binary", "--full-index", "--no-renames"];
        let text = self
            .command("diff-index")
            .args(flags)
            .args(["--no-ext-diff", "--no-textconv", "--no-color", "--unified=3"])
            .args(["--src-prefix=a/", "--dst-prefix=b/", "--submodule=short"])
            .args(["--ignore-submodules=none", "--end-of-options", self.base.as_str(), "--"])
            .stdout_max(max)
            .run()
            .await
            .map_err(|error| match error {
                GitError::OutputTooLarge { .. } => DiffError::TooLarge { max }.into(),
                error => error,
            })?;
        let diff = tokio::task::spawn_blocking(move || Diff::parse(text)).await;
        Ok(diff.map_err(broken)??)
    }

    /// Deletes the working copy, also where steps took their own permissions away.
    pub async fn remove(self) -> Result<(), GitError> {
        remove_tree(&self.dir).await.map_err(GitError::disk("a working copy stayed behind"))
    }

    /// Knows the base and what was read of the tree, and no work tree at all; nothing reaches the
    /// network.
    fn command(&self, command: &'static str) -> Invocation<'_> {
        self.git
            .local(command, &self.mirror)
            .env("GIT_INDEX_FILE", self.changed_index())
            .env("GIT_OBJECT_DIRECTORY", self.objects())
            .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", self.mirror.join("objects"))
    }

    fn index(&self) -> PathBuf {
        self.dir.join("meta/index")
    }

    fn changed_index(&self) -> PathBuf {
        self.dir.join("meta/changed-index")
    }

    fn objects(&self) -> PathBuf {
        self.dir.join("meta/objects")
    }
}

/// Reads `<object> blob <size>LF<content>LF` for each object.
fn learn(bases: &mut Bases, ids: &[Id], answer: &[u8]) -> Result<(), GitError> {
    let odd = |line: &[u8]| GitError::Answer {
        command: "cat-file",
        answer: String::from_utf8_lossy(line).escape_debug().to_string(),
    };
    let mut rest = answer;
    for id in ids {
        let end = rest.iter().position(|&byte| byte == b'\n').ok_or_else(|| odd(b""))?;
        let (line, behind) = rest.split_at(end);
        let start = format!("{} blob ", hex::encode(id));
        let size = line.strip_prefix(start.as_bytes()).and_then(|it| str::from_utf8(it).ok());
        let size: usize = size.and_then(|it| it.parse().ok()).ok_or_else(|| odd(line))?;
        let content = behind.get(1..).and_then(|it| it.get(..size)).ok_or_else(|| odd(line))?;
        bases.learn(*id, content);
        rest = behind.get(size + 2..).ok_or_else(|| odd(line))?;
    }
    Ok(())
}

fn broken(error: tokio::task::JoinError) -> GitError {
    GitError::disk("what the steps left could not be read")(error.into())
}

/// Deletes what steps, or a server that was killed, left in a folder.
pub async fn remove_tree(dir: &Path) -> io::Result<()> {
    let dir = dir.to_owned();
    tokio::task::spawn_blocking(move || reading::remove_tree(&dir)).await?
}
