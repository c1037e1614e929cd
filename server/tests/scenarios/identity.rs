//! A repository is the number that the code host gave it, whatever it is called today.

use crate::support::{
    app::{BOT, TestApp, until},
    client::row,
    spec::Spec,
};
use drover::{changeset::status::ChangesetStatus, view::changeset::ChangesetChoice};
use github_stand_in::Access;

const SHOP: &str = "acme/shop";

fn hello(repo: &str) -> Spec {
    Spec::new("hello").on(repo)
}

async fn published() -> TestApp {
    let app = TestApp::new().await;
    app.world.repo(SHOP).await;
    app.publish(&hello(SHOP)).await;
    app
}

/// The pull request that was opened under the old name is followed under the new one.
async fn check_followed(app: &TestApp, today: &str) {
    // The spec still says the old name, and the diff changes: so git has to follow too.
    let spec = hello(SHOP).title("Greet").run("echo good morning > HELLO");
    let page = app.publish(&spec).await;
    assert_eq!(row(&page, today).status, ChangesetStatus::Open);
    let pulls = app.world.github.pulls(today).unwrap();
    let [pull] = pulls.as_slice() else { panic!("not one pull request: {pulls:#?}") };
    assert_eq!((pull.state, pull.title.as_str()), ("open", "Greet"));
    assert_eq!(app.world.db.count("SELECT count(*) FROM changesets").await, 1);
    assert_eq!(app.world.db.count("SELECT count(*) FROM repositories").await, 1);
}

#[tokio::test]
async fn a_renamed_repository_keeps_its_pull_request() {
    let app = published().await;
    app.world.github.rename_repo(SHOP, "store").await.unwrap();
    check_followed(&app, "acme/store").await;
}

#[tokio::test]
async fn a_transferred_repository_keeps_its_pull_request() {
    let app = published().await;
    app.world.github.create_organisation("zoo").unwrap();
    app.world.github.transfer_repo(SHOP, "zoo").await.unwrap();
    app.world.github.grant("zoo/shop", BOT, Access::Write).unwrap();
    check_followed(&app, "zoo/shop").await;
}

#[tokio::test]
async fn a_repository_that_took_the_name_is_another_one() {
    let app = published().await;
    let id = row(&app.ada.campaign("hello").await, SHOP).id;
    app.world.github.rename_repo(SHOP, "store").await.unwrap();
    app.world.repo(SHOP).await;
    app.ada.choose(id, ChangesetChoice::Sync).await;
    let found = "SELECT count(*) FROM repositories WHERE name = 'acme/store'";
    until(&app.world, "the repository under its new name", found).await;
    let page = app.ada.campaign("hello").await;
    assert_eq!(row(&page, "acme/store").status, ChangesetStatus::Open);

    // A spec that names the new one opens a pull request there, and leaves no row in two minds.
    let page = app.publish(&Spec::new("other").on(SHOP)).await;
    assert_eq!(row(&page, SHOP).status, ChangesetStatus::Open);
    assert_eq!(app.world.db.count("SELECT count(*) FROM repositories").await, 2);
    assert_eq!(app.world.github.pulls("acme/store").unwrap()[0].state, "open");
}
