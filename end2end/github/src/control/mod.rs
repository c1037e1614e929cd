//! Acting on the stand-in from outside, as Rust methods and as endpoints below `/_control/`.
//!
//! Here a test or a demo plays everybody else: the colleague who pushes, merges or archives, the
//! administrator who revokes a token, and the network that fails.

mod action;
mod branches;
mod error;
mod http;
mod moves;
mod repos;

pub use action::Action;
pub use error::ControlError;
pub(crate) use http::routes;
pub use repos::{FileContent, NewCommit, NewRepo, PullSummary};

use crate::{
    clock::now,
    faults::{DeliveryRule, Rule},
    github::Github,
    hooks::Delivery,
    quota::{Resource, Strictness},
    requests::{Class, Exchange},
    state::{AccountKind, is_account_name},
};
use std::{collections::BTreeMap, sync::Arc};

/// A handle to a running stand-in; clones act on the same one.
#[derive(Clone)]
pub struct Control {
    github: Arc<Github>,
}

impl Control {
    pub(crate) fn new(github: Arc<Github>) -> Self {
        Self { github }
    }

    /// Makes a user, if there is none of the name yet, and lets a token speak for him.
    pub fn create_user(&self, login: &str, token: &str) -> Result<(), ControlError> {
        self.create_account(login, AccountKind::User)?;
        self.grant_token(token, login)
    }

    pub fn create_organisation(&self, login: &str) -> Result<(), ControlError> {
        self.create_account(login, AccountKind::Organisation)
    }

    /// Lets one more token speak for a user.
    pub fn grant_token(&self, token: &str, login: &str) -> Result<(), ControlError> {
        Ok(self.github.store.update_accounts(|accounts| accounts.grant_token(token, login))?)
    }

    /// From now on the token is as unknown as one that never was.
    pub fn revoke_token(&self, token: &str) -> Result<(), ControlError> {
        Ok(self.github.store.update_accounts(|accounts| accounts.revoke_token(token))?)
    }

    /// Orders a fault.
    pub fn fault(&self, rule: Rule) {
        self.github.faults.add(rule);
    }

    /// Orders a fault of webhooks.
    pub fn delivery_fault(&self, rule: DeliveryRule) {
        self.github.faults.add_for_deliveries(rule);
    }

    pub fn clear_faults(&self) {
        self.github.faults.clear();
    }

    /// Holds a limit for a resource, for every identity and beginning now.
    pub fn limit(&self, resource: Resource, requests: u64, window_secs: u32) {
        let window = chrono::TimeDelta::seconds(i64::from(window_secs));
        self.github.quotas.limit(resource, requests, window);
    }

    /// Holds GitHub's limits, the secondary ones too, or only tells of them.
    pub fn be(&self, strictness: Strictness) {
        self.github.quotas.be(strictness);
    }

    /// Forgets every limit that was asked for, and all that was counted.
    pub fn clear_limits(&self) {
        self.github.quotas.clear();
    }

    /// All requests so far, oldest first; those below `/_control/` are not among them.
    #[must_use]
    pub fn requests(&self) -> Vec<Exchange> {
        self.github.requests.list()
    }

    /// How many requests there were of each class.
    #[must_use]
    pub fn request_counts(&self) -> BTreeMap<Class, u64> {
        self.github.requests.counts()
    }

    /// How many requests were made with this method to a path that ends so.
    #[must_use]
    pub fn count_requests(&self, method: &str, path_end: &str) -> usize {
        let fits = |it: &Exchange| it.method == method && it.path.ends_with(path_end);
        self.requests().iter().filter(|exchange| fits(exchange)).count()
    }

    pub fn clear_requests(&self) {
        self.github.requests.clear();
    }

    /// All deliveries of webhooks so far, oldest first.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.github.deliveries.list()
    }

    /// What did not hold against GitHub's OpenAPI description so far.
    #[cfg(feature = "conformance")]
    #[must_use]
    pub fn violations(&self) -> Vec<crate::conformance::Violation> {
        self.github
            .conformance
            .as_ref()
            .map(crate::conformance::Judge::violations)
            .unwrap_or_default()
    }

    /// Forgets everything: accounts, repositories, faults and logs.
    pub fn reset(&self) -> Result<(), ControlError> {
        self.github.store.clear()?;
        self.github.faults.clear();
        self.github.quotas.clear();
        self.github.requests.clear();
        self.github.deliveries.clear();
        Ok(())
    }

    fn create_account(&self, login: &str, kind: AccountKind) -> Result<(), ControlError> {
        if !is_account_name(login) {
            return Err(ControlError::Name { text: login.to_owned(), kind: "login" });
        }
        self.github.store.update_accounts(|accounts| accounts.insert(login, kind, now()))?;
        Ok(())
    }
}
