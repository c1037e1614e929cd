//! The repository that steps find in their working copy: one commit, no history, no remote.
//!
//! Steps like `git grep -l old | xargs sed …` or `git mv` expect one. It is theirs: whatever they
//! do to it is never read again.

use super::{error::GitError, mirror::Mirror, reading::Dressed};
use drover::{changeset::spec::Author, names::CommitSha, time::Timestamp};
use std::path::Path;

const CONFIG: &str = "[core]\n\trepositoryFormatVersion = 0\n\tbare = false\n\
                      [user]\n\tname = Drover\n\temail = drover@localhost\n";

pub(super) async fn repository(
    mirror: &Mirror,
    tree: &Path,
    index: &Path,
    dressed: &Dressed,
    commit: &CommitSha,
) -> Result<(), GitError> {
    let nobody = Author { name: "Drover".to_owned(), email: "drover@localhost".to_owned() };
    let dir = tree.join(".git");
    lay_out(&dir, index).await.map_err(GitError::disk("a repository for steps failed"))?;
    if !dressed.entries.is_empty() {
        mirror
            .local("update-index")
            .env("GIT_INDEX_FILE", dir.join("index"))
            .args(["-z", "--index-info"])
            .stdin(dressed.entries.clone())
            .run()
            .await?;
    }
    let base = mirror
        .local("commit-tree")
        .identity(&nobody, &nobody, Timestamp(0))
        .env("GIT_OBJECT_DIRECTORY", dir.join("objects"))
        .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", mirror.dir.join("objects"))
        .args(["-m", "The state before the first step", &format!("{commit}^{{tree}}")])
        .run_word()
        .await?;
    mirror
        .local("pack-objects")
        .env("GIT_OBJECT_DIRECTORY", dir.join("objects"))
        .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", mirror.dir.join("objects"))
        .args(["--quiet", "--revs"])
        .args([dir.join("objects/pack/pack")])
        .stdin(format!("{base}\n"))
        .run()
        .await?;
    tokio::fs::write(dir.join("refs/heads/main"), format!("{base}\n"))
        .await
        .map_err(GitError::disk("a repository for steps failed"))
}

async fn lay_out(dir: &Path, index: &Path) -> std::io::Result<()> {
    for folder in ["objects/info", "objects/pack", "refs/heads", "info"] {
        tokio::fs::create_dir_all(dir.join(folder)).await?;
    }
    tokio::fs::write(dir.join("HEAD"), "ref: refs/heads/main\n").await?;
    tokio::fs::write(dir.join("config"), CONFIG).await?;
    tokio::fs::copy(index, dir.join("index")).await.map(drop)
}
