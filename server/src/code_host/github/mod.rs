//! GitHub and GitHub Enterprise Server, through octocrab.
//!
//! - [`address`]: where the API is, and which hosts the token may be sent to
//! - `client`: one request: limits, redirects, conditional reads, what is counted
//! - `answer`: what a status means
//! - `limits`: no request while GitHub asks to wait
//! - `repos`, `pulls`, `graphql`: what is asked
//! - `look`, `look_rest`: how many things stand, in one query, or where there is none one by one
//! - `model`: what is read of the answers
//!
//! octocrab gives the transport, TLS and the credential. Three things of it are not used:
//! its retry, which sends a POST again after an answer was lost; its typed models, which refuse
//! an answer for a field that nobody reads; and its cache, which grows without a bound. Its
//! redirects are off too: they turn a POST into a GET and leave the host.

pub mod address;
mod answer;
mod client;
mod graphql;
mod limits;
mod look;
mod look_rest;
mod model;
mod pulls;
mod repos;

pub use client::{Counts, SetupError, Timeouts};

use super::{
    Account, CodeHost, CodeHostError, NewPull, PullChange, PullInfo, Pulls, RepoInfo, RepoPage,
    SearchCursor,
    look::{LookTarget, Looked},
};
use address::ApiAddress;
use async_trait::async_trait;
use client::Client;
use drover::{
    campaign::spec::RepoQuery,
    changeset::{Capabilities, Support},
    names::{BranchName, CommitSha, HostRepoId, PullNumber, RepoName},
    time::Timestamp,
};
use graphql::Draft;
use pulls::Wanted;
use secrecy::SecretString;

/// One GitHub as one credential sees it.
pub struct GitHub {
    client: Client,
}

impl GitHub {
    /// `clock` turns GitHub's "in so many seconds" into a point in time.
    pub fn new(
        address: ApiAddress,
        token: SecretString,
        timeouts: Timeouts,
        clock: fn() -> Timestamp,
    ) -> Result<Self, SetupError> {
        Ok(Self { client: Client::new(address, token, timeouts, clock)? })
    }

    /// The requests that were sent since this was made.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.client.counts()
    }
}

#[async_trait]
impl CodeHost for GitHub {
    fn capabilities(&self) -> Capabilities {
        Capabilities { drafts: Support::Yes, conversion: Support::Yes, reopen: Support::Yes }
    }

    async fn whoami(&self) -> Result<Account, CodeHostError> {
        repos::whoami(&self.client).await
    }

    async fn find_repo(&self, name: &RepoName) -> Result<Option<RepoInfo>, CodeHostError> {
        repos::find(&self.client, name).await
    }

    async fn find_repo_by_id(&self, id: HostRepoId) -> Result<Option<RepoInfo>, CodeHostError> {
        repos::find_by_id(&self.client, id).await
    }

    async fn look(&self, targets: &[LookTarget]) -> Vec<Looked> {
        look::look(&self.client, targets).await
    }

    async fn search_repos(
        &self,
        query: &RepoQuery,
        after: Option<&SearchCursor>,
    ) -> Result<RepoPage, CodeHostError> {
        repos::search(&self.client, query, after).await
    }

    async fn branch_head(
        &self,
        repo: &RepoName,
        branch: &BranchName,
    ) -> Result<Option<CommitSha>, CodeHostError> {
        repos::branch_head(&self.client, repo, branch).await
    }

    async fn create_pull(&self, pull: &NewPull) -> Result<PullInfo, CodeHostError> {
        pulls::create(&self.client, pull).await
    }

    async fn find_pull_by_head(
        &self,
        repo: &RepoName,
        owner: &str,
        branch: &BranchName,
    ) -> Result<Vec<PullInfo>, CodeHostError> {
        pulls::find_by_head(&self.client, repo, owner, branch).await
    }

    async fn get_pull(
        &self,
        repo: &RepoName,
        number: PullNumber,
    ) -> Result<PullInfo, CodeHostError> {
        Ok(pulls::load(&self.client, repo, number).await?.info)
    }

    async fn get_pulls(&self, pulls: &[(RepoName, PullNumber)]) -> Result<Pulls, CodeHostError> {
        graphql::load_pulls(&self.client, pulls).await
    }

    async fn update_pull(
        &self,
        repo: &RepoName,
        number: PullNumber,
        change: &PullChange,
    ) -> Result<PullInfo, CodeHostError> {
        pulls::update(&self.client, repo, number, change).await
    }

    async fn close_pull(
        &self,
        repo: &RepoName,
        number: PullNumber,
    ) -> Result<PullInfo, CodeHostError> {
        pulls::set_state(&self.client, repo, number, Wanted::Closed).await
    }

    async fn reopen_pull(
        &self,
        repo: &RepoName,
        number: PullNumber,
    ) -> Result<PullInfo, CodeHostError> {
        pulls::set_state(&self.client, repo, number, Wanted::Open).await
    }

    async fn mark_ready(
        &self,
        repo: &RepoName,
        number: PullNumber,
    ) -> Result<PullInfo, CodeHostError> {
        graphql::set_draft(&self.client, repo, number, Draft::Off).await
    }

    async fn convert_to_draft(
        &self,
        repo: &RepoName,
        number: PullNumber,
    ) -> Result<PullInfo, CodeHostError> {
        graphql::set_draft(&self.client, repo, number, Draft::On).await
    }
}
