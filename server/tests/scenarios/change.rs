//! What a new spec of a campaign does to the pull requests of the last one.

use crate::support::{app::TestApp, client::row, spec::Spec};
use drover::{
    changeset::{plan::Operation, status::ChangesetStatus},
    view::changeset::ChangesetChoice,
};
use github_stand_in::Class;

/// A published campaign whose requests so far are forgotten.
async fn published(spec: &Spec) -> TestApp {
    let app = TestApp::new().await;
    app.world.repo("acme/shop").await;
    app.publish(spec).await;
    app.world.github.clear_requests();
    app
}

#[tokio::test]
async fn another_title_is_one_patch_and_no_push() {
    let spec = Spec::new("hello").on("acme/shop");
    let app = published(&spec).await;
    let page = app.publish(&spec.title("Greet")).await;
    assert_eq!(row(&page, "acme/shop").status, ChangesetStatus::Open);
    assert_eq!(app.world.github.pulls("acme/shop").unwrap()[0].title, "Greet");
    assert_eq!(app.world.writes(), ["PATCH /repos/acme/shop/pulls/1"]);
    assert_eq!(app.world.requests(Class::GitPush), 0);
}

#[tokio::test]
async fn another_diff_is_one_push_and_no_write() {
    let spec = Spec::new("hello").on("acme/shop");
    let app = published(&spec).await;
    let page = app.publish(&spec.run("echo good morning > HELLO")).await;
    assert_eq!(row(&page, "acme/shop").status, ChangesetStatus::Open);
    let files = app.world.on_github("/repos/acme/shop/pulls/1/files").await;
    assert!(files[0]["patch"].as_str().unwrap().contains("+good morning"));
    assert_eq!(app.world.writes(), Vec::<String>::new());
    assert_eq!(app.world.requests(Class::GitPush), 1);
}

#[tokio::test]
async fn a_dropped_repository_is_closed_and_archived() {
    let app = TestApp::new().await;
    app.world.repo("acme/shop").await;
    app.world.repo("acme/web").await;
    let spec = Spec::new("hello").on("acme/shop");
    app.publish(&spec.clone().on("acme/web")).await;
    app.world.github.clear_requests();

    let preview = app.ada.preview(&spec).await;
    let dropped = preview.rows.rows.iter().find(|row| row.spec.is_none()).unwrap();
    assert_eq!(dropped.operations, [Operation::Close, Operation::Archive]);
    app.ada.apply(&preview).await;
    let page = app.ada.settled("hello").await;
    assert_eq!(row(&page, "acme/shop").status, ChangesetStatus::Open);
    let archived = "SELECT count(*) FROM changesets WHERE archived_at IS NOT NULL";
    assert_eq!(app.world.db.count(archived).await, 1);
    assert_eq!(app.world.github.pulls("acme/web").unwrap()[0].state, "closed");
    assert_eq!(app.world.writes(), ["PATCH /repos/acme/web/pulls/1"]);

    // The branch is free again, and the same pull request comes back.
    let page = app.publish(&spec.on("acme/web")).await;
    assert_eq!(page.campaign.counts.open, 2);
    let pulls = app.world.github.pulls("acme/web").unwrap();
    assert_eq!((pulls.len(), pulls[0].state), (1, "open"));
}

#[tokio::test]
async fn an_unpublished_wish_sends_nothing_until_somebody_publishes_it() {
    let app = TestApp::new().await;
    app.world.repo("acme/shop").await;
    let spec = Spec::new("hello").on("acme/shop");
    let page = app.publish(&spec.clone().published(false)).await;
    assert_eq!(row(&page, "acme/shop").status, ChangesetStatus::Unpublished);
    assert_eq!(app.world.requests(Class::GitPush), 0);
    assert_eq!(app.world.writes(), Vec::<String>::new());

    let page = app.publish(&spec).await;
    assert_eq!(row(&page, "acme/shop").status, ChangesetStatus::Open);
    assert_eq!(app.world.writes(), ["POST /repos/acme/shop/pulls"]);
}

#[tokio::test]
async fn a_person_publishes_what_the_spec_leaves_open() {
    let app = TestApp::new().await;
    app.world.repo("acme/shop").await;
    let spec = Spec::new("hello").on("acme/shop").published(serde_json::Value::Null);
    let page = app.publish(&spec).await;
    let changeset = row(&page, "acme/shop");
    assert_eq!(changeset.status, ChangesetStatus::Unpublished);
    app.ada.choose(changeset.id, ChangesetChoice::PublishDraft).await;
    let page = app.ada.settled("hello").await;
    assert_eq!(row(&page, "acme/shop").status, ChangesetStatus::Draft);
    assert!(app.world.github.pulls("acme/shop").unwrap()[0].draft);
}

#[tokio::test]
async fn a_draft_is_marked_ready() {
    let spec = Spec::new("hello").on("acme/shop");
    let app = published(&spec.clone().published("draft")).await;
    assert!(app.world.github.pulls("acme/shop").unwrap()[0].draft);
    let page = app.publish(&spec).await;
    assert_eq!(row(&page, "acme/shop").status, ChangesetStatus::Open);
    assert!(!app.world.github.pulls("acme/shop").unwrap()[0].draft);
    assert_eq!(app.world.writes(), Vec::<String>::new());
    assert_eq!(app.world.requests(Class::GitPush), 0);
}

#[tokio::test]
async fn what_a_person_closed_stays_closed_until_somebody_asks() {
    let spec = Spec::new("hello").on("acme/shop");
    let app = published(&spec).await;
    app.world.github.close_pull("acme/shop", 1, crate::support::app::BEA).await.unwrap();
    let page = app.ada.campaign("hello").await;
    let id = row(&page, "acme/shop").id;
    app.ada.choose(id, ChangesetChoice::Sync).await;
    crate::support::app::until(
        &app.world,
        "the news that it is closed",
        "SELECT count(*) FROM pulls WHERE state = 'closed'",
    )
    .await;
    app.world.github.clear_requests();

    let page = app.publish(&spec.title("Greet")).await;
    assert_eq!(row(&page, "acme/shop").status, ChangesetStatus::Closed);
    assert_eq!(app.world.github.pulls("acme/shop").unwrap()[0].state, "closed");
    app.ada.choose(id, ChangesetChoice::Reopen).await;
    let page = app.ada.settled("hello").await;
    assert_eq!(row(&page, "acme/shop").status, ChangesetStatus::Open);
    let pull = &app.world.github.pulls("acme/shop").unwrap()[0];
    assert_eq!((pull.state, pull.title.as_str()), ("open", "Greet"));
}
