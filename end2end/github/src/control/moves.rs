//! Repositories that get another name, another owner or other readers, or go.

use super::{Control, ControlError};
use crate::{error::ApiError, repos, state::Visibility};

impl Control {
    /// Gives a repository another name; the old one leads to it until somebody takes it.
    pub async fn rename_repo(&self, repo: &str, name: &str) -> Result<(), ControlError> {
        let at = self.at(repo, "ghost")?;
        let owner = at.repo.owner.clone();
        repos::rename(&self.github, &at.key(), &owner, name, &owner).await?;
        Ok(())
    }

    /// Gives a repository another owner, who must be there.
    pub async fn transfer_repo(&self, repo: &str, owner: &str) -> Result<(), ControlError> {
        let at = self.at(repo, "ghost")?;
        let accounts = self.github.store.accounts();
        let missing = || ControlError::NoAccount { login: owner.to_owned() };
        let owner = accounts.find(owner).ok_or_else(missing)?.login.clone();
        repos::rename(&self.github, &at.key(), &owner, &at.repo.name, &at.repo.owner).await?;
        Ok(())
    }

    /// Deletes a repository with all that it has. A new one of the name has another id.
    pub async fn delete_repo(&self, repo: &str) -> Result<(), ControlError> {
        let at = self.at(repo, "ghost")?;
        Ok(repos::delete(&self.github, &at.key(), &at.repo.owner).await?)
    }

    pub fn set_visibility(&self, repo: &str, visibility: Visibility) -> Result<(), ControlError> {
        let at = self.at(repo, "ghost")?;
        Ok(at.update(|repo| {
            repo.visibility = visibility;
            Ok::<_, ApiError>(())
        })?)
    }
}
