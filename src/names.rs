//! Names that people and code hosts give: parsed once at the edge, valid ever after.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Why a text is no name of the wanted kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct NameError {
    pub text: String,
    /// What would have been right, as the end of a sentence: "a branch name: …".
    pub expected: String,
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident, $is_valid:path, $expected:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                if $is_valid(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(NameError { text: text.to_owned(), expected: $expected.to_owned() })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
    )*};
}

names! {
    /// A campaign's name within its namespace, such as `upgrade-tokio`.
    CampaignName, is_plain_name,
    "a campaign name: 1 to 100 letters, digits, `.`, `_` or `-`, starting with a letter or digit";
    /// A user's or an organisation's name within this Drover.
    NamespaceName, is_plain_name,
    "a namespace: 1 to 100 letters, digits, `.`, `_` or `-`, starting with a letter or digit";
    /// A repository's full name on its code host, such as `acme/web`.
    RepoName, is_repo_name,
    "a repository: `owner/name` of letters, digits, `.`, `_` and `-`";
    /// A branch, without `refs/heads/`, by the rules of `git check-ref-format`.
    BranchName, is_branch_name,
    "a branch name: no spaces, control characters, `..`, `~^:?*[\\`, `@{`, no part that starts with `.` or ends with `.lock`, no `-` at the start";
    /// A full SHA-1 or SHA-256 object name in lower-case hexadecimal.
    CommitSha, is_commit_sha,
    "a commit: 40 or 64 lower-case hexadecimal digits";
    /// The full object name of a tree: two commits with one tree hold the same files.
    TreeSha, is_commit_sha,
    "a tree: 40 or 64 lower-case hexadecimal digits";
}

/// The number that a code host gave a pull request within its repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PullNumber(pub i64);

impl fmt::Display for PullNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// The number by which a code host knows a repository. It stays when the repository is renamed or
/// moves to another owner, and is never given to another one: names are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HostRepoId(pub i64);

impl RepoName {
    /// The part before the slash.
    #[must_use]
    pub fn owner(&self) -> &str {
        self.0.split_once('/').map_or("", |(owner, _)| owner)
    }

    /// The part behind the slash.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, name)| name)
    }
}

impl CommitSha {
    /// The first seven digits, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..7]
    }
}

/// Why GitHub takes no push to a branch that git would take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Blocked {
    #[error("its name begins with `refs/`")]
    BelowRefs,
    #[error("its name begins with `gh-readonly-queue/`, which is for GitHub's merge queue")]
    OfMergeQueue,
    #[error("its name has 40 hexadecimal digits, as a commit has")]
    LikeCommit,
}

impl BranchName {
    /// Why GitHub has no branch of this name, if it has none. Branches that were read from it are
    /// not asked: some are older than the rule.
    #[must_use]
    pub fn blocked(&self) -> Option<Blocked> {
        if self.0.starts_with("refs/") {
            return Some(Blocked::BelowRefs);
        }
        if self.0.starts_with("gh-readonly-queue/") {
            return Some(Blocked::OfMergeQueue);
        }
        let is_commit = self.0.len() == 40 && self.0.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_commit.then_some(Blocked::LikeCommit)
    }
}

/// The longest name that any of the kinds takes, in bytes.
const NAME_BYTES_MAX: usize = 100;
/// The longest branch name that Git hosting services take, in bytes.
const BRANCH_BYTES_MAX: usize = 244;

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

fn is_plain_name(text: &str) -> bool {
    text.len() <= NAME_BYTES_MAX
        && text.bytes().all(is_word)
        && text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
}

fn is_repo_name(text: &str) -> bool {
    let Some((owner, name)) = text.split_once('/') else { return false };
    [owner, name].into_iter().all(|part| {
        (1..=NAME_BYTES_MAX).contains(&part.len())
            && part.bytes().all(is_word)
            && !part.starts_with('-')
            && part != "."
            && part != ".."
    }) && !name.to_ascii_lowercase().ends_with(".git")
}

fn is_branch_name(text: &str) -> bool {
    (1..=BRANCH_BYTES_MAX).contains(&text.len())
        && !text.starts_with('-')
        && text != "@"
        && text != "HEAD"
        && !text.ends_with('.')
        && !text.contains("..")
        && !text.contains("@{")
        && !text.chars().any(|c| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c))
        && text
            .split('/')
            .all(|part| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock"))
}

fn is_commit_sha(text: &str) -> bool {
    matches!(text.len(), 40 | 64)
        && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        && text.bytes().any(|byte| byte != b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: FromStr>(valid: &[&str], invalid: &[&str]) {
        for text in valid {
            assert!(text.parse::<T>().is_ok(), "{text:?} should be valid");
        }
        for text in invalid {
            assert!(text.parse::<T>().is_err(), "{text:?} should be refused");
        }
    }

    #[test]
    fn campaign_names_are_words_without_spaces() {
        check::<CampaignName>(
            &["a", "upgrade-tokio", "v1.2_x"],
            &["", "has space", "-x", ".x", "a/b", "ä", "a\n", &"x".repeat(101)],
        );
    }

    #[test]
    fn repositories_are_owner_and_name() {
        check::<RepoName>(
            &["acme/web", "a/b.c", "a/.github"],
            &["acme", "a/b/c", "/b", "a/", "a/..", "-a/b", "a/-b", "a/b.git", "a b/c", "a/b\n"],
        );
    }

    #[test]
    fn branches_follow_git_check_ref_format() {
        check::<BranchName>(
            &["main", "feature/x", "drover/upgrade-tokio", "ünïcode"],
            &[
                "", "-x", "a b", "a..b", "a~1", "a^", "a:b", "a?", "a*", "a[", "a\\b", "a@{b", "@",
                "HEAD", "a/", "/a", "a//b", ".a", "a/.b", "a.lock", "a.lock/b", "a.", "a\n",
                "a\u{7f}",
            ],
        );
    }

    #[test]
    fn some_branches_of_git_are_blocked_by_github() {
        let check = |text: &str, expected: Option<Blocked>| {
            assert_eq!(text.parse::<BranchName>().unwrap().blocked(), expected, "{text}");
        };
        check("refs/heads/fix", Some(Blocked::BelowRefs));
        check("refs/x", Some(Blocked::BelowRefs));
        check("0123456789abcdefABCDEF0123456789abcdef01", Some(Blocked::LikeCommit));
        check("gh-readonly-queue/main/pr-1", Some(Blocked::OfMergeQueue));
        check("refs", None);
        check("x/refs/heads/fix", None);
        check(&"a".repeat(39), None);
        check(&"g".repeat(40), None);
    }

    #[test]
    fn commits_are_full_object_names() {
        let (sha1, zero) = ("0123456789abcdef0123456789abcdef01234567", "0".repeat(40));
        check::<CommitSha>(&[sha1, &"a".repeat(64)], &["", "abc", &sha1.to_uppercase(), &zero]);
    }
}
