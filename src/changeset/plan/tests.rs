//! Every row of the decision table, one by one.

mod anew;

use super::*;
use crate::{
    changeset::{Pushed, Reopen, Reopening, Tip, spec::tests::branch_spec},
    names::PullNumber,
};
use Operation::{
    Archive, Close, ConvertToDraft, Detach, Import, MarkReady, Publish, PublishDraft, Push, Renew,
    Sync, Update,
};

fn sha(digit: char) -> CommitSha {
    digit.to_string().repeat(40).parse().unwrap()
}

/// Owned parts of an input. At first: a spec that was reached, with its pull request open.
#[derive(Clone)]
struct Case {
    previous: Option<BranchSpec>,
    spec: BranchSpec,
    desired: Desired,
    filing: Filing,
    observed: Observed,
    ours: Ours,
    tip: Tip,
    closed_by: Closer,
    reopening: Reopening,
    based_at: Option<Timestamp>,
    capabilities: Capabilities,
}

fn pull(state: PullState) -> Pull {
    let BranchSpec { title, body, base, .. } = branch_spec();
    Pull { number: PullNumber(1), state, title, body, base, head: sha('1'), merged_at: None }
}

/// A pull request that was brought up to its spec.
fn reached() -> Case {
    let spec = branch_spec();
    Case {
        previous: Some(spec.clone()),
        desired: Desired {
            intent: Intent::Publish,
            publication: None,
            reopen: Reopen::NotAsked,
            drift: DriftChoice::Wait,
        },
        filing: Filing::Active,
        observed: Observed::Pull(pull(PullState::Open)),
        ours: Ours {
            pushed: Some(Pushed { commit: sha('1'), content: spec.content() }),
            attempted: Vec::new(),
        },
        spec,
        tip: Tip::At(sha('1')),
        closed_by: Closer::Person,
        reopening: Reopening::Untried,
        based_at: None,
        capabilities: Capabilities {
            drafts: Support::Yes,
            conversion: Support::Yes,
            reopen: Support::Yes,
        },
    }
}

/// Nothing on the code host yet.
fn fresh() -> Case {
    let observed = Observed::Unpublished { head: None };
    Case { previous: None, observed, ours: Ours::default(), ..reached() }
}

impl Case {
    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn state(self, state: PullState) -> Self {
        self.with(|it| it.observed = Observed::Pull(pull(state)))
    }

    fn intent(self, intent: Intent) -> Self {
        self.with(|it| it.desired.intent = intent)
    }

    fn published(self, published: Option<Publication>) -> Self {
        self.with(|it| it.spec.published = published)
    }

    fn pull(self, change: impl FnOnce(&mut Pull)) -> Self {
        self.with(|it| {
            if let Observed::Pull(pull) = &mut it.observed {
                change(pull);
            }
        })
    }

    fn plan(&self) -> Plan {
        let wrap = ChangesetSpec::Branch;
        let (previous, current) = (self.previous.clone().map(wrap), wrap(self.spec.clone()));
        plan_of(self, previous.as_ref(), &current)
    }
}

fn plan_of(case: &Case, previous: Option<&ChangesetSpec>, current: &ChangesetSpec) -> Plan {
    plan(&PlanInput {
        previous,
        current,
        desired: &case.desired,
        filing: case.filing,
        observed: &case.observed,
        ours: &case.ours,
        tip: &case.tip,
        closed_by: case.closed_by,
        reopening: case.reopening,
        based_at: case.based_at,
        capabilities: case.capabilities,
    })
}

/// The operations and the notes of a plan.
fn check(case: &Case, operations: &[Operation], notes: &[Note]) {
    let plan = case.plan();
    assert_eq!(plan.operations, operations, "{:?}", plan.notes);
    assert_eq!(plan.notes, notes);
    let pushes = operations.contains(&Push);
    assert_eq!(plan.lease.is_some(), pushes, "a push has a lease, and nothing else has");
}

fn check_existing(case: &Case, operations: &[Operation]) {
    let existing =
        ChangesetSpec::Existing { repo: "acme/web".parse().unwrap(), number: PullNumber(7) };
    assert_eq!(plan_of(case, None, &existing).operations, operations);
}

#[test]
fn a_reached_changeset_needs_nothing() {
    check(&reached(), &[], &[]);
    assert!(reached().plan().reached);
}

#[test]
fn a_spec_is_in_place_only_when_its_pull_request_says_so() {
    for case in [
        fresh(),
        fresh().published(None),
        reached().with(|it| it.spec.title.push('x')),
        reached().state(PullState::Closed),
        reached().state(PullState::Closed).with(|it| it.closed_by = Closer::Drover),
        reached().state(PullState::Merged),
        reached().intent(Intent::Close),
        reached().pull(|it| it.head = sha('f')).with(|it| it.spec.diff_digest.push('x')),
    ] {
        assert!(!case.plan().reached, "{:?}", case.plan());
    }
    assert!(reached().pull(|it| it.head = sha('f')).plan().reached);
}

// Row 1: the association is to be let go.
#[test]
fn a_detached_changeset_is_let_go_once_and_its_pull_request_left_as_it_is() {
    for case in [reached(), fresh(), reached().state(PullState::Merged)] {
        check(&case.intent(Intent::Detach), &[Detach], &[]);
    }
    let done = reached().intent(Intent::Detach).with(|it| it.filing = Filing::Detached);
    check(&done, &[], &[]);
}

// Row 2: archive what the campaign opened itself, and close it where it is open.
#[test]
fn an_archived_changeset_is_closed_first_and_put_aside_then() {
    let archived = |state| reached().state(state).intent(Intent::Archive);
    check(&archived(PullState::Open), &[Close, Archive], &[]);
    check(&archived(PullState::Draft), &[Close, Archive], &[]);
    check(&archived(PullState::Closed), &[Archive], &[]);
    check(&archived(PullState::Merged), &[Archive], &[]);
    check(&archived(PullState::Deleted), &[Archive], &[Note::Deleted]);
    check(&archived(PullState::ReadOnly), &[Archive], &[Note::ReadOnly]);
    check(&fresh().intent(Intent::Archive), &[Archive], &[]);
    check_existing(&archived(PullState::Open), &[Archive]);
}

// Row 3: closing is final, and nothing is written to an archived repository.
#[test]
fn a_changeset_to_close_is_closed_and_nothing_else() {
    let closing = |state| reached().state(state).intent(Intent::Close);
    let changed = |case: Case| case.with(|it| it.spec.title.push('x'));
    check(&changed(closing(PullState::Open)), &[Close], &[]);
    check(&closing(PullState::Draft), &[Close], &[]);
    check(&changed(closing(PullState::Closed)), &[], &[]);
    check(&closing(PullState::Merged), &[], &[]);
    check(&closing(PullState::ReadOnly), &[], &[Note::ReadOnly]);
    check(&fresh().intent(Intent::Close), &[], &[]);
}

// Row 4: what is put aside or let go is not touched.
#[test]
fn a_changeset_that_was_put_aside_is_not_touched() {
    for filing in [Filing::Archived, Filing::Detached] {
        let changed = reached().with(|it| it.spec.title.push('x')).with(|it| it.filing = filing);
        check(&changed, &[], &[]);
    }
    check(&reached().intent(Intent::Archive).with(|it| it.filing = Filing::Archived), &[], &[]);
}

// Rows 5 and 6: pull requests that exist.
#[test]
fn a_tracked_pull_request_is_read_once_and_left_as_it_is() {
    check_existing(&fresh(), &[Import]);
    for state in [PullState::Open, PullState::Closed, PullState::Merged] {
        check_existing(&reached().state(state), &[]);
    }
    check_existing(&reached().intent(Intent::Detach), &[Detach]);
}

// Rows 7 to 10: nothing is published yet.
#[test]
fn an_unpublished_changeset_is_pushed_before_it_is_published() {
    check(&fresh(), &[Push, Publish], &[]);
    assert_eq!(fresh().plan().lease, Some(Lease::Absent));
}

#[test]
fn a_wanted_draft_is_published_as_a_draft() {
    check(&fresh().published(Some(Publication::Draft)), &[Push, PublishDraft], &[]);
}

#[test]
fn a_draft_stays_unpublished_where_there_are_none_and_says_so() {
    let case = fresh().published(Some(Publication::Draft));
    let case = case.with(|it| it.capabilities.drafts = Support::No);
    check(&case, &[], &[Note::DraftUnsupported]);
}

#[test]
fn what_is_not_wanted_yet_stays_unpublished_and_says_why() {
    check(&fresh().published(Some(Publication::Unpublished)), &[], &[Note::LeftUnpublished]);
    check(&fresh().published(None), &[], &[Note::WaitsForPerson]);
}

#[test]
fn a_person_decides_only_where_the_spec_says_nothing() {
    let chosen = |published, choice| {
        fresh().published(published).with(|it| it.desired.publication = Some(choice))
    };
    check(&chosen(None, Publication::Published), &[Push, Publish], &[]);
    check(&chosen(None, Publication::Draft), &[Push, PublishDraft], &[]);
    let spec_says_no = chosen(Some(Publication::Unpublished), Publication::Published);
    check(&spec_says_no, &[], &[Note::LeftUnpublished]);
}

// Row 11, amended: what is over is left alone, and after a merge only until there is more.
#[test]
fn what_is_over_is_left_alone() {
    let changed = |state| reached().state(state).with(|it| it.spec.diff_digest.push('x'));
    check(&reached().state(PullState::Merged), &[], &[Note::Merged]);
    check(&changed(PullState::ReadOnly), &[], &[Note::ReadOnly]);
    check(&changed(PullState::Deleted), &[], &[Note::Deleted]);
}

// Row 12, amended: a person's close is kept.
#[test]
fn a_close_by_a_person_is_kept_until_somebody_asks() {
    let closed = reached().state(PullState::Closed).with(|it| it.spec.title.push('x'));
    check(&closed, &[], &[Note::ClosedByPerson]);
    let asked = closed.with(|it| it.desired.reopen = Reopen::Asked);
    check(&asked, &[Operation::Reopen, Update], &[]);
}

#[test]
fn what_drover_closed_is_opened_again_when_it_is_wanted_again() {
    let closed = reached().state(PullState::Closed).with(|it| it.closed_by = Closer::Drover);
    check(&closed, &[Operation::Reopen], &[]);
    let changed = closed.clone().with(|it| it.spec.diff_digest.push('x'));
    check(&changed, &[Operation::Reopen, Push, Sync], &[]);
    let unwanted = closed.clone().published(Some(Publication::Unpublished));
    check(&unwanted, &[], &[Note::LeftUnpublished]);
    let unable = closed.with(|it| it.capabilities.reopen = Support::No);
    check(&unable, &[], &[Note::ReopenUnsupported]);
}

#[test]
fn a_closed_changeset_whose_branch_drifted_is_not_reopened_before_a_choice() {
    let closed = reached().state(PullState::Closed).with(|it| it.closed_by = Closer::Drover);
    let drifted = closed.with(|it| it.spec.diff_digest.push('x')).pull(|it| it.head = sha('f'));
    check(&drifted, &[], &[Note::Drift { head: sha('f') }]);
}

// Row 13, amended: conversion both ways, where it is possible.
#[test]
fn a_draft_is_made_ready_when_it_is_wanted_published() {
    let draft = reached().state(PullState::Draft);
    check(&draft, &[MarkReady], &[]);
    check(&draft.clone().published(None), &[], &[]);
    let by_person = draft.clone().published(None);
    let by_person = by_person.with(|it| it.desired.publication = Some(Publication::Published));
    check(&by_person, &[MarkReady], &[]);
    let unable = draft.with(|it| it.capabilities.conversion = Support::No);
    check(&unable, &[], &[Note::ConversionUnsupported]);
}

#[test]
fn only_a_spec_that_takes_back_what_it_said_makes_a_draft_again() {
    let draft = reached().published(Some(Publication::Draft));
    check(&draft, &[ConvertToDraft], &[]);
    let unable = draft.clone().with(|it| it.capabilities.conversion = Support::No);
    check(&unable, &[], &[Note::ConversionUnsupported]);
    // The spec said "draft" before, and a person has marked it ready since.
    let ready = draft.with(|it| it.previous.as_mut().unwrap().published = Some(Publication::Draft));
    check(&ready, &[], &[]);
}

#[test]
fn an_open_pull_request_is_not_unpublished() {
    check(&reached().published(Some(Publication::Unpublished)), &[], &[Note::CannotUnpublish]);
}

// Rows 14 and 15, amended: no sleep, a sync is scheduled.
#[test]
fn a_changed_commit_is_pushed_and_a_sync_is_scheduled() {
    let changed: [fn(&mut BranchSpec); 4] = [
        |spec| spec.diff_digest.push('x'),
        |spec| spec.commit.message.push('x'),
        |spec| spec.commit.author.name.push('x'),
        |spec| spec.commit.author.email.push('x'),
    ];
    for change in changed {
        let case = reached().with(|it| change(&mut it.spec));
        check(&case, &[Push, Sync], &[]);
        assert_eq!(case.plan().lease, Some(Lease::At(sha('1'))));
    }
}

#[test]
fn a_base_that_only_moved_on_is_no_reason_to_push() {
    check(&reached().with(|it| it.spec.base_commit = sha('b')), &[], &[]);
}

// Row 16.
#[test]
fn changed_words_are_written() {
    let changed: [fn(&mut BranchSpec); 3] = [
        |spec| spec.title.push('x'),
        |spec| spec.body.push('x'),
        |spec| spec.base = "next".parse().unwrap(),
    ];
    for change in changed {
        check(&reached().with(|it| change(&mut it.spec)), &[Update], &[]);
    }
    let draft = reached().published(Some(Publication::Draft));
    check(&draft.with(|it| it.spec.title.push('x')), &[ConvertToDraft, Update], &[]);
    let both = reached().with(|it| it.spec.title.push('x'));
    check(&both.with(|it| it.spec.diff_digest.push('x')), &[Push, Update], &[]);
}

#[test]
fn words_that_people_edited_live_until_a_spec_changes_them() {
    let edited = reached().pull(|it| it.title = "A better title".to_owned());
    check(&edited, &[], &[]);
    check(&edited.with(|it| it.spec.title = "Newest".to_owned()), &[Update], &[]);
}

#[test]
fn words_that_differ_only_in_line_ends_are_the_same() {
    let case = reached().with(|it| it.spec.body = "a\nb\n".to_owned());
    check(&case.pull(|it| it.body = "a\r\nb".to_owned()), &[], &[]);
}

#[test]
fn a_pull_request_found_after_a_crash_is_brought_up_to_its_spec() {
    let found = reached().with(|it| it.previous = None);
    check(&found, &[], &[]);
    check(&found.pull(|it| it.title.clear()), &[Update], &[]);
}

// Amendment: branches move only from a commit of ours.
#[test]
fn a_branch_that_was_there_before_us_is_never_overwritten() {
    let taken = fresh().with(|it| it.observed = Observed::Unpublished { head: Some(sha('f')) });
    check(&taken, &[], &[Note::Drift { head: sha('f') }]);
    let adopted = taken.clone().with(|it| it.desired.drift = DriftChoice::Adopt { head: sha('f') });
    check(&adopted, &[Publish], &[Note::ForeignCommits { head: sha('f') }]);
    let over = taken.with(|it| it.desired.drift = DriftChoice::Overwrite { head: sha('f') });
    check(&over, &[Push, Publish], &[]);
    assert_eq!(over.plan().lease, Some(Lease::At(sha('f'))));
}

#[test]
fn a_branch_that_was_pushed_before_the_crash_is_not_pushed_again() {
    let pushed = fresh().with(|it| it.observed = Observed::Unpublished { head: Some(sha('1')) });
    let content = branch_spec().content();
    let attempt = Pushed { commit: sha('1'), content };
    let attempted = pushed.with(|it| it.ours.attempted = vec![attempt]);
    check(&attempted, &[Publish], &[]);
    check(&attempted.with(|it| it.spec.diff_digest.push('x')), &[Push, Publish], &[]);
}

#[test]
fn commits_on_top_of_ours_are_welcome_until_there_is_something_to_push() {
    let foreign = reached().pull(|it| it.head = sha('f'));
    check(&foreign, &[], &[Note::ForeignCommits { head: sha('f') }]);
    let titled = foreign.clone().with(|it| it.spec.title.push('x'));
    check(&titled, &[Update], &[Note::ForeignCommits { head: sha('f') }]);
    let changed = foreign.clone().with(|it| it.spec.diff_digest.push('x'));
    check(&changed, &[], &[Note::Drift { head: sha('f') }]);
    let over = foreign.with(|it| it.desired.drift = DriftChoice::Overwrite { head: sha('f') });
    check(&over, &[Push, Sync], &[]);
}

#[test]
fn nothing_is_done_to_a_drifted_changeset_before_a_choice_for_that_very_commit() {
    let drifted = reached().pull(|it| it.head = sha('f')).with(|it| {
        it.spec.diff_digest.push('x');
        it.spec.title.push('x');
    });
    check(&drifted, &[], &[Note::Drift { head: sha('f') }]);
    let choose = |drift| drifted.clone().with(|it| it.desired.drift = drift);
    let older = choose(DriftChoice::Overwrite { head: sha('e') });
    check(&older, &[], &[Note::Drift { head: sha('f') }]);
    let older = choose(DriftChoice::Adopt { head: sha('e') });
    check(&older, &[], &[Note::Drift { head: sha('f') }]);
    let foreign = Note::ForeignCommits { head: sha('f') };
    check(&choose(DriftChoice::Adopt { head: sha('f') }), &[Update], &[foreign]);
    check(&choose(DriftChoice::Overwrite { head: sha('f') }), &[Push, Update], &[]);
}

#[test]
fn every_note_says_something_in_one_line() {
    for note in [
        Note::WaitsForPerson,
        Note::LeftUnpublished,
        Note::DraftUnsupported,
        Note::ConversionUnsupported,
        Note::CannotUnpublish,
        Note::Drift { head: sha('f') },
        Note::ForeignCommits { head: sha('f') },
        Note::ClosedByPerson,
        Note::ReopenUnsupported,
        Note::Merged,
        Note::AfterMerge { number: PullNumber(1) },
        Note::InPlaceOf { number: PullNumber(1) },
        Note::Deleted,
        Note::ReadOnly,
    ] {
        let text = note.to_string();
        assert!(text.len() > 10 && !text.contains('\n') && !text.ends_with('.'), "{text}");
    }
}
