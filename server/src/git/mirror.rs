//! One bare, blobless mirror per repository.
//!
//! A mirror is a cache: it may be deleted at any time and is cloned again, also by itself when it
//! is found damaged. It holds no URL and no credential; both come with each command. Branches are
//! kept below `refs/drover/` under a digest of their name, so a branch `a` that makes room for
//! `a/b` on the code host never blocks a fetch.

use super::{
    GitConfig,
    error::GitError,
    process::{Git, Invocation},
    remote::Remote,
};
use drover::names::{BranchName, CommitSha};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// The branches of one fetch, at most.
pub const FETCH_BRANCHES_MAX: usize = 200;

/// All mirrors, below one folder.
pub struct Mirrors {
    git: Git,
    dir: PathBuf,
    locks: Mutex<BTreeMap<PathBuf, Lock>>,
}

/// Held while a mirror is fetched into, so that two tasks never fetch the same objects at once.
type Lock = Arc<tokio::sync::Mutex<()>>;

/// The mirror of one repository.
pub struct Mirror {
    pub(super) git: Git,
    pub(super) remote: Remote,
    pub(super) dir: PathBuf,
    lock: Lock,
}

impl Mirrors {
    #[must_use]
    pub fn new(config: GitConfig, dir: PathBuf) -> Self {
        Self { git: Git::new(config), dir, locks: Mutex::default() }
    }

    /// Opens the mirror of a repository, or makes an empty one. Asks nothing of the code host.
    pub async fn open(&self, remote: Remote) -> Result<Mirror, GitError> {
        let dir = self.dir.join(remote.folder());
        let lock = {
            let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(locks.entry(dir.clone()).or_default())
        };
        let mirror = Mirror { git: self.git.clone(), remote, dir, lock };
        let _held = mirror.lock.lock().await;
        mirror.lay_out().await?;
        drop(_held);
        Ok(mirror)
    }
}

impl Mirror {
    #[must_use]
    pub fn remote(&self) -> &Remote {
        &self.remote
    }

    /// Fetches the newest commits of branches, without the contents of files.
    pub async fn fetch(&self, branches: &[BranchName]) -> Result<(), GitError> {
        for some in branches.chunks(FETCH_BRANCHES_MAX) {
            let specs: Vec<String> = some
                .iter()
                .map(|branch| format!("+refs/heads/{branch}:{}", local_ref(branch)))
                .collect();
            self.fetch_specs(&specs).await?;
        }
        Ok(())
    }

    /// The commit that a branch had when it was fetched last.
    pub async fn resolve_branch(&self, branch: &BranchName) -> Result<CommitSha, GitError> {
        let name = format!("{}^{{commit}}", local_ref(branch));
        let found = self
            .local("rev-parse")
            .args(["--verify", "--quiet", "--end-of-options", &name])
            .output()
            .await?;
        if found.success {
            return commit_sha("rev-parse", &String::from_utf8_lossy(&found.stdout));
        }
        let detail = format!("branch `{branch}` of {} was not fetched", self.remote.repo());
        Err(GitError::NotFound { detail })
    }

    /// Fetches a branch and answers its commit.
    pub async fn fetch_branch(&self, branch: &BranchName) -> Result<CommitSha, GitError> {
        self.fetch(std::slice::from_ref(branch)).await?;
        self.resolve_branch(branch).await
    }

    /// Asks the code host for the branch that it calls its default.
    pub async fn default_branch(&self) -> Result<BranchName, GitError> {
        let answer =
            self.network("ls-remote").args(["--symref", "origin", "HEAD"]).run_word().await?;
        let name = answer
            .lines()
            .find_map(|line| line.strip_prefix("ref: refs/heads/")?.strip_suffix("\tHEAD"));
        let Some(name) = name else {
            let detail = format!("{} has no default branch: it is empty", self.remote.repo());
            return Err(GitError::NotFound { detail });
        };
        name.parse().map_err(|_| GitError::Answer {
            command: "ls-remote",
            answer: name.escape_debug().to_string(),
        })
    }

    /// Makes sure that a commit is here; asks the code host only when it is not.
    pub async fn ensure_commit(&self, commit: &CommitSha) -> Result<(), GitError> {
        if self.has_commit(commit).await? {
            return Ok(());
        }
        self.fetch_specs(&[commit.as_str()]).await
    }

    async fn has_commit(&self, commit: &CommitSha) -> Result<bool, GitError> {
        let name = format!("{commit}^{{tree}}");
        Ok(self.local("cat-file").args(["-e", &name]).output().await?.success)
    }

    /// Fetches, and when the mirror is found damaged, clones it again once.
    async fn fetch_specs<S: AsRef<str>>(&self, specs: &[S]) -> Result<(), GitError> {
        let _held = self.lock.lock().await;
        match self.fetch_locked(specs).await {
            Err(GitError::Corrupt { .. }) => {
                self.replace().await?;
                self.fetch_locked(specs).await
            }
            done => done,
        }
    }

    async fn fetch_locked<S: AsRef<str>>(&self, specs: &[S]) -> Result<(), GitError> {
        let flags = ["--quiet", "--no-tags", "--no-write-fetch-head", "--filter=blob:none"];
        self.network("fetch")
            .args(flags)
            .args(["--no-recurse-submodules", "--refmap=", "--end-of-options", "origin"])
            .args(specs.iter().map(AsRef::as_ref))
            .run()
            .await
            .map(drop)
    }

    /// Fetches contents by their object names, all in one go.
    pub(super) async fn fetch_blobs(&self, ids: &[String]) -> Result<(), GitError> {
        let _held = self.lock.lock().await;
        self.network("fetch")
            .args(["--quiet", "--no-tags", "--no-write-fetch-head", "--filter=blob:none"])
            .args(["--no-recurse-submodules", "--stdin", "origin"])
            .stdin(ids.iter().map(|id| format!("{id}\n")).collect::<String>())
            .run()
            .await
            .map(drop)
    }

    /// Throws a damaged mirror away and fetches what `commit` needs again.
    pub(super) async fn clone_again(&self, commit: &CommitSha) -> Result<(), GitError> {
        tracing::warn!(repo = %self.remote.repo(), "the mirror is damaged and is cloned again");
        let _held = self.lock.lock().await;
        self.replace().await?;
        self.fetch_locked(&[commit.as_str()]).await
    }

    async fn replace(&self) -> Result<(), GitError> {
        match tokio::fs::remove_dir_all(&self.dir).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(GitError::disk("a damaged mirror could not be removed")(error))
            }
            _ => self.lay_out().await,
        }
    }

    pub(super) fn local(&self, command: &'static str) -> Invocation<'_> {
        self.git.local(command, &self.dir)
    }

    pub(super) fn network(&self, command: &'static str) -> Invocation<'_> {
        self.git.network(command, &self.dir, &self.remote)
    }

    /// Writes the few files that make a folder a bare repository, so that their content is ours
    /// and no process is needed.
    async fn lay_out(&self) -> Result<(), GitError> {
        lay_out(&self.dir).await.map_err(GitError::disk(format!(
            "the mirror of {} could not be made in {}",
            self.remote.repo(),
            self.dir.display()
        )))
    }
}

const CONFIG: &str = "[core]\n\trepositoryFormatVersion = 1\n\tbare = true\n\
                      [extensions]\n\tpartialClone = origin\n";
/// Contents stay the bytes that they are, whatever `.gitattributes` of a repository say: no
/// filters, no line ends, no keywords, no drivers for diffs and merges.
const ATTRIBUTES: &str =
    "* -text !eol -ident !filter !working-tree-encoding !diff !merge !whitespace\n";

async fn lay_out(dir: &Path) -> std::io::Result<()> {
    let is_there =
        tokio::fs::read(dir.join("config")).await.is_ok_and(|it| it == CONFIG.as_bytes())
            && tokio::fs::try_exists(dir.join("HEAD")).await?;
    if is_there {
        return Ok(());
    }
    for folder in ["objects/info", "objects/pack", "refs/heads", "info"] {
        tokio::fs::create_dir_all(dir.join(folder)).await?;
    }
    tokio::fs::write(dir.join("info/attributes"), ATTRIBUTES).await?;
    tokio::fs::write(dir.join("HEAD"), "ref: refs/heads/main\n").await?;
    tokio::fs::write(dir.join("config"), CONFIG).await
}

fn local_ref(branch: &BranchName) -> String {
    format!("refs/drover/{}", hex::encode(Sha256::digest(branch.as_str())))
}

pub(super) fn commit_sha(command: &'static str, answer: &str) -> Result<CommitSha, GitError> {
    answer
        .trim_end()
        .parse()
        .map_err(|_| GitError::Answer { command, answer: answer.escape_debug().to_string() })
}
