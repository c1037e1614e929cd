//! What the queue is told about a pull request, and which conditions it still misses.

use crate::{
    id::CampaignId,
    names::{BranchName, CommitSha, PullNumber},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The whole truth about one pull request, as of one reading of the code host.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PullFacts {
    pub number: PullNumber,
    /// Counts the readings of this pull request, so that an answer that comes late is known.
    pub version: u64,
    pub head: CommitSha,
    pub target: BranchName,
    pub readiness: Readiness,
    /// The commit that was approved, which need not be the head any more.
    pub approved: Option<CommitSha>,
    pub author: Trust,
    /// Required checks of the pull request itself that have not passed.
    pub checks_missing: Vec<String>,
    pub conversations_open: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Readiness {
    Draft,
    Ready,
}

/// Whether an author's commits may run with the repository's secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    Trusted,
    /// Every commit needs to be authorised by a maintainer first.
    Untrusted,
}

/// Who brought a pull request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    Person,
    Campaign(CampaignId),
}

/// The classes of entries, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    Critical,
    High,
    Normal,
    Low,
}

/// Somebody asked for a class that is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no priority: choose critical, high, normal or low")]
pub struct PriorityError {
    pub text: String,
}

impl Priority {
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Normal, Self::Low];

    /// A campaign's entries wait behind people's, unless somebody decides otherwise.
    #[must_use]
    pub fn usual(origin: Origin) -> Self {
        match origin {
            Origin::Person => Self::Normal,
            Origin::Campaign(_) => Self::Low,
        }
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Priority {
    type Err = PriorityError;

    fn from_str(text: &str) -> Result<Self, PriorityError> {
        Self::ALL
            .into_iter()
            .find(|priority| priority.as_str() == text)
            .ok_or_else(|| PriorityError { text: text.to_owned() })
    }
}

/// Something that a pull request needs before it may be queued.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Somebody asked the queue to land it.
    Asked,
    Ready,
    /// Approved at its very head; `instead` is the commit that was approved.
    Approved {
        instead: Option<CommitSha>,
    },
    /// The commit may run with the repository's secrets.
    Authorised,
    Check(String),
    Conversations {
        open: u32,
    },
    /// Another pull request in the queue has the same head.
    HeadOfItsOwn {
        taken_by: Option<PullNumber>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authorisation {
    Authorised,
    Unauthorised,
}

impl PullFacts {
    #[must_use]
    pub fn is_approved(&self) -> bool {
        self.approved.as_ref() == Some(&self.head)
    }

    /// Lists what the pull request itself lacks, in the order in which people see to it.
    #[must_use]
    pub fn missing(&self, authorisation: Authorisation) -> Vec<Condition> {
        let mut missing = Vec::new();
        if self.readiness == Readiness::Draft {
            missing.push(Condition::Ready);
        }
        if authorisation == Authorisation::Unauthorised {
            missing.push(Condition::Authorised);
        }
        if !self.is_approved() {
            missing.push(Condition::Approved { instead: self.approved.clone() });
        }
        missing.extend(self.checks_missing.iter().cloned().map(Condition::Check));
        if self.conversations_open > 0 {
            missing.push(Condition::Conversations { open: self.conversations_open });
        }
        missing
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => f.write_str("somebody asks the queue to land it"),
            Self::Ready => f.write_str("it is no draft"),
            Self::Approved { instead: None } => f.write_str("its head is approved"),
            Self::Approved { instead: Some(commit) } => {
                write!(f, "its head is approved (the approval is for {})", commit.short())
            }
            Self::Authorised => f.write_str("a maintainer authorises the commit to run"),
            Self::Check(name) => write!(f, "the check `{name}` passes"),
            Self::Conversations { open: 0 } => f.write_str("its conversations are resolved"),
            Self::Conversations { open } => {
                write!(f, "its conversations are resolved ({open} open)")
            }
            Self::HeadOfItsOwn { taken_by: None } => {
                f.write_str("no other pull request in the queue has its head")
            }
            Self::HeadOfItsOwn { taken_by: Some(pull) } => {
                write!(f, "{pull}, which has the same head, leaves the queue")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sha(digit: char) -> CommitSha {
        digit.to_string().repeat(40).parse().unwrap()
    }

    fn ready() -> PullFacts {
        PullFacts {
            number: PullNumber(1),
            version: 1,
            head: sha('a'),
            target: "main".parse().unwrap(),
            readiness: Readiness::Ready,
            approved: Some(sha('a')),
            author: Trust::Trusted,
            checks_missing: vec![],
            conversations_open: 0,
        }
    }

    fn check(change: impl FnOnce(&mut PullFacts), expected: &[Condition]) {
        let mut facts = ready();
        change(&mut facts);
        assert_eq!(facts.missing(Authorisation::Authorised), expected);
    }

    #[test]
    fn every_missing_condition_is_named() {
        check(|_| (), &[]);
        check(|facts| facts.readiness = Readiness::Draft, &[Condition::Ready]);
        check(|facts| facts.approved = None, &[Condition::Approved { instead: None }]);
        check(|facts| facts.conversations_open = 2, &[Condition::Conversations { open: 2 }]);
        check(
            |facts| facts.checks_missing = vec!["lint".to_owned()],
            &[Condition::Check("lint".to_owned())],
        );
        assert_eq!(ready().missing(Authorisation::Unauthorised), [Condition::Authorised]);
    }

    #[test]
    fn an_approval_of_another_commit_is_none() {
        let instead = Some(sha('b'));
        check(|facts| facts.approved = Some(sha('b')), &[Condition::Approved { instead }]);
    }

    #[test]
    fn a_priority_that_does_not_exist_is_refused() {
        assert_eq!("high".parse(), Ok(Priority::High));
        let error = "urgent".parse::<Priority>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`urgent` is no priority: choose critical, high, normal or low"
        );
    }
}
