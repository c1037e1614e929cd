use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A pull request whose head and base are branches of one repository.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pull {
    pub(crate) number: u64,
    pub(crate) title: String,
    pub(crate) body: Option<String>,
    pub(crate) author: String,
    pub(crate) head: Tip,
    pub(crate) base: Tip,
    pub(crate) state: PullState,
    pub(crate) readiness: Readiness,
    pub(crate) labels: BTreeSet<String>,
    pub(crate) assignees: BTreeSet<String>,
    pub(crate) comments: Vec<Comment>,
    pub(crate) reviews: Vec<Review>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

/// A branch and the commit that the pull request last saw there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tip {
    pub(crate) branch: String,
    pub(crate) sha: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub(crate) enum PullState {
    Open,
    Closed { at: DateTime<Utc> },
    Merged { at: DateTime<Utc>, by: String, sha: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Readiness {
    Draft,
    Ready,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Comment {
    pub(crate) id: u64,
    pub(crate) author: String,
    pub(crate) body: String,
    pub(crate) created_at: DateTime<Utc>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Review {
    pub(crate) id: u64,
    pub(crate) author: String,
    pub(crate) body: String,
    pub(crate) verdict: Verdict,
    pub(crate) sha: String,
    pub(crate) submitted_at: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Verdict {
    Approved,
    ChangesRequested,
    Commented,
}

impl Pull {
    pub(crate) fn is_open(&self) -> bool {
        self.state == PullState::Open
    }

    pub(crate) fn is_draft(&self) -> bool {
        self.readiness == Readiness::Draft
    }

    /// The word that GitHub has for the state: it counts a merged pull request as closed.
    pub(crate) fn state_word(&self) -> &'static str {
        match self.state {
            PullState::Open => "open",
            PullState::Closed { .. } | PullState::Merged { .. } => "closed",
        }
    }

    pub(crate) fn closed_at(&self) -> Option<DateTime<Utc>> {
        match self.state {
            PullState::Open => None,
            PullState::Closed { at } | PullState::Merged { at, .. } => Some(at),
        }
    }
}
