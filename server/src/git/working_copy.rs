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
    reading::{self, Absorbed, Budget, Places},
    seed,
};
use drover::names::CommitSha;
use std::{
    io,
    path::{Path, PathBuf},
};

/// A working copy on disk. [`WorkingCopy::remove`] deletes it.
pub struct WorkingCopy {
    git: Git,
    mirror: PathBuf,
    dir: PathBuf,
    base: CommitSha,
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
        let copy = WorkingCopy {
            git: self.git.clone(),
            mirror: self.dir.clone(),
            dir: dir.to_owned(),
            base: commit.clone(),
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
        seed::repository(self, &copy.tree(), &copy.index(), commit).await?;
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
        let (tree, index, objects) = (self.tree(), self.index(), self.objects());
        let budget = Budget::new(self.git.config().reading);
        let read = tokio::task::spawn_blocking(move || {
            let places = Places { tree: &tree, index: &index, objects: &objects };
            let found = reading::walk(places, &budget)?;
            reading::absorb(places, found, &budget)
        });
        let Absorbed { changes, notes } = read.await.map_err(broken)??;
        let diff = if changes.is_empty() { None } else { self.diff(changes).await? };
        Ok(Changes { diff, notes })
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

fn broken(error: tokio::task::JoinError) -> GitError {
    GitError::disk("what the steps left could not be read")(error.into())
}

/// Deletes what steps, or a server that was killed, left in a folder.
pub async fn remove_tree(dir: &Path) -> io::Result<()> {
    let dir = dir.to_owned();
    tokio::task::spawn_blocking(move || reading::remove_tree(&dir)).await?
}
