//! From what went wrong outside to what the domain decides about, and to how the job goes on.

use crate::{
    clock,
    code_host::CodeHostError,
    git::error::GitError,
    hosts::HostsError,
    jobs::{ClaimedJob, Finish},
};
use drover::{
    changeset::retry::{Failure, Jitter, Retry, retry},
    time::Timestamp,
};
use rand::Rng;
use std::time::Duration;

/// A credential that is not accepted is tried again by the housekeeping, and whoever waits for it
/// is woken then; this is how long one waits who was missed.
const REFUSED_WAIT: Duration = Duration::from_secs(10 * 60);

/// Decides how a job goes on after a failure.
pub(super) fn after(failure: &Failure, job: &ClaimedJob) -> Finish {
    let now = clock::now();
    let jitter = Jitter(rand::rng().random_range(0..=1_000));
    match (failure, retry(failure, job.attempt, now, jitter)) {
        // Waiting for one's turn does not count as an attempt.
        (Failure::RateLimited { .. }, Retry::At(at)) => {
            let waits_for = Some("waits for the code host, which asks for a pause".to_owned());
            Finish::Snooze { delay: at.since(now), waits_for }
        }
        (_, Retry::At(at)) => Finish::Retry { delay: at.since(now), error: words(failure) },
        (_, Retry::NeedsYou { reason }) => Finish::Fail { error: reason },
        (_, Retry::Never) => Finish::Fail { error: words(failure) },
    }
}

/// Nothing is sent with a credential that is not accepted: code hosts ban who goes on.
pub(super) fn waits_for_credential() -> Finish {
    let waits_for = "the code host does not accept Drover's token: store a new one, or mend this \
                     one; Drover goes on by itself when it works";
    Finish::Snooze { delay: REFUSED_WAIT, waits_for: Some(waits_for.to_owned()) }
}

/// Goes on later without counting an attempt.
pub(super) fn snooze_until(at: Timestamp, now: Timestamp) -> Finish {
    Finish::Snooze { delay: at.since(now), waits_for: None }
}

/// A failure as people read it.
pub(super) fn words(failure: &Failure) -> String {
    match failure {
        Failure::RateLimited { .. } => "the code host asks to wait".to_owned(),
        Failure::BranchMoved => "the branch moved while Drover pushed".to_owned(),
        Failure::NotFound { what } => {
            format!("the code host has no {what}, or Drover's token may not see it any more")
        }
        Failure::Unavailable { reason }
        | Failure::Forbidden { reason }
        | Failure::Rejected { reason }
        | Failure::DoesNotApply { reason }
        | Failure::Internal { reason } => reason.clone(),
    }
}

pub(super) fn of_code_host(error: CodeHostError) -> Failure {
    let reason = error.to_string();
    match error {
        CodeHostError::NotFound { what } => Failure::NotFound { what },
        CodeHostError::Unauthorized { .. } | CodeHostError::Forbidden { .. } => {
            Failure::Forbidden { reason }
        }
        CodeHostError::Rejected { message, .. } => Failure::Rejected { reason: message },
        CodeHostError::RateLimited { until, .. } => Failure::RateLimited { until },
        CodeHostError::Unavailable { .. } | CodeHostError::UnknownOutcome { .. } => {
            Failure::Unavailable { reason }
        }
    }
}

pub(super) fn of_git(error: &GitError) -> Failure {
    let reason = error.to_string();
    match error {
        GitError::NotFound { .. } => {
            Failure::NotFound { what: "such repository, branch or commit".to_owned() }
        }
        GitError::AuthFailed { .. } | GitError::Forbidden { .. } => Failure::Forbidden { reason },
        GitError::Declined { .. } | GitError::Hostile { .. } => Failure::Rejected { reason },
        GitError::Diff(_)
        | GitError::Tree(_)
        | GitError::DoesNotApply { .. }
        | GitError::Mismatch { .. }
        | GitError::BadIdentity { .. }
        | GitError::EmptyIdentity { .. } => Failure::DoesNotApply { reason },
        // The next attempt reads its name first.
        GitError::Moved { .. }
        | GitError::Unavailable { .. }
        | GitError::TimedOut { .. }
        | GitError::Answer { .. } => Failure::Unavailable { reason },
        GitError::OutputTooLarge { .. }
        | GitError::Corrupt { .. }
        | GitError::Failed { .. }
        | GitError::NotInstalled(_)
        | GitError::Disk { .. } => Failure::Internal { reason },
    }
}

pub(super) fn of_hosts(error: &HostsError) -> Failure {
    let reason = crate::commands::chain(error);
    match error {
        HostsError::NoCodeHost | HostsError::NoCredential { .. } | HostsError::Sealed { .. } => {
            Failure::Forbidden { reason }
        }
        HostsError::Address { .. } | HostsError::Store(_) => Failure::Internal { reason },
    }
}
