//! Merges without a work tree, the way GitHub's three buttons do.

use super::{Commit, Git, GitError, Signature};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MergeMethod {
    Merge,
    Squash,
    Rebase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mergeability {
    Clean,
    Conflicting,
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
    pub(crate) by: &'a Signature,
}

impl Git {
    pub(crate) async fn mergeability(
        &self,
        base: &str,
        head: &str,
    ) -> Result<Mergeability, GitError> {
        Ok(match self.merged_tree(base, head, None).await? {
            Some(_) => Mergeability::Clean,
            None => Mergeability::Conflicting,
        })
    }

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
        let Some(tree) = self.merged_tree(order.base, order.head, None).await? else {
            return Ok(MergeOutcome::Conflict);
        };
        let sha = self.write_commit(&tree, parents, order.message, order.by, order.by).await?;
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
            let Some(tree) = self.merged_tree(&tip, &sha, Some(parent)).await? else {
                return Ok(MergeOutcome::Conflict);
            };
            tip = self.write_commit(&tree, &[&tip], &message, &author, order.by).await?;
        }
        Ok(MergeOutcome::Built { sha: tip })
    }

    /// The tree of a three-way merge, or none when it conflicts.
    async fn merged_tree(
        &self,
        ours: &str,
        theirs: &str,
        base: Option<&str>,
    ) -> Result<Option<String>, GitError> {
        let base = base.map(|base| format!("--merge-base={base}"));
        let mut args = vec!["merge-tree", "--write-tree", "--no-messages"];
        args.extend(base.as_deref());
        args.extend(["--", ours, theirs]);
        let ended = self.try_run(&args, &[], &[]).await?;
        match ended.code {
            0 => Ok(Some(String::from_utf8_lossy(&ended.stdout).trim().to_owned())),
            1 => Ok(None),
            code => Err(GitError::Failed { command: args.join(" "), code, stderr: ended.stderr }),
        }
    }
}
