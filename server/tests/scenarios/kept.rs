//! No result is no wish to drop: what could not be found out keeps its pull request.

use crate::support::{
    app::{BEA, TestApp},
    client::row,
    spec::Spec,
};
use drover::{
    changeset::{plan::Operation, status::ChangesetStatus},
    view::preview::{PreviewPage, PreviewRow, RowKind, Standing},
};

const ONE: &str = "acme/one";
const TWO: &str = "acme/two";

fn both() -> Spec {
    Spec::new("hello").on(ONE).on(TWO)
}

/// A campaign with an open pull request in each of two repositories.
async fn published() -> TestApp {
    let app = TestApp::new().await;
    app.world.repo(ONE).await;
    app.world.repo(TWO).await;
    assert_eq!(app.publish(&both()).await.campaign.counts.open, 2);
    app.world.github.clear_requests();
    app
}

#[track_caller]
fn of<'a>(page: &'a PreviewPage, repo: &str) -> &'a PreviewRow {
    let found = page.rows.rows.iter().find(|row| row.repo.as_str() == repo);
    found.unwrap_or_else(|| panic!("no row of {repo}: {:#?}", page.rows.rows))
}

/// Applies a spec whose steps may fail, and expects both pull requests to stay open.
#[track_caller]
fn check_kept(page: &PreviewPage, repo: &str, why: &str) {
    let row = of(page, repo);
    assert_eq!((row.kind, &row.operations), (RowKind::Kept, &Vec::new()));
    let note = row.note.as_deref().unwrap_or_default();
    assert!(note.starts_with("kept: no new result, because ") && note.contains(why), "{note}");
}

#[tokio::test]
async fn a_step_that_fails_in_one_repository_closes_nothing() {
    let app = published().await;
    let spec = both().run("grep -q one README.md || exit 3; echo 1 > A");
    let page = app.ada.preview_anyhow(&spec).await;
    check_kept(&page, TWO, "3");
    assert_eq!((page.totals.kept, page.totals.close, page.totals.update), (1, 0, 1));
    app.ada.apply(&page).await;
    let campaign = app.ada.settled("hello").await;
    assert_eq!(campaign.campaign.counts.open, 2);
    assert_eq!(app.world.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn steps_that_fail_everywhere_close_nothing() {
    let app = published().await;
    let page = app.ada.preview_anyhow(&both().run("exit 7")).await;
    check_kept(&page, ONE, "7");
    check_kept(&page, TWO, "7");
    app.ada.apply(&page).await;
    assert_eq!(app.ada.settled("hello").await.campaign.counts.open, 2);
    assert_eq!(app.world.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn an_archived_repository_that_is_still_in_the_spec_keeps_its_changeset() {
    let app = published().await;
    app.world.github.archive(ONE).unwrap();
    let page = app.ada.preview_anyhow(&both()).await;
    check_kept(&page, ONE, "archived");
    app.ada.apply(&page).await;
    let campaign = app.ada.settled("hello").await;
    assert_eq!(row(&campaign, ONE).status, ChangesetStatus::ReadOnly);
    assert_eq!(row(&campaign, TWO).status, ChangesetStatus::Open);
}

#[tokio::test]
async fn what_the_spec_leaves_out_is_still_closed() {
    let app = published().await;
    let page = app.ada.preview(&Spec::new("hello").on(ONE)).await;
    let dropped = of(&page, TWO);
    assert_eq!(dropped.kind, RowKind::Dropped);
    assert_eq!(dropped.operations, [Operation::Close, Operation::Archive]);
    app.ada.apply(&page).await;
    app.ada.settled("hello").await;
    assert_eq!(app.world.github.pulls(TWO).unwrap()[0].state, "closed");
}

#[tokio::test]
async fn what_was_dropped_comes_back_with_its_pull_request_as_the_preview_says() {
    let app = published().await;
    app.publish(&Spec::new("hello").on(ONE)).await;
    let page = app.ada.preview(&both()).await;
    let back = of(&page, TWO);
    assert_eq!(back.operations, [Operation::Reopen]);
    assert_eq!(back.pull.map(|pull| pull.0), Some(1));
    app.ada.apply(&page).await;
    assert_eq!(app.ada.settled("hello").await.campaign.counts.open, 2);
    let pulls = app.world.github.pulls(TWO).unwrap();
    assert_eq!((pulls.len(), pulls[0].state), (1, "open"));
}

#[tokio::test]
async fn the_preview_says_what_people_did_on_the_code_host_a_moment_ago() {
    let app = published().await;
    let hers = app.world.bea_pushes(ONE, "drover/hello", "BEA").await;
    app.world.github.close_pull(TWO, 1, BEA).await.unwrap();
    let page = app.ada.preview(&both().run("echo good morning > HELLO")).await;
    let drift = of(&page, ONE).note.as_deref().unwrap_or_default();
    assert!(drift.contains(&hers[..7]), "{drift}");
    let closed = of(&page, TWO).note.as_deref().unwrap_or_default();
    assert!(closed.contains("as a person closed it"), "{closed}");
    assert_eq!((page.totals.drift, page.totals.update), (1, 0));
    app.ada.apply(&page).await;
    let campaign = app.ada.settled("hello").await;
    assert_eq!(row(&campaign, ONE).status, ChangesetStatus::Drift);
    assert_eq!(row(&campaign, TWO).status, ChangesetStatus::Closed);
    assert_eq!(app.world.tip(ONE, "drover/hello").await, Some(hers));
    assert_eq!(app.world.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_branch_that_was_there_before_is_drift_before_apply() {
    let app = TestApp::new().await;
    app.world.repo(ONE).await;
    let hers = app.world.bea_pushes(ONE, "drover/hello", "BEA").await;
    let page = app.ada.preview(&Spec::new("hello").on(ONE)).await;
    assert_eq!(page.totals.drift, 1);
    assert!(of(&page, ONE).note.as_deref().is_some_and(|note| note.contains(&hers[..7])));
}

#[tokio::test]
async fn no_pull_request_comes_from_a_branch_that_pull_requests_go_into() {
    let app = TestApp::new().await;
    app.world.repo(ONE).await;
    let tip = app.world.tip(ONE, "main").await;
    app.world.bea_pushes(ONE, "release", "BEA").await;
    let onto_release = Spec::new("other").on(ONE);
    let onto_release = onto_release.set(
        "/on/0",
        serde_json::json!({
            "repository": ONE, "branch": "release"
        }),
    );
    app.publish(&onto_release.set("/changesetTemplate/branch", "drover/other".into())).await;
    // The base of another campaign is refused in the plan, which knows of all campaigns.
    let spec = Spec::new("hello").on(ONE).run("echo more > MORE");
    let spec = spec.set("/changesetTemplate/branch", "release".into());
    let page = app.ada.preview(&spec).await;
    let refused = of(&page, ONE);
    assert_eq!(refused.kind, RowKind::Refused);
    let note = refused.note.as_deref().unwrap_or_default();
    assert!(note.contains("no pull request can come from this branch"), "{note}");
    assert!(matches!(page.standing, Standing::Ready { .. }));
    app.ada.try_apply(&page).await.is(422).says("Nothing was applied");
    // The default branch is no head even where pull requests go elsewhere: no wish is made of it.
    let spec = spec.set("/on/0", serde_json::json!({ "repository": ONE, "branch": "release" }));
    let spec = spec.set("/changesetTemplate/branch", "main".into());
    let created = app.ada.start(&spec).await;
    let page = app.ada.executed(created.execution).await;
    assert_eq!((page.counts.failed, page.counts.changed), (1, 0));
    assert_eq!(app.ada.plan(created.id).await.totals.publish, 0);
    assert_eq!(app.world.tip(ONE, "main").await, tip);
}
