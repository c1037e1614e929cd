//! Every situation in which a wish and a changeset can meet or miss each other.

use super::*;
use crate::{
    campaign::outcome::{Outcome, RepositoryOutcome, Resolution},
    changeset::{
        Capabilities, Pushed, Support,
        plan::{Operation, plan},
        spec::tests::branch_spec,
    },
    id::{CampaignId, UserId},
    names::CommitSha,
};
use Operation::{Archive, Close, Detach, Publish, Push, Reopen as ReopenIt};
use uuid::Uuid;

const REPO: RepoId = RepoId(Uuid::from_u128(7));
const WISH: ChangesetSpecId = ChangesetSpecId(Uuid::from_u128(1));

fn sha(digit: char) -> CommitSha {
    digit.to_string().repeat(40).parse().unwrap()
}

fn id(number: u128) -> ChangesetId {
    ChangesetId(Uuid::from_u128(number))
}

fn on_branch(branch: &str, title: &str) -> ChangesetSpec {
    let (head, title) = (branch.parse().unwrap(), title.to_owned());
    ChangesetSpec::Branch(crate::changeset::spec::BranchSpec { head, title, ..branch_spec() })
}

fn tracking(number: i64) -> ChangesetSpec {
    ChangesetSpec::Existing { repo: "acme/web".parse().unwrap(), number: PullNumber(number) }
}

fn wish(spec: ChangesetSpec) -> Wish {
    Wish {
        id: WISH,
        repo: REPO,
        spec,
        based_at: None,
        ours: Ours::default(),
        tip: Tip::Absent,
        tracked: None,
        holder: None,
        reserved: None,
    }
}

fn pull(state: PullState) -> Pull {
    Pull {
        number: PullNumber(4),
        state,
        title: "Title".to_owned(),
        body: "Body".to_owned(),
        base: "main".parse().unwrap(),
        head: sha('1'),
        merged_at: None,
    }
}

/// A changeset whose pull request is open and as it was wanted.
fn changeset(number: u128, spec: ChangesetSpec) -> Facts {
    let content = branch_spec().content();
    Facts {
        id: id(number),
        campaign: CampaignId(Uuid::from_u128(1)),
        applied_by: UserId(Uuid::from_u128(1)),
        repo: REPO,
        spec_id: ChangesetSpecId(Uuid::from_u128(100 + number)),
        previous: Some(spec.clone()),
        spec,
        desired: Desired {
            intent: Intent::Publish,
            publication: None,
            reopen: Reopen::NotAsked,
            drift: DriftChoice::Wait,
        },
        filing: Filing::Active,
        hold: Hold::Held,
        observed: Observed::Pull(pull(PullState::Open)),
        ours: Ours { pushed: Some(Pushed { commit: sha('1'), content }), attempted: Vec::new() },
        tip: Tip::At(sha('1')),
        closed_by: Closer::Person,
        reopening: Reopening::Untried,
        based_at: None,
        pull: Some(PullId(Uuid::from_u128(number))),
        outstanding: Outstanding::Nothing,
    }
}

fn archived(number: u128, spec: ChangesetSpec, state: PullState) -> Facts {
    let mut facts = changeset(number, spec);
    facts.filing = Filing::Archived;
    facts.desired.intent = Intent::Archive;
    facts.observed = Observed::Pull(pull(state));
    facts.closed_by = Closer::Drover;
    facts
}

/// Nothing was sent yet.
fn unsent(spec: ChangesetSpec) -> Facts {
    let (observed, ours) = (Observed::Unpublished { head: None }, Ours::default());
    let tip = Tip::Absent;
    Facts { pull: None, observed, ours, tip, previous: None, ..changeset(1, spec) }
}

fn all_known() -> Outcomes {
    Outcomes { resolution: Resolution::Complete, repositories: Vec::new() }
}

fn decide(wishes: &[Wish], changesets: &[Facts], outcomes: &Outcomes) -> Vec<Row> {
    let key = |wish: &Wish| Target::of(wish.repo, &wish.spec);
    let wishes: Wishes = wishes.iter().map(|wish| (key(wish), wish.clone())).collect();
    rewire(&wishes, changesets, outcomes)
}

fn operations(row: &Row) -> Vec<Operation> {
    let all = Capabilities { drafts: Support::Yes, conversion: Support::Yes, reopen: Support::Yes };
    row.prospect.as_ref().map(|it| plan(&it.input(all)).operations).unwrap_or_default()
}

/// One row comes of it, with this plan.
#[track_caller]
fn check(wishes: &[Wish], changesets: &[Facts], rewiring: &Rewiring, expected: &[Operation]) {
    let rows = decide(wishes, changesets, &all_known());
    assert_eq!(rows.len(), 1, "{rows:#?}");
    assert_eq!((&rows[0].rewiring, operations(&rows[0])), (rewiring, expected.to_vec()));
}

#[test]
fn a_wish_makes_keeps_or_updates_a_changeset() {
    let spec = on_branch("x", "Title");
    check(&[wish(spec.clone())], &[], &Rewiring::Create { wish: WISH }, &[Push, Publish]);
    let live = changeset(1, spec.clone());
    let keep = Rewiring::Keep { changeset: id(1), wish: WISH };
    check(&[wish(spec)], std::slice::from_ref(&live), &keep, &[]);
    let update = Rewiring::Update { changeset: id(1), wish: WISH };
    check(&[wish(on_branch("x", "New"))], &[live], &update, &[Operation::Update]);
}

#[test]
fn what_is_wanted_no_more_is_closed_and_archived_or_detached() {
    let live = changeset(1, on_branch("x", "Title"));
    check(&[], &[live], &Rewiring::Archive { changeset: id(1) }, &[Close, Archive]);
    let unsent = unsent(on_branch("x", "Title"));
    let detach = Rewiring::Detach { changeset: id(1) };
    check(&[], std::slice::from_ref(&unsent), &detach, &[Detach]);
    check(&[], &[Facts { spec: tracking(4), ..changeset(1, tracking(4)) }], &detach, &[Detach]);
    // Pushed, not opened yet; and a request to open it whose answer was lost.
    let pushed = Facts { ours: changeset(1, tracking(1)).ours, ..unsent.clone() };
    let archive = Rewiring::Archive { changeset: id(1) };
    check(&[], &[pushed], &archive, &[Archive]);
    let lost = Facts { outstanding: Outstanding::Write, ..unsent };
    check(&[], &[lost], &archive, &[Archive]);
}

#[test]
fn what_was_archived_comes_back_with_its_pull_request() {
    let spec = on_branch("x", "Title");
    let revive = Rewiring::Revive { changeset: id(1), wish: WISH };
    let old = archived(1, spec.clone(), PullState::Closed);
    check(&[wish(spec.clone())], std::slice::from_ref(&old), &revive, &[ReopenIt]);
    let gone = Facts { tip: Tip::Absent, ..old };
    let anew = [Operation::Renew, Push, Publish];
    check(&[wish(spec)], &[gone], &revive, &anew);
}

#[test]
fn what_was_merged_and_archived_is_made_anew() {
    let spec = on_branch("x", "Title");
    let merged = archived(1, spec.clone(), PullState::Merged);
    let again = Wish { ours: merged.ours.clone(), tip: merged.tip.clone(), ..wish(spec) };
    // Our commit is still at the tip, and was merged: a new pull request needs another one.
    let create = Rewiring::Create { wish: WISH };
    check(std::slice::from_ref(&again), std::slice::from_ref(&merged), &create, &[Push, Publish]);
    let rows = decide(&[again], &[merged], &all_known());
    assert!(rows[0].spends.is_some());
}

#[test]
fn a_persons_close_outlives_a_new_spec_and_nothing_else_does() {
    let mut live = changeset(1, on_branch("x", "Title"));
    let update = Rewiring::Update { changeset: id(1), wish: WISH };
    live.desired.intent = Intent::Close;
    check(&[wish(on_branch("x", "New"))], &[live.clone()], &update, &[Close]);
    live.desired.intent = Intent::Archive;
    check(&[wish(on_branch("x", "New"))], &[live], &update, &[Operation::Update]);
}

#[test]
fn without_a_result_a_changeset_stays_exactly_as_it_is() {
    let live = changeset(1, on_branch("x", "Title"));
    let reason = "step 1 exited with 3".to_owned();
    let failed = RepositoryOutcome {
        repo: Some(REPO),
        name: "acme/web".parse().unwrap(),
        base: Some("main".parse().unwrap()),
        outcome: Outcome::NoResult { reason: reason.clone() },
    };
    let failing = Outcomes { repositories: vec![failed], ..all_known() };
    let partial = Resolution::Partial { reason: reason.clone() };
    let cut = Outcomes { resolution: partial, ..all_known() };
    for outcomes in [&failing, &cut] {
        for intent in [Intent::Publish, Intent::Close, Intent::Archive] {
            let mut live = live.clone();
            live.desired.intent = intent;
            let rows = decide(&[], &[live.clone()], outcomes);
            let hold = Rewiring::Hold { changeset: id(1), reason: reason.clone() };
            assert_eq!(rows[0].rewiring, hold);
            let prospect = rows[0].prospect.as_ref().unwrap();
            assert_eq!((&prospect.desired, &prospect.current), (&live.desired, &live.spec));
        }
        // What the spec names itself needs no result.
        let tracked = changeset(1, tracking(4));
        let rows = decide(&[], &[tracked], outcomes);
        assert_eq!(rows[0].rewiring, Rewiring::Detach { changeset: id(1) });
    }
    let text = Rewiring::Hold { changeset: id(1), reason }.explain().unwrap();
    assert_eq!(text, "kept: no new result, because step 1 exited with 3");
}

#[test]
fn a_branch_of_another_campaign_is_taken_until_that_one_is_over() {
    let holder =
        |pull| Holder { changeset: id(9), campaign: "other".parse().unwrap(), pull, number: None };
    let held = |pull| Wish { holder: Some(holder(pull)), ..wish(on_branch("x", "Title")) };
    let taken = Rewiring::Taken { wish: WISH, by: "other".parse().unwrap() };
    for pull in [None, Some(PullState::Open), Some(PullState::Draft), Some(PullState::Closed)] {
        check(&[held(pull)], &[], &taken, &[]);
    }
    let over = [held(Some(PullState::Merged))];
    check(&over, &[], &Rewiring::Create { wish: WISH }, &[Push, Publish]);
    assert_eq!(decide(&over, &[], &all_known())[0].releases, Some(id(9)));
    // Our own changeset that gave its branch away cannot take it back by a new wish.
    let released = Facts { hold: Hold::Released, ..changeset(1, on_branch("x", "Title")) };
    check(&[held(None)], &[released], &taken, &[]);
}

#[test]
fn nobody_has_a_branch_that_pull_requests_go_into() {
    for because in [
        Reserved::Default,
        Reserved::Protected,
        Reserved::OwnBase,
        Reserved::BaseOf("other".parse().unwrap()),
    ] {
        let reserved = Some(because.clone());
        let wished = Wish { reserved, ..wish(on_branch("main", "Title")) };
        let refused = Rewiring::Reserved { wish: WISH, because };
        check(&[wished], &[], &refused, &[]);
    }
}

#[test]
fn an_archived_and_a_live_changeset_of_one_branch_do_not_quarrel() {
    let old = archived(1, on_branch("x", "Old"), PullState::Merged);
    let older = archived(2, on_branch("x", "Old"), PullState::Closed);
    let live = changeset(3, on_branch("x", "Title"));
    let update = Rewiring::Update { changeset: id(3), wish: WISH };
    check(&[wish(on_branch("x", "New"))], &[old, older, live], &update, &[Operation::Update]);
}

#[test]
fn a_renamed_repository_is_the_same() {
    let mut live = changeset(1, on_branch("x", "Title"));
    if let ChangesetSpec::Branch(spec) = &mut live.spec {
        spec.repo = "acme/old-name".parse().unwrap();
    }
    let update = Rewiring::Update { changeset: id(1), wish: WISH };
    check(&[wish(on_branch("x", "Title"))], &[live], &update, &[]);
}

#[test]
fn only_repository_and_branch_order_the_rows() {
    let mut other = wish(on_branch("a", "Title"));
    other.id = ChangesetSpecId(Uuid::from_u128(2));
    let live = changeset(1, on_branch("m", "Title"));
    let rows = decide(&[wish(on_branch("x", "Title")), other], &[live], &all_known());
    let words: Vec<&str> = rows.iter().map(|row| row.rewiring.word()).collect();
    assert_eq!(words, ["create", "archive", "create"]);
}
