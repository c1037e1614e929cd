//! Exactly one pull request comes of a write whose answer was lost.

use crate::support::{
    app::{TestApp, until},
    client::row,
    spec::Spec,
};
use drover::changeset::status::ChangesetStatus;
use github_stand_in::{Class, Fault, Rule};
use std::time::Duration;

/// Publishes while the first answer to the write is lost by `fault`; `posts` requests do it.
async fn check(fault: Fault, posts: usize) {
    let app =
        TestApp::with(|config| config.code_host_timeouts.answer = Duration::from_secs(2)).await;
    app.world.repo("acme/shop").await;
    let preview = app.ada.preview(&Spec::new("hello").on("acme/shop")).await;
    app.world.github.fault(Rule::once("POST", "/repos/*/*/pulls", fault.clone()));
    app.ada.apply(&preview).await;
    let unknown = "SELECT count(*) FROM effects WHERE state = 'unknown'";
    until(&app.world, "a write with a lost answer", unknown).await;
    app.world.time_passes().await;
    let page = app.ada.settled("hello").await;
    assert_eq!(row(&page, "acme/shop").status, ChangesetStatus::Open, "{fault:?}");
    let pulls = app.world.github.pulls("acme/shop").unwrap();
    assert_eq!(pulls.len(), 1, "{fault:?}");
    assert_eq!(app.world.github.count_requests("POST", "/pulls"), posts, "{fault:?}");
    assert_eq!(app.world.requests(Class::GitPush), 1, "{fault:?}");
    // What it is then is known: the next spec changes it and makes no other.
    let page = app.publish(&Spec::new("hello").on("acme/shop").title("Greet")).await;
    assert_eq!(row(&page, "acme/shop").title, "Greet");
    assert_eq!(app.world.github.pulls("acme/shop").unwrap().len(), 1);
}

#[tokio::test]
async fn a_500_that_did_nothing_is_sent_once_more() {
    check(Fault::Status { status: 500 }, 2).await;
}

#[tokio::test]
async fn a_500_that_did_it_is_not_sent_again() {
    check(Fault::StatusAfter { status: 500 }, 1).await;
}

#[tokio::test]
async fn a_write_that_hangs_is_sent_once_more() {
    check(Fault::Hang, 2).await;
}

#[tokio::test]
async fn a_write_that_hangs_after_it_was_done_is_not_sent_again() {
    check(Fault::HangAfter, 1).await;
}

#[tokio::test]
async fn a_connection_that_was_cut_before_is_tried_once_more() {
    check(Fault::CutBefore, 2).await;
}

#[tokio::test]
async fn a_connection_that_was_cut_after_is_not_tried_again() {
    check(Fault::CutAfter, 1).await;
}

#[tokio::test]
async fn a_lost_answer_to_an_update_leaves_one_pull_request_as_it_is_wanted() {
    let app = TestApp::new().await;
    app.world.repo("acme/shop").await;
    let spec = Spec::new("hello").on("acme/shop");
    app.publish(&spec).await;
    let preview = app.ada.preview(&spec.title("Greet")).await;
    app.world.github.fault(Rule::once("PATCH", "/repos/*/*/pulls/*", Fault::CutAfter));
    app.ada.apply(&preview).await;
    let unknown = "SELECT count(*) FROM effects WHERE state = 'unknown'";
    until(&app.world, "a write with a lost answer", unknown).await;
    app.world.time_passes().await;
    app.ada.settled("hello").await;
    assert_eq!(app.world.github.pulls("acme/shop").unwrap()[0].title, "Greet");
    assert_eq!(app.world.github.count_requests("PATCH", "/pulls/1"), 1);
}

#[tokio::test]
async fn nothing_is_sent_while_the_code_host_asks_to_wait() {
    let app = TestApp::new().await;
    app.world.repo("acme/shop").await;
    app.world.repo("acme/web").await;
    let preview = app.ada.preview(&Spec::new("hello").matching("org:acme")).await;
    let fault = Fault::SecondaryLimit { status: 403, retry_after_secs: Some(3) };
    app.world.github.fault(Rule::once("POST", "/repos/*/*/pulls", fault));
    app.ada.apply(&preview).await;
    let limited = "SELECT count(*) FROM credentials WHERE paused_until IS NOT NULL";
    until(&app.world, "a pause", limited).await;
    let page = app.ada.settled("hello").await;
    assert_eq!(page.campaign.counts.open, 2);
    assert!(app.world.github.count_requests("POST", "/pulls") <= 4, "{:?}", app.world.writes());
}
