//! What became of a pull request whose answer was lost, or that the code host says is there.

use super::PullInfo;
use drover::{
    changeset::{PullState, marker},
    id::ChangesetId,
    names::{BranchName, PullNumber},
};

/// What a look at the pull requests of a branch tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// It was opened: this is it.
    Found(Box<PullInfo>),
    /// It was not opened, as far as the code host knows yet.
    Absent,
    /// Somebody else's pull request from the same branch is in the way.
    Foreign { number: PullNumber },
}

/// Decides from what [`super::CodeHost::find_pull_by_head`] gave.
///
/// The mark tells what is ours, whatever state it is in: a pull request that was closed or
/// merged within seconds was opened all the same. Of several with our mark the oldest is taken,
/// because it is the one that an earlier attempt recorded or lost. One without our mark is in
/// the way only while it is open and has the same base: then the code host refuses a second.
#[must_use]
pub fn probe(
    pulls: &[PullInfo],
    head: &BranchName,
    base: &BranchName,
    changeset: ChangesetId,
) -> Probe {
    let from_head = || pulls.iter().filter(|info| info.head_branch == *head);
    let ours = from_head()
        .filter(|info| marker::marked(&info.pull.body) == Some(changeset))
        .min_by_key(|info| info.pull.number);
    if let Some(found) = ours {
        return Probe::Found(Box::new(found.clone()));
    }
    from_head()
        .find(|info| is_in_the_way(info, base))
        .map_or(Probe::Absent, |info| Probe::Foreign { number: info.pull.number })
}

fn is_in_the_way(info: &PullInfo, base: &BranchName) -> bool {
    let open = match info.pull.state {
        PullState::Draft | PullState::Open | PullState::ReadOnly => true,
        PullState::Closed | PullState::Merged | PullState::Deleted => false,
    };
    open && info.pull.base == *base
}

#[cfg(test)]
mod tests {
    use super::*;
    use drover::changeset::Pull;

    const OURS: &str = "0191a0a0-0000-7000-8000-000000000001";
    const OTHER: &str = "0191a0a0-0000-7000-8000-000000000002";

    #[derive(Clone, Copy)]
    enum By {
        Us,
        AnotherChangeset,
        Somebody,
    }

    fn pull(number: i64, state: PullState, by: By, head: &str, base: &str) -> PullInfo {
        let body = match by {
            By::Us => marker::mark("Why.", OURS.parse().unwrap()),
            By::AnotherChangeset => marker::mark("Why.", OTHER.parse().unwrap()),
            By::Somebody => "Mine.".to_owned(),
        };
        PullInfo {
            repo: "acme/web".parse().unwrap(),
            pull: Pull {
                number: PullNumber(number),
                state,
                title: "Title".to_owned(),
                body,
                base: base.parse().unwrap(),
                head: "a".repeat(40).parse().unwrap(),
                merged_at: None,
            },
            head_branch: head.parse().unwrap(),
            url: "https://github.com/acme/web/pull/1".parse().unwrap(),
            updated_at: drover::time::Timestamp(0),
        }
    }

    #[derive(Debug, PartialEq)]
    enum Seen {
        Found(i64),
        Absent,
        Foreign(i64),
    }

    fn check(pulls: &[PullInfo], expected: &Seen) {
        let (head, base) = ("drover/x".parse().unwrap(), "main".parse().unwrap());
        let seen = match probe(pulls, &head, &base, OURS.parse().unwrap()) {
            Probe::Found(info) => Seen::Found(info.pull.number.0),
            Probe::Absent => Seen::Absent,
            Probe::Foreign { number } => Seen::Foreign(number.0),
        };
        assert_eq!(seen, *expected, "{pulls:#?}");
    }

    #[test]
    fn what_carries_our_mark_is_ours_in_every_state() {
        for state in [PullState::Draft, PullState::Open, PullState::Closed, PullState::Merged] {
            check(&[pull(7, state, By::Us, "drover/x", "main")], &Seen::Found(7));
        }
        let moved = pull(7, PullState::Open, By::Us, "drover/x", "develop");
        check(&[moved], &Seen::Found(7));
    }

    #[test]
    fn of_several_the_oldest_is_ours() {
        check(
            &[
                pull(9, PullState::Open, By::Us, "drover/x", "main"),
                pull(8, PullState::Open, By::Somebody, "drover/x", "main"),
                pull(7, PullState::Closed, By::Us, "drover/x", "main"),
            ],
            &Seen::Found(7),
        );
    }

    #[test]
    fn an_open_pull_request_without_our_mark_is_in_the_way() {
        for by in [By::AnotherChangeset, By::Somebody] {
            for state in [PullState::Draft, PullState::Open] {
                check(&[pull(7, state, by, "drover/x", "main")], &Seen::Foreign(7));
            }
        }
    }

    #[test]
    fn what_cannot_collide_does_not_count() {
        check(&[], &Seen::Absent);
        check(
            &[
                pull(6, PullState::Open, By::Us, "drover/y", "main"),
                pull(7, PullState::Closed, By::Somebody, "drover/x", "main"),
                pull(8, PullState::Merged, By::AnotherChangeset, "drover/x", "main"),
                pull(9, PullState::Open, By::Somebody, "drover/x", "develop"),
            ],
            &Seen::Absent,
        );
    }
}
