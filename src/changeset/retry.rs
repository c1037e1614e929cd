//! What to do after a failure, decided by its kind and never by its text.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Attempts in a row after which a person is asked, however short the fault seems.
pub const ATTEMPTS_MAX: u32 = 10;
/// The wait after the first attempt, which doubles with every further one.
pub const BACKOFF_FIRST: Duration = Duration::from_secs(5);
/// The longest wait between attempts.
pub const BACKOFF_MAX: Duration = Duration::from_secs(15 * 60);
/// The longest that a code host's word about its rate limit is believed.
pub const RATE_LIMIT_WAIT_MAX: Duration = Duration::from_secs(2 * 60 * 60);
/// Over which attempts spread when a rate limit ends, so that they do not come all at once.
pub const RATE_LIMIT_SPREAD: Duration = Duration::from_secs(10);

/// Why an operation did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    RateLimited {
        until: Timestamp,
    },
    /// No answer, a cut connection, an answer that promises nothing: the code host or the way to
    /// it is at fault. What was sent may have arrived; it is probed before it is sent again.
    Unavailable {
        reason: String,
    },
    /// The branch moved between the plan and the push: plan again.
    BranchMoved,
    /// The credential is missing, revoked or too weak.
    Forbidden {
        reason: String,
    },
    /// The code host understood and will not.
    Rejected {
        reason: String,
    },
    /// The diff does not fit on its base commit.
    DoesNotApply {
        reason: String,
    },
    /// The repository or the pull request is not there, or hidden from the credential.
    NotFound {
        what: String,
    },
    /// A fault of Drover's own: its disk, its database, a mistake in it.
    Internal {
        reason: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    At(Timestamp),
    /// Only a person can help: what to do.
    NeedsYou {
        reason: String,
    },
    /// Trying again is without sense: what is gone is gone.
    Never,
}

/// A random share of a thousand, drawn by whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jitter(pub u16);

/// Decides when an attempt, counted from 1, is followed by the next.
#[must_use]
pub fn retry(failure: &Failure, attempt: u32, now: Timestamp, jitter: Jitter) -> Retry {
    let needs = |reason: String| Retry::NeedsYou { reason };
    match failure {
        // Waiting for one's turn is no failed attempt.
        Failure::RateLimited { until } => {
            let end = (*until).clamp(now, now + RATE_LIMIT_WAIT_MAX);
            Retry::At(end + share(RATE_LIMIT_SPREAD, jitter))
        }
        Failure::BranchMoved if attempt < ATTEMPTS_MAX => Retry::At(now),
        Failure::BranchMoved => needs("others keep pushing to the branch; retry later".to_owned()),
        Failure::Unavailable { reason } | Failure::Internal { reason } => {
            if attempt < ATTEMPTS_MAX {
                return Retry::At(now + backoff(attempt, jitter));
            }
            needs(format!("{attempt} attempts failed, the last one so: {reason}; retry later"))
        }
        Failure::Forbidden { reason } => {
            needs(format!("{reason}; give Drover a credential that may do this, then retry"))
        }
        Failure::Rejected { reason } => {
            needs(format!("the code host refused: {reason}; mend the cause, then retry"))
        }
        Failure::DoesNotApply { reason } => {
            needs(format!("the diff does not apply: {reason}; preview and apply the spec again"))
        }
        Failure::NotFound { .. } => Retry::Never,
    }
}

/// Half of the wait is certain, the other half is drawn.
fn backoff(attempt: u32, jitter: Jitter) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    let wait = BACKOFF_FIRST.saturating_mul(1 << doublings).min(BACKOFF_MAX);
    wait / 2 + share(wait / 2, jitter)
}

fn share(duration: Duration, jitter: Jitter) -> Duration {
    duration * u32::from(jitter.0.min(1_000)) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn seconds(seconds: u64) -> Timestamp {
        NOW + Duration::from_secs(seconds)
    }

    fn unavailable() -> Failure {
        Failure::Unavailable { reason: "timeout".to_owned() }
    }

    #[track_caller]
    fn check(failure: &Failure, attempt: u32, jitter: u16, expected: Timestamp) {
        assert_eq!(retry(failure, attempt, NOW, Jitter(jitter)), Retry::At(expected));
    }

    #[track_caller]
    fn check_needs_you(failure: &Failure, attempt: u32, part: &str) {
        let Retry::NeedsYou { reason } = retry(failure, attempt, NOW, Jitter(0)) else {
            panic!("{failure:?} needs nobody")
        };
        assert!(reason.contains(part), "{reason}");
    }

    #[test]
    fn waits_double_up_to_a_limit_and_are_spread() {
        check(&unavailable(), 1, 1_000, seconds(5));
        check(&unavailable(), 2, 1_000, seconds(10));
        check(&unavailable(), 3, 0, seconds(10));
        check(&unavailable(), 5, 500, seconds(60));
        check(&unavailable(), 9, 1_000, seconds(900));
        check(&unavailable(), 9, u16::MAX, seconds(900));
    }

    #[test]
    fn after_the_last_attempt_a_person_is_asked() {
        check_needs_you(&unavailable(), ATTEMPTS_MAX, "timeout");
        check_needs_you(&unavailable(), u32::MAX, "timeout");
        check_needs_you(&Failure::BranchMoved, ATTEMPTS_MAX, "keep pushing");
        let internal = Failure::Internal { reason: "disk full".to_owned() };
        check_needs_you(&internal, ATTEMPTS_MAX, "disk full");
    }

    #[test]
    fn a_rate_limit_is_waited_out_however_often_but_not_for_ever() {
        check(&Failure::RateLimited { until: seconds(60) }, 1, 0, seconds(60));
        check(&Failure::RateLimited { until: seconds(60) }, 99, 1_000, seconds(70));
        check(&Failure::RateLimited { until: Timestamp(0) }, 1, 0, NOW);
        check(&Failure::RateLimited { until: Timestamp(i64::MAX) }, 1, 0, seconds(7_200));
    }

    #[test]
    fn a_branch_that_moved_is_planned_again_at_once() {
        check(&Failure::BranchMoved, 1, 500, NOW);
    }

    #[test]
    fn what_a_person_must_mend_is_not_tried_again() {
        let reason = || "why".to_owned();
        check_needs_you(&Failure::Forbidden { reason: reason() }, 1, "why; give Drover");
        check_needs_you(&Failure::Rejected { reason: reason() }, 1, "refused: why");
        check_needs_you(&Failure::DoesNotApply { reason: reason() }, 1, "apply the spec again");
    }

    #[test]
    fn what_is_gone_is_never_tried_again() {
        let gone = Failure::NotFound { what: "acme/web".to_owned() };
        assert_eq!(retry(&gone, 1, NOW, Jitter(0)), Retry::Never);
    }
}
