//! Repositories in which nothing can be run: each is a row with its reason, and stops no other.

use crate::support::{
    app::{BEA, TestApp},
    eventually,
    spec::Spec,
};
use drover::{
    campaign::outcome::{Outcome, Outcomes, Resolution},
    id::CampaignSpecId,
    view::execution::{ExecutionPage, ExecutionState, WorkspaceState},
};
use drover_server::{api::wire::SpecCreated, store::outcomes};
use github_stand_in::{Fault, Rule};

const REPO: &str = "acme/shop";

async fn outcomes_of(app: &TestApp, spec: CampaignSpecId) -> Outcomes {
    let found = outcomes::find(&mut *app.world.db.conn().await, spec).await.unwrap();
    found.expect("the execution is done")
}

/// What came of each repository, with the words of those without a result.
fn told(outcomes: &Outcomes) -> Vec<(String, &str)> {
    let tell = |outcome| match outcome {
        &Outcome::Changed => "changed",
        Outcome::Unchanged => "unchanged",
        Outcome::NoResult { reason } => reason.as_str(),
    };
    outcomes.repositories.iter().map(|row| (row.name.to_string(), tell(&row.outcome))).collect()
}

#[track_caller]
fn check(outcomes: &Outcomes, expected: &[(&str, &str)]) {
    let told = told(outcomes);
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for ((repo, words), (name, part)) in told.iter().zip(expected) {
        assert_eq!(repo, name);
        assert!(words.contains(part), "{repo}: {words}");
    }
}

/// Executes a spec while attempts that failed are tried again at once.
async fn execute_through_faults(app: &TestApp, spec: &Spec) -> (SpecCreated, ExecutionPage) {
    let created = app.ada.start(spec).await;
    let page = eventually("the end of the execution", async || {
        app.world.time_passes().await;
        let page: ExecutionPage = app.ada.get(&format!("/executions/{}", created.execution)).await;
        page.state.is_over().then_some(page)
    })
    .await;
    (created, page)
}

fn always(path: &str, status: u16) -> Rule {
    let fault = Fault::Status { status };
    Rule { times: 1_000, ..Rule::once("GET", path, fault) }
}

#[tokio::test]
async fn all_bad_repositories_are_named_at_once_and_the_others_go_on() {
    let app = TestApp::new().await;
    app.world.repo(REPO).await;
    app.world.readable_repo("acme/theirs").await;
    app.world.repo("acme/old").await;
    app.world.github.archive("acme/old").unwrap();
    app.world.repo("acme/empty").await;
    app.world.github.delete_branch("acme/empty", "main", BEA).await.unwrap();
    let names = ["acme/empty", "acme/none", "acme/old", REPO, "acme/theirs"];
    let spec = names.iter().fold(Spec::new("hello"), |spec, name| spec.on(name));
    let created = app.ada.start(&spec).await;
    let page = app.ada.executed(created.execution).await;
    assert_eq!(page.state, ExecutionState::Done);
    assert_eq!((page.counts.changed, page.counts.failed), (1, 4));
    let outcomes = outcomes_of(&app, created.id).await;
    assert_eq!(outcomes.resolution, Resolution::Complete);
    check(
        &outcomes,
        &[
            ("acme/empty", "no branch `main`"),
            ("acme/none", "there is no repository `acme/none`"),
            ("acme/old", "`acme/old` is archived"),
            (REPO, "changed"),
            ("acme/theirs", "may not push"),
        ],
    );
    let bases: Vec<_> = outcomes.repositories.iter().map(|row| row.base.is_some()).collect();
    assert_eq!(bases, [true, false, true, true, true], "only nobody's default is not known");
    assert_eq!(app.ada.plan(created.id).await.totals.publish, 1);
}

#[tokio::test]
async fn a_repository_that_was_known_once_is_known_when_it_cannot_be_read() {
    let app = TestApp::new().await;
    app.world.repo(REPO).await;
    app.ada.preview(&Spec::new("hello").on(REPO)).await;
    app.world.github.fault(always("/repos/acme/shop", 404));
    let created = app.ada.start(&Spec::new("hello").on(REPO)).await;
    app.ada.executed(created.execution).await;
    let outcomes = outcomes_of(&app, created.id).await;
    let [row] = outcomes.repositories.as_slice() else { panic!("{outcomes:#?}") };
    assert!(row.repo.is_some() && row.base.is_none(), "{row:?}");
    assert!(matches!(row.outcome, Outcome::NoResult { .. }), "{row:?}");
}

#[tokio::test]
async fn a_repository_about_which_the_code_host_says_nothing_is_one_without_a_result() {
    let app = TestApp::new().await;
    app.world.repo(REPO).await;
    app.world.repo("acme/web").await;
    app.world.github.fault(always("/repos/acme/web", 503));
    let (created, page) =
        execute_through_faults(&app, &Spec::new("a").on(REPO).on("acme/web")).await;
    assert_eq!((page.state, page.counts.changed), (ExecutionState::Done, 1));
    let outcomes = outcomes_of(&app, created.id).await;
    check(&outcomes, &[(REPO, "changed"), ("acme/web", "cannot be reached")]);
}

#[tokio::test]
async fn what_a_query_matches_and_cannot_use_is_left_out_and_told() {
    let app = TestApp::new().await;
    app.world.readable_repo("acme/theirs").await;
    app.world.repo(REPO).await;
    let created = app.ada.start(&Spec::new("hello").matching("org:acme")).await;
    let page = app.ada.executed(created.execution).await;
    assert_eq!((page.state, page.counts.changed), (ExecutionState::Done, 1));
    assert_eq!((page.counts.skipped, page.counts.failed), (1, 0));
    let theirs = page.workspaces.rows.iter().find(|row| row.repo.as_str() == "acme/theirs");
    let state = &theirs.expect("it is a row").state;
    assert!(matches!(state, WorkspaceState::Skipped { reason } if reason.contains("may not push")));
    let outcomes = outcomes_of(&app, created.id).await;
    assert_eq!(outcomes.resolution, Resolution::Complete);
    check(&outcomes, &[(REPO, "changed"), ("acme/theirs", "may not push")]);
}

#[tokio::test]
async fn a_query_that_is_answered_in_part_says_so() {
    let app = TestApp::new().await;
    app.world.repo(REPO).await;
    app.world.github.fault(always("/orgs/globex/repos", 503));
    let spec = Spec::new("hello").on(REPO).matching("org:globex");
    let (created, page) = execute_through_faults(&app, &spec).await;
    assert_eq!((page.state, page.counts.changed), (ExecutionState::Done, 1));
    assert!(page.warnings.iter().any(|it| it.contains("org:globex")), "{:?}", page.warnings);
    match outcomes_of(&app, created.id).await.resolution {
        Resolution::Partial { reason } => assert!(reason.contains("org:globex"), "{reason}"),
        Resolution::Complete => panic!("a query has no answer"),
    }
}

#[tokio::test]
async fn a_code_host_that_answers_nothing_at_all_ends_the_execution() {
    let app = TestApp::new().await;
    let names = ["a", "b", "c", "d", "e", "f", "g"].map(|it| format!("acme/{it}"));
    let spec = names.iter().fold(Spec::new("hello"), |spec, name| spec.on(name));
    app.world.github.fault(always("/repos/acme/*", 503));
    let (created, page) = execute_through_faults(&app, &spec).await;
    assert!(matches!(page.state, ExecutionState::Failed { .. }), "{:?}", page.state);
    let found = outcomes::find(&mut *app.world.db.conn().await, created.id).await.unwrap();
    assert_eq!(found, None, "nothing can be said about what the spec wants");
}
