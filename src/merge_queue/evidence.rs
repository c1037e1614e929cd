//! What a run's result says about the commit, and when it is enough to eject an entry.

use super::{
    bugs::{Bug, planted},
    entry::{Exit, Record, Standing},
    event::RunResult,
    id::RunId,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Passed,
    Failed,
    AgainAfterTimeout,
    AgainAfterInfra,
}

/// The runs of one candidate that may time out before it counts as a failure.
const TIMEOUTS_MAX: u32 = 1;

/// Only a failure is evidence, and so is a timeout that comes twice.
pub(super) fn judge(result: RunResult, timeouts: u32) -> Verdict {
    match result {
        RunResult::Passed => Verdict::Passed,
        RunResult::Failed => Verdict::Failed,
        RunResult::Infra if planted(Bug::CountInfraAsEvidence) => Verdict::Failed,
        RunResult::TimedOut if timeouts >= TIMEOUTS_MAX || planted(Bug::CountFirstTimeout) => {
            Verdict::Failed
        }
        RunResult::TimedOut => Verdict::AgainAfterTimeout,
        RunResult::Infra | RunResult::Cancelled => Verdict::AgainAfterInfra,
    }
}

/// Adds a run that failed with the entry alone on the target; says whether that is enough.
pub(super) fn convict(record: &mut Record, run: RunId, failures_to_eject: u32) -> Option<Exit> {
    record.failures.push(run);
    if record.failures.len() < failures_to_eject as usize {
        return None;
    }
    let runs = record.failures.clone();
    Some(match record.standing {
        Standing::Cleared if !record.landed_since.is_empty() => {
            Exit::FailsAfter { runs, landed: record.landed_since.clone() }
        }
        Standing::Cleared | Standing::Untested | Standing::Apart => Exit::Failed { runs },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_failure_or_a_second_timeout_is_evidence() {
        let rows = [
            (RunResult::Passed, 0, Verdict::Passed),
            (RunResult::Failed, 0, Verdict::Failed),
            (RunResult::TimedOut, 0, Verdict::AgainAfterTimeout),
            (RunResult::TimedOut, 1, Verdict::Failed),
            (RunResult::Infra, 0, Verdict::AgainAfterInfra),
            (RunResult::Infra, 1, Verdict::AgainAfterInfra),
            (RunResult::Cancelled, 1, Verdict::AgainAfterInfra),
        ];
        for (result, timeouts, expected) in rows {
            assert_eq!(judge(result, timeouts), expected, "{result:?} after {timeouts} timeouts");
        }
    }

    #[test]
    fn an_entry_is_ejected_by_as_many_failing_runs_as_configured() {
        let mut record = Record::default();
        assert_eq!(convict(&mut record, RunId(1), 2), None);
        let runs = vec![RunId(1), RunId(2)];
        assert_eq!(convict(&mut record, RunId(2), 2), Some(Exit::Failed { runs }));
    }

    #[test]
    fn an_entry_that_passed_alone_is_ejected_with_what_landed_since() {
        let landed_since = vec![crate::names::PullNumber(7)];
        let landed = landed_since.clone();
        let mut record = Record { standing: Standing::Cleared, landed_since, ..Record::default() };
        let exit = convict(&mut record, RunId(1), 1);
        assert_eq!(exit, Some(Exit::FailsAfter { runs: vec![RunId(1)], landed }));
    }
}
