//! Enums as people read them, and as they stand in URLs and forms.

use crate::components::badge::Tone;
use drover::{
    changeset::{plan::Operation, status::ChangesetStatus},
    diff::{DiffStat, FileChange},
    view::{
        changeset::ChangesetChoice,
        execution::{ExecutionState, WorkspaceState},
    },
};

pub const STATUSES: [ChangesetStatus; 13] = [
    ChangesetStatus::Unpublished,
    ChangesetStatus::Queued,
    ChangesetStatus::Processing,
    ChangesetStatus::Retrying,
    ChangesetStatus::Failed,
    ChangesetStatus::Drift,
    ChangesetStatus::Draft,
    ChangesetStatus::Open,
    ChangesetStatus::Merged,
    ChangesetStatus::Closed,
    ChangesetStatus::Deleted,
    ChangesetStatus::ReadOnly,
    ChangesetStatus::Archived,
];

#[must_use]
pub fn status(status: ChangesetStatus) -> (&'static str, Tone) {
    match status {
        ChangesetStatus::Unpublished => ("Unpublished", Tone::Plain),
        ChangesetStatus::Queued => ("Queued", Tone::Waiting),
        ChangesetStatus::Processing => ("Working", Tone::Busy),
        ChangesetStatus::Retrying => ("Retrying", Tone::Warn),
        ChangesetStatus::Failed => ("Failed", Tone::Bad),
        ChangesetStatus::Drift => ("Drift", Tone::Bad),
        ChangesetStatus::Draft => ("Draft", Tone::Plain),
        ChangesetStatus::Open => ("Open", Tone::Good),
        ChangesetStatus::Merged => ("Merged", Tone::Done),
        ChangesetStatus::Closed => ("Closed", Tone::Closed),
        ChangesetStatus::Deleted => ("Deleted", Tone::Closed),
        ChangesetStatus::ReadOnly => ("Read-only", Tone::Closed),
        ChangesetStatus::Archived => ("Archived", Tone::Closed),
    }
}

/// The status as it stands in a URL.
#[must_use]
pub fn status_key(status: ChangesetStatus) -> &'static str {
    match status {
        ChangesetStatus::Unpublished => "unpublished",
        ChangesetStatus::Queued => "queued",
        ChangesetStatus::Processing => "processing",
        ChangesetStatus::Retrying => "retrying",
        ChangesetStatus::Failed => "failed",
        ChangesetStatus::Drift => "drift",
        ChangesetStatus::Draft => "draft",
        ChangesetStatus::Open => "open",
        ChangesetStatus::Merged => "merged",
        ChangesetStatus::Closed => "closed",
        ChangesetStatus::Deleted => "deleted",
        ChangesetStatus::ReadOnly => "read_only",
        ChangesetStatus::Archived => "archived",
    }
}

/// The status that a URL names.
#[must_use]
pub fn find_status(key: &str) -> Option<ChangesetStatus> {
    STATUSES.into_iter().find(|status| status_key(*status) == key)
}

/// What apply will do, in one or two words.
#[must_use]
pub fn operation(operation: Operation) -> (&'static str, Tone) {
    match operation {
        Operation::Import => ("Track", Tone::Busy),
        Operation::Renew => ("Start anew", Tone::Plain),
        Operation::Push => ("Push", Tone::Busy),
        Operation::Publish => ("Publish", Tone::Good),
        Operation::PublishDraft => ("Publish as draft", Tone::Plain),
        Operation::Close => ("Close", Tone::Bad),
        Operation::Reopen => ("Reopen", Tone::Good),
        Operation::MarkReady => ("Mark ready", Tone::Good),
        Operation::ConvertToDraft => ("Convert to draft", Tone::Plain),
        Operation::Update => ("Update", Tone::Busy),
        Operation::Archive => ("Archive", Tone::Closed),
        Operation::Detach => ("Detach", Tone::Warn),
        Operation::Sync => ("Read", Tone::Plain),
    }
}

/// A choice: the button's text, what pressing it does, and whether it asks once more.
#[must_use]
pub fn choice(choice: ChangesetChoice) -> (&'static str, &'static str, Weight) {
    match choice {
        ChangesetChoice::Retry => {
            ("Try again now", "Does the failed work once more.", Weight::Main)
        }
        ChangesetChoice::Publish => ("Publish", "Opens the pull request.", Weight::Main),
        ChangesetChoice::PublishDraft => {
            ("Publish as draft", "Opens the pull request as a draft.", Weight::Light)
        }
        ChangesetChoice::Close => {
            ("Close", "Closes the pull request on the code host; its branch stays.", Weight::Heavy)
        }
        ChangesetChoice::Reopen => {
            ("Reopen", "Opens the pull request again that a person closed.", Weight::Main)
        }
        ChangesetChoice::Adopt => (
            "Adopt their commits",
            "Leaves the branch as others pushed it; Drover pushes nothing while it stays so.",
            Weight::Main,
        ),
        ChangesetChoice::Overwrite => (
            "Overwrite",
            "Puts Drover's commit in the place of theirs; their commits leave the branch.",
            Weight::Heavy,
        ),
        ChangesetChoice::Detach => (
            "Detach",
            "Lets the campaign forget the pull request; it stays as it is on the code host.",
            Weight::Heavy,
        ),
        ChangesetChoice::Sync => {
            ("Read again", "Reads the pull request from the code host now.", Weight::Light)
        }
    }
}

/// The choice as it stands in a form.
#[must_use]
pub fn choice_key(choice: ChangesetChoice) -> &'static str {
    match choice {
        ChangesetChoice::Retry => "retry",
        ChangesetChoice::Publish => "publish",
        ChangesetChoice::PublishDraft => "publish_draft",
        ChangesetChoice::Close => "close",
        ChangesetChoice::Reopen => "reopen",
        ChangesetChoice::Adopt => "adopt",
        ChangesetChoice::Overwrite => "overwrite",
        ChangesetChoice::Detach => "detach",
        ChangesetChoice::Sync => "sync",
    }
}

/// How much stands behind a button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    Light,
    Main,
    /// Cannot be undone by the next press: it explains itself and asks once more.
    Heavy,
}

#[must_use]
pub fn execution(state: &ExecutionState) -> (&'static str, Tone) {
    match state {
        ExecutionState::Resolving => ("Finding repositories", Tone::Busy),
        ExecutionState::Running => ("Running", Tone::Busy),
        ExecutionState::Done => ("Done", Tone::Good),
        ExecutionState::Failed { .. } => ("Failed", Tone::Bad),
        ExecutionState::Cancelled => ("Cancelled", Tone::Closed),
    }
}

#[must_use]
pub fn workspace(state: &WorkspaceState, steps_total: u32) -> (String, Tone) {
    match state {
        WorkspaceState::Waiting => ("Waiting".into(), Tone::Waiting),
        WorkspaceState::Cloning => ("Cloning".into(), Tone::Busy),
        WorkspaceState::Step { step } => (format!("Step {step} of {steps_total}"), Tone::Busy),
        WorkspaceState::Changed { .. } => ("Changed".into(), Tone::Good),
        WorkspaceState::Unchanged => ("Unchanged".into(), Tone::Plain),
        WorkspaceState::Failed { step: Some(step), .. } => {
            (format!("Failed in step {step}"), Tone::Bad)
        }
        WorkspaceState::Failed { step: None, .. } => ("Failed".into(), Tone::Bad),
        WorkspaceState::Skipped { .. } => ("Left out".into(), Tone::Warn),
        WorkspaceState::Cancelled => ("Cancelled".into(), Tone::Closed),
    }
}

#[must_use]
pub fn file_change(change: FileChange) -> (&'static str, Tone) {
    match change {
        FileChange::Added => ("Added", Tone::Good),
        FileChange::Modified => ("Modified", Tone::Plain),
        FileChange::Removed => ("Removed", Tone::Bad),
        FileChange::Renamed => ("Renamed", Tone::Busy),
        FileChange::Copied => ("Copied", Tone::Busy),
        FileChange::Mode => ("Mode", Tone::Plain),
    }
}

/// Such as `1 repository`, `12 repositories`.
#[must_use]
pub fn count(number: u32, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

/// Such as `3 files, 24 lines added, 3 removed`, for those who hear a page.
#[must_use]
pub fn stat(stat: DiffStat) -> String {
    let DiffStat { files, added, removed } = stat;
    let files = count(files, "file", "files");
    format!("{files}, {} added, {removed} removed", count(added, "line", "lines"))
}

/// A length of time, rounded as people say it.
#[must_use]
pub fn duration(secs: u64) -> String {
    match secs {
        0..60 => "less than a minute".into(),
        60..5_400 => format!("about {} min", secs.div_ceil(60)),
        5_400..129_600 => format!("about {} h", (secs + 1_800) / 3_600),
        _ => format!("about {} days", (secs + 43_200) / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_found_by_its_own_key() {
        for status in STATUSES {
            assert_eq!(find_status(status_key(status)), Some(status));
        }
        assert_eq!(find_status("unknown"), None);
    }

    #[test]
    fn durations_are_rounded_as_people_say_them() {
        for (secs, expected) in [
            (0, "less than a minute"),
            (61, "about 2 min"),
            (5_399, "about 90 min"),
            (5_400, "about 2 h"),
            (36_000, "about 10 h"),
            (172_800, "about 2 days"),
        ] {
            assert_eq!(duration(secs), expected, "{secs}");
        }
    }
}
