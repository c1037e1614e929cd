use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// GitHub's own limit for logins.
const LOGIN_LEN_MAX: usize = 39;

/// What somebody may do with a repository; later ones include earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    None,
    Read,
    Write,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AccountKind {
    User,
    Organisation,
}

/// A user or an organisation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) id: u64,
    pub(crate) login: String,
    pub(crate) kind: AccountKind,
    pub(crate) created_at: DateTime<Utc>,
}

/// Everybody who is known, and the tokens they carry.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Accounts {
    last_id: u64,
    last_repo_id: u64,
    /// By login in lower case, since GitHub does not tell `Acme` from `acme`.
    by_login: BTreeMap<String, Account>,
    /// From a token to the login of its user. A revoked token is removed: GitHub does not tell
    /// it from one that never was.
    tokens: BTreeMap<String, String>,
}

impl Accounts {
    pub(crate) fn find(&self, login: &str) -> Option<&Account> {
        self.by_login.get(&login.to_lowercase())
    }

    /// Adds an account, or returns the one that has the login already.
    pub(crate) fn insert(&mut self, login: &str, kind: AccountKind, now: DateTime<Utc>) -> Account {
        if let Some(known) = self.find(login) {
            return known.clone();
        }
        self.last_id += 1;
        let account = Account { id: self.last_id, login: login.to_owned(), kind, created_at: now };
        self.by_login.insert(login.to_lowercase(), account.clone());
        account
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Account> {
        self.by_login.values()
    }

    pub(crate) fn grant_token(&mut self, token: &str, login: &str) {
        self.tokens.insert(token.to_owned(), login.to_owned());
    }

    pub(crate) fn revoke_token(&mut self, token: &str) {
        self.tokens.remove(token);
    }

    pub(crate) fn owner_of_token(&self, token: &str) -> Option<&str> {
        self.tokens.get(token).map(String::as_str)
    }

    pub(crate) fn next_repo_id(&mut self) -> u64 {
        self.last_repo_id += 1;
        self.last_repo_id
    }
}

pub(crate) fn is_account_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LOGIN_LEN_MAX
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !RESERVED.contains(&text.to_lowercase().as_str())
}

/// First segments of paths that the stand-in itself answers.
const RESERVED: [&str; 10] = [
    "api",
    "graphql",
    "meta",
    "orgs",
    "rate_limit",
    "repos",
    "search",
    "user",
    "users",
    "style.css",
];
