//! Somebody's commits on a branch that Drover wants are never overwritten unasked.

use crate::support::{app::TestApp, client::row, spec::Spec};
use drover::{changeset::status::ChangesetStatus, view::changeset::ChangesetChoice};
use github_stand_in::Class;

const REPO: &str = "acme/shop";
const BRANCH: &str = "drover/hello";

/// A campaign that met Bea's branch.
async fn met() -> (TestApp, String) {
    let app = TestApp::new().await;
    app.world.repo(REPO).await;
    let hers = app.world.bea_pushes(REPO, BRANCH, "BEA").await;
    let page = app.publish(&Spec::new("hello").on(REPO)).await;
    let changeset = row(&page, REPO);
    assert_eq!(changeset.status, ChangesetStatus::Drift);
    let problem = changeset.problem.as_ref().expect("it says what is the matter");
    assert!(problem.message.contains("commits that Drover did not push"), "{problem:?}");
    assert_eq!(app.world.tip(REPO, BRANCH).await.as_deref(), Some(hers.as_str()));
    assert_eq!(app.world.writes(), Vec::<String>::new());
    (app, hers)
}

async fn choose(app: &TestApp, choice: ChangesetChoice) -> ChangesetStatus {
    let page = app.ada.campaign("hello").await;
    app.ada.choose(row(&page, REPO).id, choice).await;
    let page = app.ada.settled("hello").await;
    page.changesets.rows.first().map_or(ChangesetStatus::Archived, |row| row.status)
}

#[tokio::test]
async fn a_branch_of_somebody_else_is_overwritten_when_that_is_chosen() {
    let (app, hers) = met().await;
    assert_eq!(choose(&app, ChangesetChoice::Overwrite).await, ChangesetStatus::Open);
    assert_ne!(app.world.tip(REPO, BRANCH).await, Some(hers));
    assert_eq!(app.world.writes(), ["POST /repos/acme/shop/pulls"]);
    let files = app.world.on_github("/repos/acme/shop/pulls/1/files").await;
    assert_eq!(files.as_array().map(Vec::len), Some(1), "Bea's file is gone: {files:#}");
}

#[tokio::test]
async fn a_branch_of_somebody_else_is_adopted_when_that_is_chosen() {
    let (app, hers) = met().await;
    assert_eq!(choose(&app, ChangesetChoice::Adopt).await, ChangesetStatus::Open);
    assert_eq!(app.world.tip(REPO, BRANCH).await, Some(hers));
    assert_eq!(app.world.writes(), ["POST /repos/acme/shop/pulls"]);
}

#[tokio::test]
async fn a_branch_of_somebody_else_is_let_go_when_that_is_chosen() {
    let (app, hers) = met().await;
    choose(&app, ChangesetChoice::Detach).await;
    assert_eq!(app.world.tip(REPO, BRANCH).await, Some(hers));
    assert_eq!(app.world.writes(), Vec::<String>::new());
    let live = "SELECT count(*) FROM changesets WHERE detached_at IS NULL";
    assert_eq!(app.world.db.count(live).await, 0);
}

#[tokio::test]
async fn commits_that_come_after_the_choice_to_overwrite_are_kept() {
    let (app, _) = met().await;
    let later = app.world.bea_pushes(REPO, BRANCH, "MORE").await;
    assert_eq!(choose(&app, ChangesetChoice::Overwrite).await, ChangesetStatus::Drift);
    assert_eq!(app.world.tip(REPO, BRANCH).await, Some(later));
}

#[tokio::test]
async fn a_choice_about_commits_that_nobody_saw_changes_nothing() {
    let (app, _) = met().await;
    let id = row(&app.ada.campaign("hello").await, REPO).id;
    let shown = app.ada.shown(id).await;
    let later = app.world.bea_pushes(REPO, BRANCH, "MORE").await;
    app.ada.choose(id, ChangesetChoice::Retry).await;
    app.ada.settled("hello").await;
    app.ada.choose_about(id, ChangesetChoice::Overwrite, &shown).await;
    let page = app.ada.settled("hello").await;
    assert_eq!(row(&page, REPO).status, ChangesetStatus::Drift);
    assert_eq!(app.world.tip(REPO, BRANCH).await, Some(later));
    let chosen = "SELECT count(*) FROM changesets WHERE drift <> 'wait'";
    assert_eq!(app.world.db.count(chosen).await, 0);
}

#[tokio::test]
async fn a_push_to_an_open_pull_request_is_drift_for_the_next_spec() {
    let app = TestApp::new().await;
    app.world.repo(REPO).await;
    let spec = Spec::new("hello").on(REPO);
    app.publish(&spec).await;
    let hers = app.world.bea_pushes(REPO, BRANCH, "BEA").await;
    let pushes = app.world.requests(Class::GitPush);
    let page = app.publish(&spec.run("echo good morning > HELLO")).await;
    assert_eq!(row(&page, REPO).status, ChangesetStatus::Drift);
    assert_eq!(app.world.tip(REPO, BRANCH).await, Some(hers));
    assert!(app.world.requests(Class::GitPush) <= pushes + 1);
}
