//! Everything that the queue can ask for, and its ways to say no.

use super::{
    candidate::Member,
    config::ConfigError,
    event::{Commit, Permission},
    gate::Alarm,
    id::{CandidateId, FreezeId, LandingId, ReadingId, RunId},
    publish::Check,
};
use crate::{
    id::CampaignId,
    names::{BranchName, CommitSha, PullNumber},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Effects may be carried out more than once: each has an id of the queue's, or is idempotent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Merge the members onto the base, in order, and push the commit to a ref of its own.
    BuildCandidate {
        candidate: CandidateId,
        base: CommitSha,
        members: Vec<Member>,
    },
    /// The candidate's ref can go.
    DropCandidate {
        candidate: CandidateId,
    },
    StartRun {
        run: RunId,
        candidate: CandidateId,
        commit: Commit,
    },
    CancelRun {
        run: RunId,
    },
    /// Move the target from `expect` to `to`, and only from there.
    Land {
        landing: LandingId,
        expect: CommitSha,
        to: Commit,
        pulls: Vec<PullNumber>,
    },
    /// This request to land must not be sent again, nor for the first time.
    AbandonLanding {
        landing: LandingId,
    },
    /// Is this run still alive? If it has ended, or nobody knows it, say so.
    AskRun {
        run: RunId,
    },
    /// Read the target; does its history hold the commit of `landing`, and `last`?
    ReadTarget {
        reading: ReadingId,
        landing: Option<CommitSha>,
        last: CommitSha,
    },
    /// Read back what landed: commit, tree and first parent.
    Audit {
        landing: LandingId,
        parent: CommitSha,
        landed: Commit,
    },
    /// Show this at the head of the pull request.
    Publish {
        pull: PullNumber,
        head: CommitSha,
        check: Check,
    },
    /// Read this pull request again.
    FetchPull {
        pull: PullNumber,
    },
    /// Send a tick then.
    WakeAt(Timestamp),
    Alarm(Alarm),
    /// The event, or a part of it, was not taken in, and this is why.
    Refuse(Refusal),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    #[error("{pull} is not known to this queue: ask the code host for it first")]
    UnknownPull { pull: PullNumber },
    #[error("{pull} is for `{asked}`, and this queue lands on `{target}`: use that branch's queue")]
    WrongTarget { pull: PullNumber, asked: BranchName, target: BranchName },
    #[error("{pull} is in the queue already")]
    AlreadyQueued { pull: PullNumber },
    #[error("{pull} is merged: nothing is left to do")]
    IsMerged { pull: PullNumber },
    #[error("{pull} was closed, or is for another branch now: reopen it for this one first")]
    HasLeft { pull: PullNumber },
    #[error("a commit is authorised by naming it: say which head of {pull} you have seen")]
    HeadNeeded { pull: PullNumber },
    #[error("{pull} has the same head as {taken_by}, which is in the queue: close one of them")]
    HeadTaken { pull: PullNumber, taken_by: PullNumber },
    #[error("{pull} is at {}, not at {}: look at it again", is.short(), seen.short())]
    HeadMoved { pull: PullNumber, seen: CommitSha, is: CommitSha },
    #[error("a newer reading of {pull} is known")]
    OutdatedFacts { pull: PullNumber },
    #[error("{pull} cannot be {action} now: {because}")]
    NotNow { pull: PullNumber, action: String, because: String },
    #[error("candidate {0} is not being built: it was dropped, or is built already")]
    UnknownCandidate(CandidateId),
    #[error("{pull} is no part of candidate {candidate}")]
    NotAMember { pull: PullNumber, candidate: CandidateId },
    #[error("run {0} is not awaited: it was cancelled, or has answered already")]
    UnknownRun(RunId),
    #[error("landing {0} is not awaited: it has ended")]
    UnknownLanding(LandingId),
    #[error("{pull} is no part of landing {landing}")]
    NotLanding { pull: PullNumber, landing: LandingId },
    #[error("reading {0} is not awaited: a newer one is under way")]
    UnknownReading(ReadingId),
    #[error("there is no freeze {0}")]
    UnknownFreeze(FreezeId),
    #[error("no pull request of campaign {0} has ended in this queue")]
    UnknownCampaign(CampaignId),
    #[error("the queue has halted: open it first")]
    Halted,
    #[error("{name} needs the permission to {needed}, and has {has}")]
    Denied { name: String, has: Permission, needed: Permission },
    #[error(transparent)]
    Config(ConfigError),
    #[error("the queue knows {0} pull requests and takes no more until some are closed")]
    Full(u32),
    #[error("the queue has {0} freezes and takes no more until one is lifted")]
    TooManyFreezes(u32),
    #[error("time went back from {from:?} to {to:?}: {from:?} holds")]
    TimeWentBack { from: Timestamp, to: Timestamp },
}
