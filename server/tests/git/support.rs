//! Bare repositories on disk as a code host, and git as a person runs it.

use drover::{
    changeset::{
        push_target::{BranchFacts, Protection, PushTarget, TipOf},
        spec::Author,
    },
    names::{BranchName, CommitSha, RepoName},
    time::Timestamp,
};
use drover_server::git::{
    GitConfig,
    commit::CommitRequest,
    error::GitError,
    mirror::{Mirror, Mirrors},
    patch::Diff,
    remote::{GitBase, Remote},
};
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tempfile::TempDir;

pub(super) struct Host {
    pub(super) dir: TempDir,
    pub(super) mirrors: Mirrors,
}

impl Host {
    pub(super) fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let mirrors = Mirrors::new(GitConfig::default(), dir.path().join("mirrors"));
        Self { dir, mirrors }
    }

    pub(super) fn path(&self, repo: &str) -> PathBuf {
        self.dir.path().join("host").join(format!("{repo}.git"))
    }

    /// Makes a repository with these files on `main`.
    pub(super) fn repository(&self, repo: &str, files: &[(&str, &str)]) -> CommitSha {
        let path = self.path(repo);
        std::fs::create_dir_all(&path).unwrap();
        git(&path, &["init", "--quiet", "--bare", "--initial-branch=main", "."], "");
        git(&path, &["config", "uploadpack.allowFilter", "true"], "");
        git(&path, &["config", "uploadpack.allowAnySHA1InWant", "true"], "");
        self.commit(repo, "main", files)
    }

    /// Commits exactly these files to a branch, behind the back of Drover.
    pub(super) fn commit(&self, repo: &str, branch: &str, files: &[(&str, &str)]) -> CommitSha {
        let entries: Vec<String> = files
            .iter()
            .map(|(path, text)| {
                let id = git(&self.path(repo), &["hash-object", "-w", "--stdin"], text);
                format!("100644 blob {id}\t{path}\0")
            })
            .collect();
        self.commit_entries(repo, branch, entries.concat())
    }

    /// Commits entries of `git update-index -z --index-info` to a branch.
    pub(super) fn commit_entries(
        &self,
        repo: &str,
        branch: &str,
        entries: impl AsRef<[u8]>,
    ) -> CommitSha {
        let path = self.path(repo);
        let index = path.join("test-index");
        let _ = std::fs::remove_file(&index);
        let set = format!("GIT_INDEX_FILE={}", index.display());
        let run =
            |args: &[&str], stdin: &[u8]| git_with(&path, &[&set], args, stdin).expect("git works");
        run(&["update-index", "-z", "--index-info"], entries.as_ref());
        let tree = run(&["write-tree"], b"");
        self.commit_tree(repo, branch, &tree)
    }

    pub(super) fn commit_tree(&self, repo: &str, branch: &str, tree: &str) -> CommitSha {
        let path = self.path(repo);
        let name = format!("refs/heads/{branch}");
        let parent = git_with(&path, &[], &["rev-parse", "--verify", "--quiet", &name], b"");
        let mut args = vec!["commit-tree", tree, "-m", "by somebody"];
        if let Ok(parent) = &parent {
            args.extend(["-p", parent]);
        }
        let commit = git(&path, &args, "");
        git(&path, &["update-ref", &name, &commit], "");
        commit.parse().unwrap()
    }

    pub(super) fn remote(&self, repo: &str) -> Remote {
        let base = format!("file://{}", self.dir.path().join("host").display());
        Remote::new(&GitBase::parse(&base).unwrap(), &repo.parse::<RepoName>().unwrap(), None)
    }

    pub(super) async fn mirror(&self, repo: &str) -> Mirror {
        self.mirrors.open(self.remote(repo)).await.unwrap()
    }

    pub(super) fn scratch(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) fn git(&self, repo: &str, args: &[&str]) -> String {
        git(&self.path(repo), args, "")
    }
}

pub(super) fn git(dir: &Path, args: &[&str], stdin: &str) -> String {
    git_with(dir, &[], args, stdin.as_bytes()).unwrap_or_else(|error| panic!("{args:?}: {error}"))
}

pub(super) fn git_with(
    dir: &Path,
    env: &[&str],
    args: &[&str],
    stdin: &[u8],
) -> Result<String, String> {
    let mut child = Command::new("env")
        .args(["GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null"])
        .args(["GIT_AUTHOR_NAME=S", "GIT_AUTHOR_EMAIL=s@x", "GIT_COMMITTER_NAME=S"])
        .args(["GIT_COMMITTER_EMAIL=s@x", "GIT_AUTHOR_DATE=@9 +0000"])
        .args(["GIT_COMMITTER_DATE=@9 +0000"])
        .args(env)
        .arg("git")
        .args(args)
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _ = child.stdin.take().unwrap().write_all(stdin);
    let output = child.wait_with_output().unwrap();
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// A branch that nobody minds being pushed to.
pub(super) fn target(name: &str) -> PushTarget {
    let facts = BranchFacts {
        default_branch: None,
        base: &branch("main"),
        bases: &[],
        protection: Protection::Open,
        tip: TipOf::NobodyElse,
    };
    PushTarget::check(&branch(name), &facts).unwrap()
}

pub(super) fn branch(name: &str) -> BranchName {
    name.parse().unwrap()
}

pub(super) fn somebody() -> Author {
    Author { name: "Ada L".to_owned(), email: "ada@example.com".to_owned() }
}

/// Commits a diff with everything else fixed.
pub(super) async fn commit(
    mirror: &Mirror,
    base: &CommitSha,
    diff: &Diff,
) -> Result<CommitSha, GitError> {
    let who = somebody();
    mirror
        .commit(&CommitRequest {
            base,
            diff,
            message: "Change things\n\nBecause.\n",
            author: &who,
            committer: &who,
            at: Timestamp(1_700_000_000_000),
        })
        .await
}

/// A diff that adds one file.
pub(super) fn addition(path: &str, mode: &str, text: &str) -> String {
    let id = git(Path::new("/"), &["hash-object", "--stdin"], text);
    let zero = "0".repeat(40);
    let lines: Vec<&str> = text.lines().collect();
    let body: String = lines.iter().map(|line| format!("+{line}\n")).collect();
    let end = if text.ends_with('\n') { "" } else { "\\ No newline at end of file\n" };
    format!(
        "diff --git a/{path} b/{path}\nnew file mode {mode}\nindex {zero}..{id}\n\
         --- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{} @@\n{body}{end}",
        lines.len()
    )
}

pub(super) fn parsed(text: &str) -> Diff {
    Diff::parse(text.as_bytes().to_vec()).unwrap().unwrap()
}
