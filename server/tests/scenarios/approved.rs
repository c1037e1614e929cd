//! What is applied is what was shown, and nobody undoes what somebody else has applied since.

use crate::support::{app::TestApp, client::row, spec::Spec};
use drover::{changeset::status::ChangesetStatus, view::preview::Standing};
use drover_server::api::wire::Moved;

const REPO: &str = "acme/shop";

fn version(number: u32) -> Spec {
    Spec::new("hello").on(REPO).run(&format!("echo {number} > VERSION"))
}

async fn applied() -> TestApp {
    let app = TestApp::new().await;
    app.world.repo(REPO).await;
    app.publish(&version(1)).await;
    app
}

#[tokio::test]
async fn a_preview_from_before_another_apply_is_refused_with_the_person() {
    let app = applied().await;
    let (second, third) = (app.ada.preview(&version(2)).await, app.ada.preview(&version(3)).await);
    app.ada.apply(&third).await;
    app.ada.settled("hello").await;
    let moved: Moved = app.ada.try_apply(&second).await.is(409).json();
    let newer = moved.newer.expect("it says who has applied what");
    assert_eq!((newer.by.as_str(), newer.spec), ("ada", third.spec));
    let shown = app.ada.plan(second.spec).await;
    assert!(shown.standing != second.standing, "there is a new plan");
    let files = app.world.on_github(&format!("/repos/{REPO}/pulls/1/files")).await;
    assert!(files[0]["patch"].as_str().unwrap().contains("+3"), "{files:#}");
    // Who has seen the new plan may go back.
    app.ada.apply(&shown).await;
    app.ada.settled("hello").await;
    let files = app.world.on_github(&format!("/repos/{REPO}/pulls/1/files")).await;
    assert!(files[0]["patch"].as_str().unwrap().contains("+2"), "{files:#}");
}

#[tokio::test]
async fn of_two_applies_at_one_moment_one_is_told_of_the_other() {
    let app = applied().await;
    let (second, third) = (app.ada.preview(&version(2)).await, app.ada.preview(&version(3)).await);
    let (one, two) = tokio::join!(app.ada.try_apply(&second), app.ada.try_apply(&third));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [202, 409], "{one:?} {two:?}");
}

#[tokio::test]
async fn of_two_new_campaigns_of_one_name_the_second_is_told_of_the_first() {
    let app = TestApp::new().await;
    app.world.repo(REPO).await;
    let (one, two) = (app.ada.preview(&version(1)).await, app.ada.preview(&version(2)).await);
    let (first, second) = tokio::join!(app.ada.try_apply(&one), app.ada.try_apply(&two));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [202, 409], "{first:?} {second:?}");
}

#[tokio::test]
async fn of_two_campaigns_that_want_one_branch_the_second_is_refused() {
    let app = TestApp::new().await;
    app.world.repo(REPO).await;
    let shared = |name: &str| {
        let spec = Spec::new(name).on(REPO).run(&format!("echo {name} > {name}"));
        spec.set("/changesetTemplate/branch", "fix/deps".into())
    };
    let (one, two) = (app.ada.preview(&shared("a")).await, app.ada.preview(&shared("b")).await);
    app.ada.apply(&one).await;
    app.ada.settled("a").await;
    app.ada.try_apply(&two).await.is(409);
    let again = app.ada.plan(two.spec).await;
    assert_eq!(again.totals.refused, 1);
    app.ada.try_apply(&again).await.is(422).says("belongs to the campaign a");
    assert!(matches!(again.standing, Standing::Ready { .. }));
    assert_eq!(row(&app.ada.campaign("a").await, REPO).status, ChangesetStatus::Open);
}
