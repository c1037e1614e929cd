//! What Drover says when it may not do something, or when there is nothing to do it to.

use crate::support::{
    app::{BOT, TestApp, until},
    client::row,
    spec::Spec,
};
use drover::{changeset::status::ChangesetStatus, view::execution::ExecutionState};

const REPO: &str = "acme/shop";

#[tokio::test]
async fn work_waits_while_its_token_is_revoked_and_a_new_one_goes_on() {
    let app = TestApp::new().await;
    app.world.repo(REPO).await;
    let preview = app.ada.preview(&Spec::new("hello").on(REPO)).await;
    app.world.github.revoke_token(crate::support::app::BOT_TOKEN).unwrap();
    app.ada.apply(&preview).await;
    let waits = "SELECT count(*) FROM jobs WHERE kind = 'reconcile' AND state = 'waiting'
                 AND last_error IS NOT NULL";
    until(&app.world, "the wait for a credential", waits).await;
    let page = app.ada.campaign("hello").await;
    let changeset = row(&page, REPO);
    let problem = changeset.problem.as_ref().expect("it says what is the matter");
    let words = format!("{} {}", problem.message, problem.next);
    assert!(words.contains("token") || words.contains("credential"), "{words}");
    assert!(!words.contains(crate::support::app::BOT_TOKEN), "{words}");
    assert!(app.world.github.pulls(REPO).unwrap().is_empty());

    app.world.github.grant_token("token-new", BOT).unwrap();
    app.set_token("token-new").await;
    let page = app.ada.settled("hello").await;
    assert_eq!(row(&page, REPO).status, ChangesetStatus::Open, "{:#?}", row(&page, REPO));
    assert_eq!(app.world.github.pulls(REPO).unwrap().len(), 1);
    // The stand-in no longer knows the token that tests read with.
    app.world.github.grant_token(crate::support::app::BOT_TOKEN, BOT).unwrap();
}

#[tokio::test]
async fn a_repository_that_was_archived_meanwhile_is_said_to_be_read_only() {
    let app = TestApp::new().await;
    app.world.repo(REPO).await;
    let preview = app.ada.preview(&Spec::new("hello").on(REPO)).await;
    app.world.github.archive(REPO).unwrap();
    app.ada.apply(&preview).await;
    let page = app.ada.settled("hello").await;
    assert_eq!(row(&page, REPO).status, ChangesetStatus::ReadOnly);
    assert!(app.world.github.pulls(REPO).unwrap().is_empty());
}

#[tokio::test]
async fn an_execution_says_why_there_is_nothing_to_run_in() {
    let app = TestApp::new().await;
    app.world.repo(REPO).await;
    let page = app.ada.execute(&Spec::new("a").matching("org:acme topic:nobody")).await;
    match &page.state {
        ExecutionState::Failed { reason } => {
            assert!(reason.contains("matches no repository"), "{reason}");
        }
        state @ (ExecutionState::Resolving
        | ExecutionState::Running
        | ExecutionState::Done
        | ExecutionState::Cancelled) => panic!("{state:?}, not failed"),
    }
}
