//! Merges without a work tree, the way GitHub's three buttons do.

use super::{Commit, Git, GitError, Signature};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MergeMethod {
    Merge,
    Squash,
    Rebase,
}

/// What became of a merge: the commit that the base would move to, or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MergeOutcome {
    Built { sha: String },
    Conflict,
}

pub(crate) struct MergeOrder<'a> {
    pub(crate) method: MergeMethod,
    pub(crate) base: &'a str,
    pub(crate) head: &'a str,
    pub(crate) message: &'a str,
    /// Of a merge or a squash; a rebase keeps each commit's own.
    pub(crate) author: &'a Signature,
    pub(crate) committer: &'a Signature,
}

impl Git {
    /// Builds the commit that the base shall move to; moves nothing.
    pub(crate) async fn build_merge(
        &self,
        order: &MergeOrder<'_>,
    ) -> Result<MergeOutcome, GitError> {
        match order.method {
            MergeMethod::Merge => self.build_one(order, &[order.base, order.head]).await,
            MergeMethod::Squash => self.build_one(order, &[order.base]).await,
            MergeMethod::Rebase => self.build_rebase(order).await,
        }
    }

    async fn build_one(
        &self,
        order: &MergeOrder<'_>,
        parents: &[&str],
    ) -> Result<MergeOutcome, GitError> {
        let Some(tree) = self.merged_tree(order.base, order.head).await? else {
            return Ok(MergeOutcome::Conflict);
        };
        let sha =
            self.write_commit(&tree, parents, order.message, order.author, order.committer).await?;
        Ok(MergeOutcome::Built { sha })
    }

    /// Replays every commit of the head on the base; GitHub writes new commits even when the
    /// head stands on the base already.
    async fn build_rebase(&self, order: &MergeOrder<'_>) -> Result<MergeOutcome, GitError> {
        let mut tip = order.base.to_owned();
        for commit in self.commits_between(order.base, order.head).await? {
            let Commit { sha, parents, author, message, .. } = commit;
            let [parent] = &parents[..] else {
                // GitHub cannot rebase merge commits.
                return Ok(MergeOutcome::Conflict);
            };
            let Some(tree) = self.replayed_tree(&tip, &sha, parent).await? else {
                return Ok(MergeOutcome::Conflict);
            };
            tip = self.write_commit(&tree, &[&tip], &message, &author, order.committer).await?;
        }
        Ok(MergeOutcome::Built { sha: tip })
    }

    /// The tree of a commit replayed on a tip, or none when it conflicts.
    ///
    /// `merge-tree --merge-base` would be shorter, but git has it since 2.40 only, and Debian 12
    /// comes with 2.39. Commits that nobody sees say the same: the tip's and the commit's tree,
    /// both on the parent's, have the parent for their merge base whatever the history is.
    async fn replayed_tree(
        &self,
        tip: &str,
        commit: &str,
        parent: &str,
    ) -> Result<Option<String>, GitError> {
        let base = self.unseen_commit(parent, &[]).await?;
        let ours = self.unseen_commit(tip, &[&base]).await?;
        let theirs = self.unseen_commit(commit, &[&base]).await?;
        self.merged_tree(&ours, &theirs).await
    }

    async fn unseen_commit(&self, of: &str, parents: &[&str]) -> Result<String, GitError> {
        let (name, email) = ("stand-in".to_owned(), "stand-in@localhost".to_owned());
        // Always the same commit for the same trees.
        let by = Signature { name, email, at: "2000-01-01T00:00:00Z".to_owned() };
        self.write_commit(&format!("{of}^{{tree}}"), parents, "unseen", &by, &by).await
    }

    /// The tree of a three-way merge, or none when it conflicts.
    async fn merged_tree(&self, ours: &str, theirs: &str) -> Result<Option<String>, GitError> {
        let args = ["merge-tree", "--write-tree", "--no-messages", "--", ours, theirs];
        let ended = self.try_run(&args, &[], &[]).await?;
        match ended.code {
            0 => Ok(Some(String::from_utf8_lossy(&ended.stdout).trim().to_owned())),
            1 => Ok(None),
            code => Err(GitError::Failed { command: args.join(" "), code, stderr: ended.stderr }),
        }
    }
}
