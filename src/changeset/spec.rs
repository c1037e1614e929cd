//! One immutable wish.

use super::Publication;
use crate::names::{BranchName, CommitSha, PullNumber, RepoName};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What a campaign spec wants in one repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "nearly every spec is of the large kind")]
pub enum ChangesetSpec {
    /// This diff on this base as this branch with this title.
    Branch(BranchSpec),
    /// Track a pull request that exists already.
    Existing { repo: RepoName, number: PullNumber },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchSpec {
    pub repo: RepoName,
    /// The branch that the pull request targets.
    pub base: BranchName,
    /// The commit on which the diff was made.
    pub base_commit: CommitSha,
    /// The branch that Drover pushes.
    pub head: BranchName,
    pub title: String,
    pub body: String,
    pub commit: CommitSpec,
    /// `None`: a person decides in the UI.
    pub published: Option<Publication>,
    /// SHA-256 of the diff, in hexadecimal. The diff itself is stored apart.
    pub diff_digest: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitSpec {
    pub message: String,
    pub author: Author,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    pub name: String,
    pub email: String,
}

/// What a commit of ours holds: the digest of its diff, message and author, in hexadecimal.
///
/// The commit on which the diff was made is left out: that the base moved on is no reason to
/// push again what is there already.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContentDigest(pub String);

impl ContentDigest {
    /// The content of commits whose pull request is over: equal to that of no wish.
    #[must_use]
    pub fn spent() -> Self {
        Self("spent".to_owned())
    }
}

impl BranchSpec {
    #[must_use]
    pub fn content(&self) -> ContentDigest {
        let CommitSpec { message, author: Author { name, email } } = &self.commit;
        let mut hasher = Sha256::new();
        for part in [&self.diff_digest, message, name, email] {
            // The length keeps apart what would otherwise run together.
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        ContentDigest(format!("{:x}", hasher.finalize()))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A wish with nothing special about it.
    pub(crate) fn branch_spec() -> BranchSpec {
        BranchSpec {
            repo: "acme/web".parse().unwrap(),
            base: "main".parse().unwrap(),
            base_commit: "a".repeat(40).parse().unwrap(),
            head: "drover/x".parse().unwrap(),
            title: "Title".to_owned(),
            body: "Body".to_owned(),
            commit: CommitSpec {
                message: "Message".to_owned(),
                author: Author { name: "Ada".to_owned(), email: "ada@example.org".to_owned() },
            },
            published: Some(Publication::Published),
            diff_digest: "d".repeat(64),
        }
    }

    #[test]
    fn the_content_is_diff_message_and_author() {
        let spec = branch_spec();
        let mut moved = spec.clone();
        moved.base_commit = "b".repeat(40).parse().unwrap();
        moved.title.push('x');
        assert_eq!(spec.content(), moved.content());
        let mut shifted = spec.clone();
        shifted.commit.author.name = "Adaa".to_owned();
        shifted.commit.author.email = "da@example.org".to_owned();
        assert_ne!(spec.content(), shifted.content());
    }
}
