//! Drover looks before it acts: what people did minutes ago, unheard of by Drover, is never
//! pushed over, renamed or closed on what was believed before.

use crate::support::{
    app::{BEA, BOT, BOT_TOKEN, TestApp, until},
    client::row,
    eventually,
    spec::Spec,
};
use drover::{
    changeset::status::ChangesetStatus,
    view::changeset::{ChangesetChoice, ChangesetRow},
};
use github_stand_in::{Access, Class, Fault, FileContent, NewRepo, Rule};

const REPO: &str = "acme/shop";
const BRANCH: &str = "drover/hello";

fn hello() -> Spec {
    Spec::new("hello").on(REPO)
}

/// A published campaign whose requests so far are forgotten.
async fn published() -> TestApp {
    let app = TestApp::new().await;
    app.world.repo(REPO).await;
    app.publish(&hello()).await;
    app.world.github.clear_requests();
    app
}

/// Publishes another spec, and gives the changeset when it is at rest.
async fn then(app: &TestApp, spec: &Spec) -> ChangesetRow {
    row(&app.publish(spec).await, REPO).clone()
}

fn says(row: &ChangesetRow, parts: &[&str]) {
    let problem = row.problem.as_ref().unwrap_or_else(|| panic!("it says nothing: {row:?}"));
    for part in parts {
        assert!(problem.message.contains(part), "{part}: {problem:?}");
    }
}

#[tokio::test]
async fn what_a_person_closed_minutes_ago_is_not_pushed_over() {
    let app = published().await;
    app.world.github.close_pull(REPO, 1, BEA).await.unwrap();
    let before = app.world.tip(REPO, BRANCH).await;
    let spec = hello().title("Greet").run("echo good morning > HELLO");
    assert_eq!(then(&app, &spec).await.status, ChangesetStatus::Closed);
    assert_eq!(app.world.tip(REPO, BRANCH).await, before);
    assert_eq!(app.world.requests(Class::GitPush), 0);
    assert_eq!(app.world.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn what_a_person_merged_minutes_ago_is_not_renamed() {
    let app = published().await;
    let preview = app.ada.preview(&hello().title("Greet")).await;
    app.world.github.merge_pull(REPO, 1, BEA).await.unwrap();
    // Whether the apply finds it out or the job: nothing is written on what was believed before.
    let answer = app.ada.try_apply(&preview).await;
    if answer.status == 202 {
        let page = app.ada.settled("hello").await;
        assert_eq!(row(&page, REPO).status, ChangesetStatus::Merged);
    }
    assert_eq!(app.world.github.pulls(REPO).unwrap()[0].title, "Say hello");
    assert_eq!(app.world.requests(Class::GitPush), 0);
    assert_eq!(app.world.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_fix_that_a_person_pushed_minutes_ago_is_seen_before_the_push() {
    let app = published().await;
    let hers = app.world.bea_pushes(REPO, BRANCH, "BEA").await;
    let spec = hello().run("echo good morning > HELLO");
    assert_eq!(then(&app, &spec).await.status, ChangesetStatus::Drift);
    assert_eq!(app.world.tip(REPO, BRANCH).await, Some(hers));
    assert_eq!(app.world.requests(Class::GitPush), 0, "the lease is not what finds it out");
}

#[tokio::test]
async fn a_title_that_a_person_wrote_stays_when_only_the_body_changes() {
    let app = published().await;
    app.world.edit_pull(REPO, 1, &serde_json::json!({ "title": "Bea's title" })).await;
    let body = serde_json::json!("Another body.");
    let row = then(&app, &hello().set("/changesetTemplate/body", body)).await;
    assert_eq!(row.status, ChangesetStatus::Open);
    let pull = &app.world.github.pulls(REPO).unwrap()[0];
    assert_eq!(pull.title, "Bea's title");
    assert!(pull.body.as_ref().unwrap().starts_with("Another body."), "{:?}", pull.body);
}

/// A branch of Bea's and ours that cannot be there at once.
async fn check_blocked(theirs: &str, ours: &str) {
    let app = TestApp::new().await;
    app.world.repo(REPO).await;
    app.world.bea_pushes(REPO, theirs, "BEA").await;
    let spec = hello().set("/changesetTemplate/branch", serde_json::json!(ours));
    let row = then(&app, &spec).await;
    assert_eq!(row.status, ChangesetStatus::Failed);
    says(&row, &[&format!("the branch `{theirs}` is in the way"), "another branch"]);
    assert_eq!(app.world.requests(Class::GitPush), 1, "it is tried once");
}

#[tokio::test]
async fn a_branch_that_is_a_folder_of_ours_is_named() {
    check_blocked("drover", BRANCH).await;
}

#[tokio::test]
async fn a_branch_below_ours_is_named() {
    check_blocked("fix/deps/lodash", "fix/deps").await;
}

#[tokio::test]
async fn a_branch_that_a_person_deleted_ends_with_one_word_about_it() {
    let app = published().await;
    app.world.github.delete_branch(REPO, BRANCH, BEA).await.unwrap();
    let row = then(&app, &hello().run("echo good morning > HELLO")).await;
    match row.status {
        // GitHub closes a pull request whose branch is deleted: so a person closed it.
        ChangesetStatus::Closed => {}
        _ => says(&row, &["deleted the branch `drover/hello`"]),
    }
    assert!(app.world.requests(Class::GitPush) <= 1, "a round is not run twice");
}

#[tokio::test]
async fn a_close_of_ours_whose_answer_was_lost_stays_ours() {
    let app = TestApp::new().await;
    app.world.repo(REPO).await;
    app.world.repo("acme/web").await;
    let both = hello().on("acme/web");
    app.publish(&both).await;
    // The spec leaves the shop out, and the answer to its close is lost.
    let preview = app.ada.preview(&Spec::new("hello").on("acme/web")).await;
    app.world.github.fault(Rule::once("PATCH", "/repos/acme/shop/pulls/1", Fault::CutAfter));
    app.ada.apply(&preview).await;
    let unknown = "SELECT count(*) FROM effects WHERE state = 'unknown'";
    until(&app.world, "a write with a lost answer", unknown).await;
    app.world.time_passes().await;
    let put_aside = "SELECT count(*) FROM changesets WHERE archived_at IS NOT NULL";
    until(&app.world, "the end of the close", put_aside).await;
    assert_eq!(app.world.github.pulls(REPO).unwrap()[0].state, "closed");
    let ours = "SELECT count(*) FROM pulls WHERE closed_by = 'drover'";
    assert_eq!(app.world.db.count(ours).await, 1);

    // Wanted again, it comes back, for nobody else closed it.
    assert_eq!(then(&app, &both).await.status, ChangesetStatus::Open);
    let pulls = app.world.github.pulls(REPO).unwrap();
    assert_eq!((pulls.len(), pulls[0].state), (1, "open"));
}

#[tokio::test]
async fn pushes_whose_answers_were_lost_are_all_known_as_ours() {
    let app = published().await;
    for (lost, word) in [(Fault::CutBefore, "morning"), (Fault::CutAfter, "evening")] {
        let preview = app.ada.preview(&hello().run(&format!("echo good {word} > HELLO"))).await;
        app.world.github.clear_requests();
        app.world.github.fault(Rule::once("POST", "/*/*/git-receive-pack", lost));
        app.ada.apply(&preview).await;
        eventually("a push with a lost answer", async || {
            let requests = app.world.github.requests();
            requests.iter().any(|it| it.class == Class::GitPush && it.fault.is_some()).then_some(())
        })
        .await;
    }
    let row = then(&app, &hello().run("echo good night > HELLO")).await;
    assert_eq!(row.status, ChangesetStatus::Open, "{row:?}");
    let files = app.world.on_github("/repos/acme/shop/pulls/1/files").await;
    assert!(files[0]["patch"].as_str().unwrap().contains("+good night"), "{files:#}");
    assert_eq!(app.world.db.count("SELECT count(*) FROM branch_attempts").await, 0);
}

#[tokio::test]
async fn a_repository_that_was_archived_ends_its_changeset_and_nothing_is_written() {
    let app = TestApp::new().await;
    app.world.repo(REPO).await;
    app.world.repo("acme/web").await;
    app.publish(&hello().on("acme/web")).await;
    app.world.github.clear_requests();
    let id = row(&app.ada.campaign("hello").await, REPO).id;
    app.world.github.archive(REPO).unwrap();
    app.ada.choose(id, ChangesetChoice::Sync).await;
    let seen = "SELECT count(*) FROM pulls WHERE state = 'read_only'";
    until(&app.world, "the news that it is read-only", seen).await;
    let page = app.ada.campaign("hello").await;
    assert_eq!(row(&page, REPO).status, ChangesetStatus::ReadOnly);

    // A spec that leaves it out puts it aside without an error, and nothing is sent.
    let page = app.publish(&Spec::new("hello").on("acme/web")).await;
    assert_eq!(row(&page, "acme/web").status, ChangesetStatus::Open);
    let put_aside = "SELECT count(*) FROM changesets WHERE archived_at IS NOT NULL";
    until(&app.world, "the changeset put aside", put_aside).await;
    assert_eq!(app.world.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_repository_that_is_out_of_reach_keeps_its_pull_request() {
    let app = TestApp::new().await;
    let wish = NewRepo {
        owner: "acme".to_owned(),
        name: "shop".to_owned(),
        private: true,
        files: vec![FileContent::new("README.md", "# shop\n")],
        ..NewRepo::default()
    };
    app.world.github.create_repo(wish).await.unwrap();
    app.world.github.grant(REPO, BOT, Access::Write).unwrap();
    let id = row(&app.publish(&hello()).await, REPO).id;
    app.world.github.grant(REPO, BOT, Access::None).unwrap();
    app.ada.choose(id, ChangesetChoice::Sync).await;
    let unseen = "SELECT count(*) FROM jobs WHERE kind = 'sync' AND state = 'failed'";
    until(&app.world, "a look that shows nothing", unseen).await;
    let page = app.ada.campaign("hello").await;
    assert_eq!(row(&page, REPO).status, ChangesetStatus::Open, "gone or hidden: nobody knows");

    app.world.github.grant(REPO, BOT, Access::Write).unwrap();
    assert_eq!(then(&app, &hello().title("Greet")).await.status, ChangesetStatus::Open);
    assert_eq!(app.world.github.pulls(REPO).unwrap()[0].title, "Greet");
}

#[tokio::test]
async fn work_waits_for_a_credential_and_goes_on_by_itself() {
    let app = TestApp::new().await;
    app.world.repo(REPO).await;
    let preview = app.ada.preview(&hello()).await;
    app.world.github.revoke_token(BOT_TOKEN).unwrap();
    app.ada.apply(&preview).await;
    let refused = "SELECT count(*) FROM jobs WHERE kind = 'reconcile' AND state = 'waiting'
                   AND last_error LIKE '%does not accept%'";
    until(&app.world, "the wait for a credential", refused).await;
    let page = app.ada.campaign("hello").await;
    says(row(&page, REPO), &["does not accept Drover's token"]);

    // The same token works again, and nobody asks Drover to go on.
    app.world.github.grant_token(BOT_TOKEN, BOT).unwrap();
    let page = app.ada.settled("hello").await;
    assert_eq!(row(&page, REPO).status, ChangesetStatus::Open);
}
