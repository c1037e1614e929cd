//! What the command line says and exits with, held by snapshots: `cli.rs` holds what it asks for.

use crate::cli::{
    APPLY_PATH, CAMPAIGN_PATH, EXECUTION_PATH, Expected, PREVIEW_PATH, Ran, SPEC, Server, campaign,
    changeset, created, execution, expect, name, preview_page, ready, run, spec_file, workspace,
};
use clap::CommandFactory;
use drover::{
    changeset::{plan::Operation, status::ChangesetStatus},
    diff::DiffStat,
    view::{
        Page,
        campaign::ChangesetCounts,
        changeset::{ChangesetRow, ProblemView},
        execution::{ExecutionPage, ExecutionState, WorkspaceRow, WorkspaceState},
        preview::{MovedRow, PreviewPage, PreviewRow, RowKind, Standing},
    },
};
use drover_server::{
    api::wire::{ErrorCode, ErrorDetail},
    cli::{CliError, args::Cli},
};
use serde_json::Value;
use std::{
    fmt::Write as _,
    io::{self, Write as _},
    path::Path,
};
use tempfile::NamedTempFile;

/// All that a command said, without what differs from run to run.
fn said(ran: &Ran, file: &Path) -> String {
    let Ran { code, out, err } = ran;
    let all = format!("exit code {code}\n--- stdout\n{out}--- stderr\n{err}");
    all.replace(&file.display().to_string(), "spec.yaml")
}

fn failed(last: u8, step: Option<u32>, reason: &str) -> WorkspaceRow {
    workspace(last, WorkspaceState::Failed { step, reason: reason.to_owned() })
}

fn changed(last: u8) -> WorkspaceRow {
    workspace(last, WorkspaceState::Changed { stat: DiffStat { files: 1, added: 2, removed: 0 } })
}

/// The steps of one failed; of another, nothing changed.
fn workspaces() -> Vec<WorkspaceRow> {
    let reason = "exit code 7:\ngrep: README.md: No such file\n\u{1b}[31mgiving up";
    vec![changed(1), failed(2, Some(1), reason), workspace(3, WorkspaceState::Unchanged)]
}

fn over(rows: Vec<WorkspaceRow>) -> ExecutionPage {
    ExecutionPage { warnings: vec![], ..execution(ExecutionState::Done, rows, None) }
}

fn row(last: u8, operations: &[Operation], note: Option<&str>) -> PreviewRow {
    PreviewRow {
        spec: None,
        changeset: None,
        repo: name(&format!("acme/r{last}")),
        branch: name("drover/upgrade"),
        base_branch: name("main"),
        title: "Upgrade".to_owned(),
        body_html: String::new(),
        commit_message: String::new(),
        pull: None,
        operations: operations.to_vec(),
        kind: RowKind::Wanted,
        note: note.map(str::to_owned),
        stat: None,
    }
}

/// A plan of every kind, in which one changeset is kept because its steps failed.
fn page() -> PreviewPage {
    let kept = "kept: no new result, because step 1 failed:\nexit code 7";
    let rows = vec![
        row(1, &[Operation::Push, Operation::Publish], None),
        row(2, &[], Some(kept)),
        row(4, &[Operation::Push], None),
        row(5, &[Operation::Close, Operation::Archive], None),
        row(6, &[], None),
        row(7, &[Operation::Detach], None),
    ];
    let mut page = preview_page(ready(), 1);
    page.rows = Page { rows, next: None };
    page.failed = workspaces().into_iter().filter(|row| row.repo == name("acme/r2")).collect();
    (page.totals.update, page.totals.close) = (1, 1);
    (page.totals.other, page.totals.unchanged) = (1, 2);
    page
}

/// What a preview of a file asks for.
fn executed(rows: Vec<WorkspaceRow>, page: PreviewPage) -> Vec<Expected> {
    vec![created(), expect(EXECUTION_PATH, 200, over(rows)), expect(PREVIEW_PATH, 200, page)]
}

/// What is asked for once an apply was accepted.
fn applied(counts: ChangesetCounts, rows: &[ChangesetRow]) -> Vec<Expected> {
    let page = || campaign(SPEC, None, counts, rows.to_vec(), None);
    vec![
        expect(APPLY_PATH, 202, Value::Null),
        expect(CAMPAIGN_PATH, 200, campaign(SPEC, Some((0, 0)), counts, vec![], None)),
        expect(CAMPAIGN_PATH, 200, page()),
        expect(CAMPAIGN_PATH, 200, page()),
    ]
}

fn open() -> (ChangesetCounts, Vec<ChangesetRow>) {
    let counts = ChangesetCounts { open: 4, ..ChangesetCounts::default() };
    (counts, [1, 2, 4, 6].map(|last| changeset(last, ChangesetStatus::Open)).to_vec())
}

async fn check(snapshot: &str, words: &str, typed: Option<&str>, script: Vec<Expected>) {
    let server = Server::start(script).await;
    let file = spec_file();
    let words = words.replace("FILE", &file.path().display().to_string());
    let ran = server.run_watched(&words, typed).await;
    insta::assert_snapshot!(snapshot, said(&ran, file.path()));
}

#[tokio::test]
async fn preview_fails_when_one_repository_failed() {
    check("preview_failed", "preview -f FILE", None, executed(workspaces(), page())).await;
    let words = "preview -f FILE --json --detailed-exitcode";
    check("preview_failed_json", words, None, executed(workspaces(), page())).await;
    let all = vec![failed(1, Some(1), "exit code 3"), failed(2, None, "no push right")];
    let nothing = preview_page(ready(), 0);
    check("preview_failed_all", "preview -f FILE", None, executed(all, nothing)).await;
    let well = executed(vec![changed(1)], preview_page(ready(), 1));
    check("preview", "preview -f FILE --detailed-exitcode", None, well).await;
}

#[tokio::test]
async fn an_execution_that_ends_badly_says_why() {
    let reason = "no repository matches:\norg:zoo".to_owned();
    for (snapshot, state) in [
        ("execution_failed", ExecutionState::Failed { reason }),
        ("execution_cancelled", ExecutionState::Cancelled),
    ] {
        let page = ExecutionPage { state, ..over(vec![]) };
        let script = vec![created(), expect(EXECUTION_PATH, 200, page)];
        check(snapshot, "preview -f FILE", None, script).await;
    }
}

#[tokio::test]
async fn apply_with_failed_repositories_needs_a_yes() {
    check("apply_failed_script", "apply -f FILE", None, executed(workspaces(), page())).await;
    check("apply_failed_json", "apply -f FILE --json", None, executed(workspaces(), page())).await;
    check("apply_failed_no", "apply -f FILE", Some("\n"), executed(workspaces(), page())).await;
    let (counts, rows) = open();
    let mut script = executed(workspaces(), page());
    script.extend(applied(counts, &rows));
    check("apply_failed_yes", "apply -f FILE", Some("y\n"), script).await;
    let mut script = executed(workspaces(), page());
    script.push(expect(APPLY_PATH, 202, Value::Null));
    check("apply_failed_no_wait", "apply -f FILE --allow-failed --no-wait", None, script).await;
}

#[tokio::test]
async fn apply_of_a_preview_looks_at_its_repositories() {
    let words = format!("apply {SPEC}");
    let preview = || expect(PREVIEW_PATH, 200, page());
    let look = || expect(EXECUTION_PATH, 200, over(workspaces()));
    check("apply_id_failed", &words, None, vec![preview(), look()]).await;
    let (counts, rows) = open();
    let mut script = vec![preview(), look()];
    script.extend(applied(counts, &rows));
    check("apply_id_allowed", &format!("{words} --allow-failed --json"), None, script).await;
}

#[tokio::test]
async fn the_last_line_of_apply_counts_what_happened() {
    let mut page = page();
    page.failed.clear();
    page.rows.rows.remove(1);
    let well = vec![changed(1), changed(4), changed(6)];
    let (counts, rows) = open();
    let mut script = executed(well.clone(), page.clone());
    script.extend(applied(counts, &rows));
    check("apply", "apply -f FILE", None, script).await;

    let message = "the code host refused: protected branch\nhook declined; mend the cause, then \
                   retry";
    let mut bad = changeset(4, ChangesetStatus::Failed);
    let next = "needs you".to_owned();
    bad.problem = Some(ProblemView { message: message.to_owned(), next, retry_at: None });
    let counts = ChangesetCounts { open: 1, needs_you: 1, ..ChangesetCounts::default() };
    let mut script = executed(well, page);
    script.extend(applied(counts, &[changeset(1, ChangesetStatus::Open), bad]));
    check("apply_needs_you", "apply -f FILE", None, script).await;
}

#[tokio::test]
async fn status_shows_every_kind_of_changeset() {
    let rows: Vec<ChangesetRow> =
        (1..).zip(ChangesetStatus::ALL).map(|(last, status)| changeset(last, status)).collect();
    let counts = ChangesetCounts {
        unpublished: 1,
        processing: 3,
        draft: 1,
        open: 1,
        merged: 1,
        closed: 3,
        needs_you: 2,
    };
    let page = campaign(SPEC, Some((0, 0)), counts, rows, None);
    check("status", "status ada/upgrade", None, vec![expect(CAMPAIGN_PATH, 200, page)]).await;
}

#[tokio::test]
async fn validate_says_what_is_wrong() {
    let file = spec_file();
    std::fs::write(file.path(), "name: a b\non:\n\u{a0} - repository: zoo/one\n").unwrap();
    for (snapshot, flag) in [("validate", ""), ("validate_json", "--json")] {
        let ran = run(&format!("validate -f {} {flag}", file.path().display())).await;
        insta::assert_snapshot!(snapshot, said(&ran, file.path()));
    }
}

#[test]
fn help_tells_every_verb_and_exit_code() {
    let mut command = Cli::command();
    let mut all = command.render_help().to_string();
    for verb in ["validate", "preview", "apply", "status", "schema", "completion"] {
        let found = command.find_subcommand_mut(verb).unwrap();
        write!(all, "\n=== {verb}\n{}", found.render_help()).unwrap();
    }
    insta::assert_snapshot!("help", all);
}

#[test]
fn every_error_is_a_sentence_with_a_way_out() {
    let text = |text: &str| text.to_owned();
    let repos = |count: u8| (1..=count).map(|it| name(&format!("acme/r{it}"))).collect::<Vec<_>>();
    let moved = |last: u8| MovedRow {
        repo: name(&format!("acme/r{last}")),
        branch: name("drover/upgrade"),
        was: text("open"),
        is: text("merged"),
    };
    let detail = |code, hint: Option<&str>| ErrorDetail {
        code,
        message: text("it says no,\nfor two reasons"),
        hint: hint.map(str::to_owned),
    };
    let problems = drover::campaign::spec::CampaignSpec::parse(b"name: a b\n").unwrap_err();
    let rendered = drover::campaign::spec::render_problems("name: a b\n", &problems, "spec.yaml");
    let url = || text("http://drover/");
    let errors = [
        CliError::File { path: "a.yaml".into(), source: io::ErrorKind::NotFound.into() },
        CliError::File { path: "a.yaml".into(), source: io::ErrorKind::PermissionDenied.into() },
        CliError::Terminal,
        CliError::TooLarge { name: text("a.yaml"), max: 10 },
        CliError::Spec { problems, rendered },
        CliError::Url { url: text("drover"), reason: text("it is no URL") },
        CliError::Unreachable { url: url(), message: text("connection refused") },
        CliError::SignedOut { url: url(), message: text("no token was sent") },
        CliError::Refused { detail: detail(ErrorCode::Forbidden, Some("ask\nsomebody")) },
        CliError::Refused { detail: detail(ErrorCode::Conflict, None) },
        CliError::Answer { url: url(), message: text("status 502: bad gateway") },
        CliError::Execution { reason: text("it was cancelled") },
        CliError::NotReady { reason: text("the steps still run") },
        CliError::PlanMoved { moved: vec![moved(1), moved(2)], newer: None },
        CliError::Superseded { by: name(SPEC) },
        CliError::NotAllowed { repos: repos(1) },
        CliError::NotAllowed { repos: repos(7) },
        CliError::NoResult { repos: repos(2) },
        CliError::NeedsYou { campaign: text("ada/upgrade"), count: 1, repos: vec![] },
        CliError::NeedsYou { campaign: text("ada/upgrade"), count: 2, repos: repos(1) },
        CliError::TooLong { what: text("the apply") },
        CliError::Output(io::ErrorKind::StorageFull.into()),
    ];
    let mut all = String::new();
    for error in errors {
        let hint = error.hint().unwrap_or_else(|| text("-"));
        let code = error.detail().code;
        writeln!(all, "error: {error}\nhint: {hint}\ncode: {code:?}\n").unwrap();
    }
    insta::assert_snapshot!("errors", all);
}

#[tokio::test]
async fn a_preview_that_is_not_ready_is_not_asked_about() {
    let page = PreviewPage { standing: Standing::Executing, ..page() };
    let look = expect(EXECUTION_PATH, 200, over(workspaces()));
    let script = vec![expect(PREVIEW_PATH, 200, page), look];
    check("apply_not_ready", &format!("apply {SPEC}"), None, script).await;
}

#[tokio::test]
async fn a_file_that_is_too_large_is_not_read_to_its_end() {
    let ran = run("validate -f /dev/zero").await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("larger than 1048576 bytes"), "{}", ran.err);
}

#[tokio::test]
async fn validate_needs_no_server() {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(drover::campaign::SAMPLE.as_bytes()).unwrap();
    let path = file.path().display().to_string();
    let ran = run(&format!("validate -f {path}")).await;
    assert_eq!((ran.code, ran.out), (0, format!("{path} is valid\n")));
    let ran = run("validate -f /nowhere/spec.yaml").await;
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("/nowhere/spec.yaml"), "{}", ran.err);
}
