use super::{Control, ControlError, NewCommit, NewRepo};
use crate::{
    faults::{DeliveryRule, Rule},
    quota::{Resource, Strictness},
    state::{Access, Protection, Visibility},
};
use serde::Deserialize;
use serde_json::{Value, json};

/// What can be asked for by `POST /_control/actions`.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    CreateUser {
        login: String,
        token: String,
    },
    CreateOrganisation {
        login: String,
    },
    GrantToken {
        token: String,
        login: String,
    },
    RevokeToken {
        token: String,
    },
    CreateRepo(NewRepo),
    /// What a user may do with a repository from now on.
    #[serde(alias = "set_permission")]
    Grant {
        repo: String,
        login: String,
        access: Access,
    },
    Archive {
        repo: String,
    },
    Unarchive {
        repo: String,
    },
    RenameRepo {
        repo: String,
        name: String,
    },
    TransferRepo {
        repo: String,
        owner: String,
    },
    DeleteRepo {
        repo: String,
    },
    SetVisibility {
        repo: String,
        visibility: Visibility,
    },
    BlockBranch {
        repo: String,
        branch: String,
        reason: String,
    },
    UnblockBranch {
        repo: String,
        branch: String,
    },
    ProtectBranch {
        repo: String,
        branch: String,
        against: Protection,
    },
    UnprotectBranch {
        repo: String,
        branch: String,
    },
    Commit(NewCommit),
    DeleteBranch {
        repo: String,
        branch: String,
        by: String,
    },
    /// Puts a branch on a commit whatever it is on now, and makes it when it is not there.
    ForcePush {
        repo: String,
        branch: String,
        to: String,
        by: String,
    },
    OpenPull {
        repo: String,
        by: String,
        title: String,
        head: String,
        base: String,
    },
    ClosePull {
        repo: String,
        number: u64,
        by: String,
    },
    ReopenPull {
        repo: String,
        number: u64,
        by: String,
    },
    MergePull {
        repo: String,
        number: u64,
        by: String,
    },
    Fault(Rule),
    DeliveryFault(DeliveryRule),
    ClearFaults,
    Limit {
        resource: Resource,
        requests: u64,
        window_secs: u32,
    },
    Be {
        strictness: Strictness,
    },
    ClearLimits,
    ClearRequests,
    Reset,
}

impl Control {
    /// Does what was asked for over HTTP, and says what came of it where something does.
    pub(super) async fn perform(&self, action: Action) -> Result<Value, ControlError> {
        match action {
            Action::CreateUser { login, token } => self.create_user(&login, &token)?,
            Action::CreateOrganisation { login } => self.create_organisation(&login)?,
            Action::GrantToken { token, login } => self.grant_token(&token, &login)?,
            Action::RevokeToken { token } => self.revoke_token(&token)?,
            Action::CreateRepo(wish) => self.create_repo(wish).await?,
            Action::Grant { repo, login, access } => self.grant(&repo, &login, access)?,
            Action::Archive { repo } => self.archive(&repo)?,
            Action::Unarchive { repo } => self.unarchive(&repo)?,
            Action::RenameRepo { repo, name } => self.rename_repo(&repo, &name).await?,
            Action::TransferRepo { repo, owner } => self.transfer_repo(&repo, &owner).await?,
            Action::DeleteRepo { repo } => self.delete_repo(&repo).await?,
            Action::SetVisibility { repo, visibility } => {
                self.set_visibility(&repo, visibility)?;
            }
            Action::BlockBranch { repo, branch, reason } => {
                self.block_branch(&repo, &branch, &reason)?;
            }
            Action::UnblockBranch { repo, branch } => self.unblock_branch(&repo, &branch)?,
            Action::ProtectBranch { repo, branch, against } => {
                self.protect_branch(&repo, &branch, against)?;
            }
            Action::UnprotectBranch { repo, branch } => self.unprotect_branch(&repo, &branch)?,
            Action::Commit(wish) => return Ok(json!({ "sha": self.commit(&wish).await? })),
            Action::DeleteBranch { repo, branch, by } => {
                self.delete_branch(&repo, &branch, &by).await?;
            }
            Action::ForcePush { repo, branch, to, by } => {
                self.force_push(&repo, &branch, &to, &by).await?;
            }
            Action::OpenPull { repo, by, title, head, base } => {
                let number = self.open_pull(&repo, &by, &title, &head, &base).await?;
                return Ok(json!({ "number": number }));
            }
            Action::ClosePull { repo, number, by } => self.close_pull(&repo, number, &by).await?,
            Action::ReopenPull { repo, number, by } => {
                self.reopen_pull(&repo, number, &by).await?;
            }
            Action::MergePull { repo, number, by } => {
                return Ok(json!({ "sha": self.merge_pull(&repo, number, &by).await? }));
            }
            Action::Fault(rule) => self.fault(rule),
            Action::DeliveryFault(rule) => self.delivery_fault(rule),
            Action::ClearFaults => self.clear_faults(),
            Action::Limit { resource, requests, window_secs } => {
                self.limit(resource, requests, window_secs);
            }
            Action::Be { strictness } => self.be(strictness),
            Action::ClearLimits => self.clear_limits(),
            Action::ClearRequests => self.clear_requests(),
            Action::Reset => self.reset()?,
        }
        Ok(json!({}))
    }
}
