use super::{Access, Merging, Pull};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// GitHub's own limit for names of repositories.
const REPO_NAME_LEN_MAX: usize = 100;
/// Ids of comments, reviews and hooks are made from the repository's id and a counter of its own,
/// so that a change touches one file.
const ITEMS_PER_REPO_MAX: u64 = 1_000_000;

/// How a repository is found: owner and name in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct RepoKey(String);

impl RepoKey {
    pub(crate) fn new(owner: &str, name: &str) -> Self {
        Self(format!("{owner}/{name}").to_lowercase())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    Public,
    Private,
}

/// What GitHub declines on a protected branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// Pushes by force, and that the branch is deleted.
    Rewriting,
    /// Every push: the branch takes pull requests only.
    Pushes,
}

/// What somebody would do to a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BranchChange {
    Forward,
    Rewritten,
    Deleted,
}

impl Protection {
    /// Why GitHub declines a change, in its words, which git's answer and the API have in common.
    pub(crate) fn decline(self, change: BranchChange) -> Option<&'static str> {
        match (self, change) {
            (_, BranchChange::Deleted) => Some("Cannot delete this branch"),
            (_, BranchChange::Rewritten) => Some("Cannot force-push to this branch"),
            (Self::Pushes, BranchChange::Forward) => {
                Some("Changes must be made through a pull request.")
            }
            (Self::Rewriting, BranchChange::Forward) => None,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Repo {
    pub(crate) id: u64,
    pub(crate) owner: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) visibility: Visibility,
    pub(crate) archived_at: Option<DateTime<Utc>>,
    pub(crate) default_branch: String,
    pub(crate) topics: BTreeSet<String>,
    /// Bytes by language.
    pub(crate) languages: BTreeMap<String, u64>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) pushed_at: DateTime<Utc>,
    /// By login in lower case.
    pub(crate) grants: BTreeMap<String, Access>,
    /// Branches into which nothing may be merged, with the reason that GitHub would give.
    pub(crate) blocked_branches: BTreeMap<String, String>,
    /// Branches that may not be pushed to as others may.
    #[serde(default)]
    pub(crate) protections: BTreeMap<String, Protection>,
    #[serde(default)]
    pub(crate) merging: Merging,
    pub(crate) last_number: u64,
    pub(crate) last_item: u64,
    pub(crate) pulls: BTreeMap<u64, Pull>,
    pub(crate) hooks: BTreeMap<u64, Hook>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Hook {
    pub(crate) id: u64,
    pub(crate) events: BTreeSet<String>,
    pub(crate) active: bool,
    pub(crate) config: HookConfig,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct HookConfig {
    pub(crate) url: String,
    pub(crate) content_type: String,
    pub(crate) insecure_ssl: String,
    pub(crate) secret: Option<String>,
}

impl Repo {
    pub(crate) fn key(&self) -> RepoKey {
        RepoKey::new(&self.owner, &self.name)
    }

    pub(crate) fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    pub(crate) fn is_archived(&self) -> bool {
        self.archived_at.is_some()
    }

    /// An archived one stays archived since when it was.
    pub(crate) fn archive(&mut self, at: DateTime<Utc>) {
        self.archived_at = self.archived_at.or(Some(at));
    }

    pub(crate) fn unarchive(&mut self) {
        self.archived_at = None;
    }

    pub(crate) fn is_protected(&self, branch: &str) -> bool {
        self.protections.contains_key(branch) || self.blocked_branches.contains_key(branch)
    }

    pub(crate) fn is_private(&self) -> bool {
        self.visibility == Visibility::Private
    }

    /// What a user may do here; nobody in particular may read what is public.
    pub(crate) fn access_of(&self, login: Option<&str>) -> Access {
        let floor = match self.visibility {
            Visibility::Public => Access::Read,
            Visibility::Private => Access::None,
        };
        let Some(login) = login else { return floor };
        if login.eq_ignore_ascii_case(&self.owner) {
            return Access::Write;
        }
        self.grants.get(&login.to_lowercase()).copied().unwrap_or(Access::None).max(floor)
    }

    /// The language with the most bytes.
    pub(crate) fn main_language(&self) -> Option<&str> {
        self.languages.iter().max_by_key(|(_, bytes)| **bytes).map(|(name, _)| name.as_str())
    }

    pub(crate) fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    pub(crate) fn next_item_id(&mut self) -> u64 {
        self.last_item += 1;
        self.id * ITEMS_PER_REPO_MAX + self.last_item
    }

    pub(crate) fn pull_id(&self, number: u64) -> u64 {
        self.id * ITEMS_PER_REPO_MAX + number
    }

    pub(crate) fn open_pulls(&self) -> impl Iterator<Item = &Pull> {
        self.pulls.values().filter(|pull| pull.is_open())
    }
}

pub(crate) fn is_repo_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= REPO_NAME_LEN_MAX
        && !text.starts_with('.')
        && !text.to_lowercase().ends_with(".git")
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::is_repo_name;
    use crate::state::is_account_name;

    #[test]
    fn names_that_would_leave_their_directory_are_no_names() {
        for name in ["", ".", "..", "a/b", "x.git", "X.GIT", "a\0b", "a b", &"a".repeat(101)] {
            assert!(!is_repo_name(name), "{name:?}");
        }
        assert!(is_repo_name("web-shop_2.0"));
        for name in ["", "..", "-a", "a_b", "repos", "API"] {
            assert!(!is_account_name(name), "{name:?}");
        }
        assert!(is_account_name("acme"));
    }
}
