//! After a merge, life goes on.

use crate::support::{
    app::{ADA, BEA, TestApp},
    client::row,
    spec::Spec,
};
use drover::changeset::{plan::Operation, status::ChangesetStatus};

const REPO: &str = "acme/shop";
const BRANCH: &str = "drover/hello";

fn one() -> Spec {
    Spec::new("hello").on(REPO).run("echo 1 > one")
}

fn two() -> Spec {
    Spec::new("hello").on(REPO).run("echo 1 > one; echo 2 > two")
}

/// A campaign whose pull request Bea has merged.
async fn merged() -> TestApp {
    let app = TestApp::new().await;
    app.world.repo(REPO).await;
    app.publish(&one()).await;
    app.world.github.merge_pull(REPO, 1, BEA).await.unwrap();
    app.world.github.clear_requests();
    app
}

/// A second pull request is open, with the file that the first did not bring.
async fn check_second(app: &TestApp) {
    let page = app.ada.settled("hello").await;
    let changeset = row(&page, REPO);
    assert_eq!(changeset.status, ChangesetStatus::Open, "{:?}", changeset.problem);
    assert_eq!(changeset.pull.as_ref().map(|pull| pull.number.0), Some(2));
    let files = app.world.on_github(&format!("/repos/{REPO}/pulls/2/files")).await;
    let names: Vec<_> = files.as_array().unwrap().iter().map(|it| &it["filename"]).collect();
    assert_eq!(names, ["two"]);
    assert_eq!(app.world.github.pulls(REPO).unwrap().len(), 2);
}

#[tokio::test]
async fn what_a_new_spec_wants_beyond_the_merge_is_a_new_pull_request() {
    let app = merged().await;
    let page = app.ada.preview(&two()).await;
    let planned = &page.rows.rows[0];
    assert_eq!(planned.operations, [Operation::Renew, Operation::Push, Operation::Publish]);
    let note = planned.note.as_deref().unwrap_or_default();
    assert!(note.contains("#1 is merged"), "{note}");
    app.ada.apply(&page).await;
    check_second(&app).await;
}

#[tokio::test]
async fn the_same_spec_after_the_merge_and_then_more() {
    let app = merged().await;
    // Nothing is left to change, so the spec does not want the changeset any more.
    let page = app.publish(&one()).await;
    assert_eq!(page.campaign.counts.open, 0);
    assert_eq!(app.world.writes(), Vec::<String>::new());
    app.publish(&two()).await;
    check_second(&app).await;
}

#[tokio::test]
async fn a_branch_that_was_deleted_after_the_merge_is_made_anew() {
    let app = merged().await;
    if app.world.tip(REPO, BRANCH).await.is_some() {
        app.world.github.delete_branch(REPO, BRANCH, BEA).await.unwrap();
    }
    app.publish(&two()).await;
    check_second(&app).await;
}

#[tokio::test]
async fn what_was_archived_and_lost_its_branch_comes_back_as_a_new_pull_request() {
    let app = TestApp::new().await;
    app.world.repo(REPO).await;
    app.world.repo("acme/web").await;
    app.publish(&one().on("acme/web")).await;
    app.publish(&Spec::new("hello").on("acme/web").run("echo 1 > one")).await;
    assert_eq!(app.world.github.pulls(REPO).unwrap()[0].state, "closed");
    app.world.github.delete_branch(REPO, BRANCH, BEA).await.unwrap();
    let page = app.ada.preview(&one().on("acme/web")).await;
    let back = page.rows.rows.iter().find(|row| row.repo.as_str() == REPO).unwrap();
    assert_eq!(back.operations, [Operation::Renew, Operation::Push, Operation::Publish]);
    app.ada.apply(&page).await;
    let page = app.ada.settled("hello").await;
    assert_eq!(row(&page, REPO).status, ChangesetStatus::Open);
    assert_eq!(row(&page, REPO).pull.as_ref().map(|pull| pull.number.0), Some(2));
}

#[tokio::test]
async fn another_campaign_takes_the_branch_of_one_that_is_over() {
    let app = merged().await;
    let other = Spec::new("other").on(REPO).run("echo 3 > three");
    let other = other.set("/changesetTemplate/branch", BRANCH.into());
    app.publish(&other).await;
    let page = app.ada.settled("other").await;
    assert_eq!(row(&page, REPO).status, ChangesetStatus::Open, "{:?}", row(&page, REPO).problem);
    let first = app.ada.campaign("hello").await;
    assert_eq!(row(&first, REPO).status, ChangesetStatus::Merged);
    assert_eq!(first.applied_by.as_str(), ADA);
}
