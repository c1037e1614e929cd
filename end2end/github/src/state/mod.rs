//! What the stand-in remembers: accounts and repositories with their pull requests.
//!
//! Plain data, saved as JSON beside the bare repositories. Commits, trees and branches are not
//! here: git has them, and two memories of one fact would drift.

mod account;
mod merging;
mod pull;
mod repo;
mod store;

pub use account::Access;
pub(crate) use account::{Account, AccountKind, Accounts, is_account_name};
pub(crate) use merging::{
    MergeMessage, MergeTitle, MergedHeads, Merging, Method, SquashMessage, SquashTitle,
};
pub(crate) use pull::{Comment, Pull, PullState, Readiness, Review, Tip, Verdict};
pub(crate) use repo::{BranchChange, Hook, HookConfig, Repo, RepoKey, is_repo_name};
pub use repo::{Protection, Visibility};
pub(crate) use store::{Freshness, Renamed, Store, StoreError};
