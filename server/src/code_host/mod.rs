//! What Drover needs of a code host, in words of the domain, and GitHub as the first one.
//!
//! - [`error`]: every failure, classified by what is to be done about it
//! - [`look`]: how repositories, branches and pull requests stand, many in one request
//! - [`looker`]: looks that are asked for at once are one request
//! - [`probe`]: what became of a pull request whose answer was lost
//! - [`github`]: GitHub and GitHub Enterprise Server
//!
//! An adapter performs one request and says what came of it. It never repeats a write and never
//! sleeps: whether to send something again is decided where the effect is recorded, because only
//! there it is known what was sent before. A write whose answer is lost is
//! [`CodeHostError::UnknownOutcome`], and must be probed before anything is sent again.
//!
//! Nothing of a vendor leaves its module: neither its client nor its words for states. The git
//! side of a repository is the business of [`crate::git`].

pub mod error;
pub mod github;
pub mod look;
pub mod looker;
pub mod probe;

pub use error::{CodeHostError, Limit, Rejection};

use async_trait::async_trait;
use drover::{
    campaign::spec::{RepoQuery, query::Activity},
    changeset::{Capabilities, Pull},
    names::{BranchName, CommitSha, HostRepoId, PullNumber, RepoName},
    time::Timestamp,
};
use look::{LookTarget, Looked};
use std::collections::BTreeMap;
use url::Url;

#[async_trait]
pub trait CodeHost: Send + Sync {
    /// What this code host can do.
    fn capabilities(&self) -> Capabilities;

    /// Whom the credential acts as.
    async fn whoami(&self) -> Result<Account, CodeHostError>;

    /// The repository, under the name that it has today.
    async fn find_repo(&self, name: &RepoName) -> Result<Option<RepoInfo>, CodeHostError>;

    /// The repository that had this number when it was read last, wherever it is today.
    async fn find_repo_by_id(&self, id: HostRepoId) -> Result<Option<RepoInfo>, CodeHostError>;

    /// How many things stand, in as few requests as there can be: an answer for each target, in
    /// their order, so that one that is gone or out of reach hides no other.
    async fn look(&self, targets: &[LookTarget]) -> Vec<Looked>;

    /// One page of the repositories that match. A page may be empty and still have a next one,
    /// for the code host lists and the query is matched here: one request per page, none per
    /// repository, and no search index that lags behind.
    async fn search_repos(
        &self,
        query: &RepoQuery,
        after: Option<&SearchCursor>,
    ) -> Result<RepoPage, CodeHostError>;

    /// The commit at the tip of a branch.
    async fn branch_head(
        &self,
        repo: &RepoName,
        branch: &BranchName,
    ) -> Result<Option<CommitSha>, CodeHostError>;

    async fn create_pull(&self, pull: &NewPull) -> Result<PullInfo, CodeHostError>;

    /// The pull requests from a branch in whatever state, the newest first, at most
    /// [`HEAD_PULLS_MAX`].
    async fn find_pull_by_head(
        &self,
        repo: &RepoName,
        owner: &str,
        branch: &BranchName,
    ) -> Result<Vec<PullInfo>, CodeHostError>;

    async fn get_pull(
        &self,
        repo: &RepoName,
        number: PullNumber,
    ) -> Result<PullInfo, CodeHostError>;

    /// Reads many at once: an entry for each, so that one that is gone or out of reach hides
    /// no other.
    async fn get_pulls(&self, pulls: &[(RepoName, PullNumber)]) -> Result<Pulls, CodeHostError>;

    /// Writes what the change names, and leaves the rest as it is.
    async fn update_pull(
        &self,
        repo: &RepoName,
        number: PullNumber,
        change: &PullChange,
    ) -> Result<PullInfo, CodeHostError>;

    async fn close_pull(
        &self,
        repo: &RepoName,
        number: PullNumber,
    ) -> Result<PullInfo, CodeHostError>;

    async fn reopen_pull(
        &self,
        repo: &RepoName,
        number: PullNumber,
    ) -> Result<PullInfo, CodeHostError>;

    async fn mark_ready(
        &self,
        repo: &RepoName,
        number: PullNumber,
    ) -> Result<PullInfo, CodeHostError>;

    async fn convert_to_draft(
        &self,
        repo: &RepoName,
        number: PullNumber,
    ) -> Result<PullInfo, CodeHostError>;
}

/// The pull requests that one look for a branch gives, at most.
pub const HEAD_PULLS_MAX: u32 = 100;

/// Whom a credential acts as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The login on the code host.
    pub name: String,
    /// What the token may do, where the code host tells.
    pub scopes: Option<Vec<String>>,
}

/// A repository as the code host describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepoInfo {
    pub id: HostRepoId,
    pub name: RepoName,
    pub default_branch: BranchName,
    pub activity: Activity,
    pub language: Option<String>,
    pub topics: Vec<String>,
    pub can_push: bool,
    /// On a host that the credential may be sent to, and without a user or a password.
    pub clone_url: Url,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepoPage {
    pub repos: Vec<RepoInfo>,
    /// The names of repositories of which the code host told something that cannot be read:
    /// whether they match is not known.
    pub unread: Vec<String>,
    /// `None` on the last page.
    pub next: Option<SearchCursor>,
}

/// Where the next page of a search starts. Its text means something to its code host alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchCursor(String);

/// A pull request to be opened, from a branch of the same repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPull {
    pub repo: RepoName,
    pub head: BranchName,
    pub base: BranchName,
    pub title: String,
    /// With the changeset's mark, see [`drover::changeset::marker`].
    pub body: String,
    pub readiness: Readiness,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    Draft,
    Ready,
}

/// What to write to a pull request; `None` leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullChange {
    pub title: Option<String>,
    pub body: Option<String>,
    pub base: Option<BranchName>,
}

/// What many reads at once gave.
pub type Pulls = BTreeMap<(RepoName, PullNumber), Result<PullInfo, CodeHostError>>;

/// A pull request, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullInfo {
    /// The name that the repository has today.
    pub repo: RepoName,
    pub pull: Pull,
    /// The branch that it comes from.
    pub head_branch: BranchName,
    /// The page for people.
    pub url: Url,
    /// When it changed last.
    pub updated_at: Timestamp,
}
