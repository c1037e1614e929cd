//! What comes of steps that do not end well, told on the page of the execution.

use crate::support::{app::TestApp, client::row, spec::Spec};
use drover::{
    changeset::status::ChangesetStatus,
    view::execution::{ExecutionPage, ExecutionState, LogPage, WorkspaceRow, WorkspaceState},
};
use drover_server::{
    api::wire::{ErrorBody, Moved},
    executor::Limits,
};
use serde_json::json;
use std::time::Duration;

const REPO: &str = "acme/shop";

fn workspace<'a>(page: &'a ExecutionPage, repo: &str) -> &'a WorkspaceRow {
    page.workspaces.rows.iter().find(|row| row.repo.to_string() == repo).unwrap()
}

#[track_caller]
fn reason(row: &WorkspaceRow) -> String {
    match &row.state {
        WorkspaceState::Failed { reason, .. } => reason.clone(),
        state @ (WorkspaceState::Waiting
        | WorkspaceState::Cloning
        | WorkspaceState::Step { .. }
        | WorkspaceState::Changed { .. }
        | WorkspaceState::Unchanged
        | WorkspaceState::Skipped { .. }
        | WorkspaceState::Cancelled) => panic!("it did not fail: {state:?}"),
    }
}

#[tokio::test]
async fn a_failing_step_fails_its_repository_and_leaves_others_alone() {
    let app = TestApp::new().await;
    app.world.repo(REPO).await;
    app.world.repo("acme/web").await;
    let script = "echo hello > HELLO; grep -q web README.md || { echo no web here; exit 7; }";
    let spec = Spec::new("hello").matching("org:acme").run(script);
    let created = app.ada.start(&spec).await;
    let page = app.ada.executed(created.execution).await;
    assert_eq!(page.state, ExecutionState::Done);
    let failed = workspace(&page, REPO);
    let words = reason(failed);
    assert!(words.contains("exit code 7") && words.contains("no web here"), "{words}");
    assert!(matches!(failed.state, WorkspaceState::Failed { step: Some(1), .. }));
    let log: LogPage = app.ada.get(&format!("/workspaces/{}/log", failed.id)).await;
    assert!(log.lines.iter().any(|line| line.text == "no web here"), "{:?}", log.lines);

    let plan = app.ada.plan(created.id).await;
    assert_eq!((plan.totals.publish, plan.failed.len()), (1, 1));
    app.ada.apply(&plan).await;
    let page = app.ada.settled("hello").await;
    assert_eq!(page.campaign.counts.total(), 1);
    assert_eq!(row(&page, "acme/web").status, ChangesetStatus::Open);
}

#[tokio::test]
async fn an_empty_diff_makes_no_changeset() {
    let app = TestApp::new().await;
    app.world.repo(REPO).await;
    let spec = Spec::new("hello").on(REPO).run("touch README.md; echo x > y; rm y");
    let preview = app.ada.preview(&spec).await;
    assert!(preview.rows.rows.is_empty());
    app.ada.apply(&preview).await;
    assert_eq!(app.ada.settled("hello").await.campaign.counts.total(), 0);
}

#[tokio::test]
async fn steps_that_use_too_much_or_make_what_no_diff_may_hold_are_told_why() {
    let limits = Limits {
        time: Duration::from_secs(3),
        output_bytes: 100_000,
        disk_bytes: 8 << 20,
        ..Limits::default()
    };
    let app = TestApp::with(|config| {
        config.executor.limits = limits;
        config.git.diff_bytes_max = 1 << 20;
        config.workspaces_at_once = 8;
    })
    .await;
    app.world.repo(REPO).await;
    for (name, script, part) in [
        ("endless", "sleep 600", "did not end within 3 s"),
        ("flood", "yes", "bytes of output"),
        (
            "disk",
            "for n in 1 2 3; do head -c 4M /dev/zero > $n; done; sleep 60",
            "filled its working copy",
        ),
        ("outside", "echo x > /usr/drover", "exit code"),
        ("symlink", "ln -s /etc/passwd passwd", "passwd"),
        ("repository", "git init -q inner", "`inner` is a git repository of its own"),
        ("newline", "touch \"a\nb\"", "control character"),
        ("large", "head -c 2M /dev/urandom | base64 > large", "larger than 1 MB"),
    ] {
        let page = app.ada.execute(&Spec::new(name).on(REPO).run(script)).await;
        assert_eq!(page.state, ExecutionState::Done, "{name}");
        let said = format!("{:?}", workspace(&page, REPO).state);
        assert!(said.starts_with("Failed") && said.contains(part), "{name}: {said}");
    }
    assert_eq!(app.world.db.count("SELECT count(*) FROM changeset_specs").await, 0);
}

#[tokio::test]
async fn ignored_files_are_counted_and_those_added_by_force_are_taken() {
    let app = TestApp::new().await;
    app.world.repo(REPO).await;
    let script = "printf '*.js\nout/\n' > .gitignore; mkdir out; touch out/a out/b
                  echo 1 > app.js; echo 2 > lib.js; git add -f app.js";
    let page = app.ada.execute(&Spec::new("hello").on(REPO).run(script)).await;
    let row = workspace(&page, REPO);
    let WorkspaceState::Changed { stat } = row.state else { panic!("{:?}", row.state) };
    assert_eq!(stat.files, 2);
    let log: LogPage = app.ada.get(&format!("/workspaces/{}/log", row.id)).await;
    let said = "left out 2 entries that `.gitignore` names; `git add -f` keeps one: \
                `lib.js`, `out/`";
    assert!(log.lines.iter().any(|line| line.text == said), "{:?}", log.lines);
}

#[tokio::test]
async fn a_container_is_refused_unless_the_settings_say_otherwise() {
    let app = TestApp::new().await;
    app.world.repo(REPO).await;
    let steps = json!([{ "run": "echo hello > HELLO", "container": "alpine:3" }]);
    let page = app.ada.execute(&Spec::new("hello").on(REPO).set("/steps", steps)).await;
    let words = reason(workspace(&page, REPO));
    assert!(words.contains("alpine:3") && words.contains("container"), "{words}");
}

#[tokio::test]
async fn apply_is_refused_while_steps_run() {
    let app = TestApp::new().await;
    app.world.repo(REPO).await;
    let spec = Spec::new("hello").on(REPO);
    let preview = app.ada.preview(&spec).await;
    let running = app.ada.start(&spec.run("sleep 600")).await;
    let mut early = preview;
    early.spec = running.id;
    let refusal: ErrorBody = app.ada.try_apply(&early).await.is(422).json();
    assert!(refusal.error.message.contains("still run"), "{refusal:?}");
    let execution = running.execution.to_string();
    let cancel = app.ada.request(reqwest::Method::POST, "/api/cancel_execution");
    let cancel = cancel.header("accept", "text/html").form(&[("id", execution)]);
    crate::support::client::Client::send(cancel).await.is(302);
    assert_eq!(app.ada.executed(running.execution).await.state, ExecutionState::Cancelled);
}

#[tokio::test]
async fn a_plan_that_moved_is_refused_with_its_rows_and_the_new_one_is_applied() {
    let app = TestApp::new().await;
    app.world.repo(REPO).await;
    let spec = Spec::new("hello").on(REPO);
    let old = app.ada.preview(&spec.clone().title("Greet")).await;
    app.publish(&spec).await;
    let moved: Moved = app.ada.try_apply(&old).await.is(409).json();
    let [row] = moved.moved.as_slice() else { panic!("{moved:?}") };
    assert_eq!(row.repo.to_string(), REPO);
    assert_ne!(row.was, row.is);
    assert_eq!(app.world.github.pulls(REPO).unwrap()[0].title, "Say hello");

    let new = app.ada.plan(old.spec).await;
    app.ada.apply(&new).await;
    app.ada.settled("hello").await;
    assert_eq!(app.world.github.pulls(REPO).unwrap()[0].title, "Greet");
}
