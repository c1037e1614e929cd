//! A pull request that is over, and a spec that wants more.

use super::*;

const MERGED_AT: Timestamp = Timestamp(1_000);

/// Merged as it was wanted; the branch is still there.
fn merged() -> Case {
    reached().state(PullState::Merged).pull(|it| it.merged_at = Some(MERGED_AT))
}

fn wants(change: impl FnOnce(&mut BranchSpec)) -> Case {
    merged().with(|it| change(&mut it.spec))
}

fn more() -> Case {
    wants(|spec| spec.diff_digest.push('x'))
}

/// The same diff again, on a base that was read at `at`.
fn again(at: i64) -> Case {
    wants(|spec| spec.base_commit = sha('b')).with(|it| it.based_at = Some(Timestamp(at)))
}

const AFTER: Note = Note::AfterMerge { number: PullNumber(1) };
const IN_PLACE: Note = Note::InPlaceOf { number: PullNumber(1) };

#[track_caller]
fn check_anew(case: &Case, lease: &Lease, note: Note) {
    check(case, &[Renew, Push, Publish], &[note]);
    assert_eq!(case.plan().lease.as_ref(), Some(lease));
}

#[test]
fn what_the_merge_did_not_bring_becomes_a_new_pull_request() {
    check_anew(&more(), &Lease::At(sha('1')), AFTER);
    check_anew(&more().with(|it| it.tip = Tip::Absent), &Lease::Absent, AFTER);
    check_anew(&more().with(|it| it.tip = Tip::Unread), &Lease::At(sha('1')), AFTER);
    let draft = more().published(Some(Publication::Draft)).with(|it| it.tip = Tip::Absent);
    check(&draft, &[Renew, Push, PublishDraft], &[AFTER]);
}

#[test]
fn words_alone_are_no_reason_after_a_merge() {
    check(&wants(|spec| spec.title.push('x')), &[], &[Note::Merged]);
    check(&wants(|spec| spec.base_commit = sha('b')), &[], &[Note::Merged]);
}

#[test]
fn a_merge_that_was_taken_back_is_made_again_when_the_base_was_read_after_it() {
    check(&again(MERGED_AT.0), &[], &[Note::Merged]);
    check(&again(MERGED_AT.0 - 1), &[], &[Note::Merged]);
    // The commit on the branch is ours and reads the same, but it was merged: it is made anew.
    check_anew(&again(MERGED_AT.0 + 1), &Lease::At(sha('1')), AFTER);
}

#[test]
fn what_was_merged_is_asked_of_our_commits_first() {
    // The new wish was applied, and not pushed before somebody merged the old commit.
    let late = more().with(|it| it.previous = None);
    check_anew(&late, &Lease::At(sha('1')), AFTER);
    // People's commits were merged on top of ours: the spec that was in place tells.
    let topped = more().pull(|it| it.head = sha('f')).with(|it| it.tip = Tip::Absent);
    check_anew(&topped, &Lease::Absent, AFTER);
    // Nobody knows what was merged.
    let unknown = topped.with(|it| it.previous = None);
    check(&unknown, &[], &[Note::Merged]);
}

#[test]
fn somebodys_commits_on_the_branch_are_kept_after_a_merge() {
    let moved = more().with(|it| it.tip = Tip::At(sha('f')));
    check(&moved, &[], &[Note::Drift { head: sha('f') }]);
    let over = moved.with(|it| it.desired.drift = DriftChoice::Overwrite { head: sha('f') });
    check_anew(&over, &Lease::At(sha('f')), AFTER);
}

#[test]
fn nothing_is_made_anew_that_is_not_to_be_published() {
    check(&more().published(Some(Publication::Unpublished)), &[], &[Note::LeftUnpublished]);
    check(&more().published(None), &[], &[Note::WaitsForPerson]);
    check(&more().intent(Intent::Close), &[], &[]);
    check(&more().intent(Intent::Archive), &[Archive], &[]);
}

fn closed() -> Case {
    reached().state(PullState::Closed).with(|it| it.closed_by = Closer::Drover)
}

#[test]
fn what_cannot_be_opened_again_is_made_anew() {
    check(&closed(), &[Operation::Reopen], &[]);
    check(&closed().with(|it| it.tip = Tip::Unread), &[Operation::Reopen], &[]);
    check_anew(&closed().with(|it| it.tip = Tip::Absent), &Lease::Absent, IN_PLACE);
    let refused = closed().with(|it| it.reopening = Reopening::Refused);
    check_anew(&refused, &Lease::At(sha('1')), IN_PLACE);
    let foreign = refused.with(|it| it.tip = Tip::At(sha('f')));
    check(&foreign, &[], &[Note::Drift { head: sha('f') }]);
}

#[test]
fn a_persons_close_is_kept_even_when_the_branch_is_gone() {
    let theirs = closed().with(|it| {
        it.closed_by = Closer::Person;
        it.tip = Tip::Absent;
    });
    check(&theirs, &[], &[Note::ClosedByPerson]);
    check_anew(&theirs.with(|it| it.desired.reopen = Reopen::Asked), &Lease::Absent, IN_PLACE);
}
