//! Branches that somebody moves by force.

use super::{Control, ControlError};
use crate::{
    git::{RefChange, RefMove, RefMoved, is_branch_name},
    pushes,
    state::Protection,
};

impl Control {
    /// Protects a branch against pushes; what may be merged into it `block_branch` says.
    pub fn protect_branch(
        &self,
        repo: &str,
        branch: &str,
        against: Protection,
    ) -> Result<(), ControlError> {
        self.change(repo, |repo| {
            repo.protections.insert(branch.to_owned(), against);
        })
    }

    pub fn unprotect_branch(&self, repo: &str, branch: &str) -> Result<(), ControlError> {
        self.change(repo, |repo| {
            repo.protections.remove(branch);
        })
    }

    /// Puts a branch on any commit, as a push by force does, and makes it when it is not there.
    /// The commit is named by a sha, or by a branch or tag that is on it.
    pub async fn force_push(
        &self,
        repo: &str,
        branch: &str,
        to: &str,
        by: &str,
    ) -> Result<(), ControlError> {
        let at = self.at(repo, by)?;
        if !is_branch_name(branch) {
            let text = branch.to_owned();
            return Err(ControlError::Name { text, kind: "name of a branch" });
        }
        let missing = || ControlError::NoBranch { repo: repo.to_owned(), branch: to.to_owned() };
        let to = at.git.find_commit(to).await?.ok_or_else(missing)?;
        let _turn = self.github.push_locks.lock(&at.key()).await;
        let moved = match at.git.branch_tip(branch).await? {
            Some(from) if from == to => return Ok(()),
            Some(from) => RefMove::Updated { from, to },
            None => RefMove::Created { sha: to },
        };
        let change = RefChange { name: format!("refs/heads/{branch}"), moved };
        match at.git.move_ref(&change).await? {
            RefMoved::Done => Ok(pushes::record(&self.github, &at.key(), &[change], by).await?),
            RefMoved::Refused { why } => Err(ControlError::Refused(why)),
        }
    }
}
