//! Everything that the queue can be told.

use super::{
    candidate::JobsDigest,
    config::Config,
    gate::Freeze,
    id::{CandidateId, FreezeId, LandingId, ReadingId, RunId},
    pull::{Origin, Priority, PullFacts},
};
use crate::{
    id::CampaignId,
    names::{BranchName, CommitSha, PullNumber, TreeSha},
};
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    PullSeen(PullFacts),
    /// Closed, or merged by somebody else.
    PullGone {
        pull: PullNumber,
    },
    Command(Command),
    CandidateBuilt {
        candidate: CandidateId,
        commit: CommitSha,
        tree: TreeSha,
        jobs: JobsDigest,
    },
    CandidateConflicted {
        candidate: CandidateId,
        pull: PullNumber,
        with: Against,
    },
    CandidateNotBuilt {
        candidate: CandidateId,
        why: BuildFailure,
    },
    RunFinished {
        run: RunId,
        result: RunResult,
    },
    Landed {
        landing: LandingId,
        tip: Commit,
    },
    LandRejected {
        landing: LandingId,
        why: Rejection,
    },
    /// Nobody knows whether the request to land arrived.
    LandUnknown {
        landing: LandingId,
    },
    /// A hint that the target may have moved; the queue asks where it is.
    TargetHinted,
    TargetRead {
        reading: ReadingId,
        tip: Commit,
        history: History,
    },
    Audited {
        landing: LandingId,
        finding: Finding,
    },
    ConfigChanged(Config),
    /// After a start: all that is open, and every run of ours that is alive.
    Reconciled {
        pulls: Vec<PullFacts>,
        runs: Vec<RunId>,
    },
    /// Time has passed.
    Tick,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Commit {
    pub commit: CommitSha,
    pub tree: TreeSha,
}

/// What a pull request does not merge with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    Target,
    Pull(PullNumber),
}

/// Why there is no commit, though nothing conflicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BuildFailure {
    /// Git or the code host failed: to be tried again.
    Machinery,
    /// The pinned head of a member is not there any more.
    HeadGone { pull: PullNumber },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunResult {
    Passed,
    Failed,
    /// The machinery broke: lost, evicted, image not found. Says nothing about the commit.
    Infra,
    TimedOut,
    /// By somebody else than the queue.
    Cancelled,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    NotFastForward,
    /// A rule of the code host.
    Policy {
        message: String,
    },
    HeadChanged {
        pull: PullNumber,
    },
}

/// What the target's history holds of what was asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct History {
    /// The commit of the landing under way.
    pub landing: Ancestry,
    /// Where the queue saw the target last.
    pub last: Ancestry,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ancestry {
    NotAsked,
    Contained,
    Absent,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    AsTested,
    Differs { found: Commit },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Command {
    pub by: Actor,
    pub action: Action,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    pub name: String,
    pub permission: Permission,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    Read,
    Write,
    Maintain,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Pull {
        pull: PullNumber,
        /// The head that the person saw; another one refuses the command.
        head: Option<CommitSha>,
        action: PullAction,
    },
    Queue(QueueAction),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PullAction {
    Enqueue {
        target: BranchName,
        priority: Option<Priority>,
        origin: Origin,
    },
    Unqueue,
    /// Back into the line, at the place that the entry had.
    Requeue,
    /// Test again from the start: nothing that is known about this head counts.
    Retest,
    /// Test again, but keep every pass.
    RetestFailed,
    /// Test on top of the target, and do not land.
    Try,
    Hold {
        reason: String,
    },
    Release,
    Prioritise(Priority),
    Authorise,
    Revoke,
    /// Land now if it has passed and is approved: Hail's `try-merge`.
    TryMerge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueAction {
    Freeze(Freeze),
    Thaw(FreezeId),
    /// Finish what has begun, start nothing.
    Drain,
    /// Ends draining, or the halt that an alarm caused.
    Open,
    /// Lets a campaign go on that its failures stopped.
    ResumeCampaign(CampaignId),
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Maintain => "maintain",
        })
    }
}
