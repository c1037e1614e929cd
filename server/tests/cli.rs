//! The command line against a server that speaks the JSON API.
//!
//! The server is a script of answers over real HTTP: what a command asks for, shows and exits
//! with is what counts here.

use axum::{Router, body::Bytes, extract::State, http::Request, response::IntoResponse};
use clap::Parser;
use drover::{
    changeset::status::ChangesetStatus,
    diff::DiffStat,
    time::Timestamp,
    view::{
        Page,
        campaign::{CampaignPage, CampaignRow, ChangesetCounts, ChangesetFilter},
        changeset::{ChangesetRow, PullLink},
        execution::{ExecutionPage, ExecutionState, WorkspaceCounts, WorkspaceRow, WorkspaceState},
        preview::{MovedRow, PlanHash, PlanTotals, PreviewPage, Standing},
    },
    viewer::{Role, Viewer},
};
use drover_server::{
    api::wire::{ErrorBody, ErrorCode, ErrorDetail, Moved, Problems, SpecCreated},
    cli::{
        self,
        args::{Cli, Command},
        console::{Colour, Console, Format},
    },
};
use serde::Serialize;
use serde_json::Value;
use std::{
    collections::VecDeque,
    fmt::Debug,
    io::Write,
    str::FromStr,
    sync::{Arc, Mutex},
};
use tempfile::NamedTempFile;

type Script = Arc<Mutex<VecDeque<Expected>>>;

pub(crate) struct Expected {
    /// The method and the path below `/api/v1`.
    request: &'static str,
    status: u16,
    body: Value,
}

/// A server that expects these requests in this order.
pub(crate) struct Server {
    url: String,
    script: Script,
}

pub(crate) struct Ran {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Server {
    pub(crate) async fn start(script: Vec<Expected>) -> Self {
        let script = Arc::new(Mutex::new(VecDeque::from(script)));
        let app = Router::new().fallback(answer).with_state(Arc::clone(&script));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, script }
    }

    pub(crate) async fn run(&self, words: &str) -> Ran {
        self.run_watched(words, None).await
    }

    /// A person sits there and types this when asked.
    pub(crate) async fn run_watched(&self, words: &str, typed: Option<&str>) -> Ran {
        let url = format!("--url={} --token=drv_x", self.url);
        let ran = run_watched(&format!("{words} {url}"), typed).await;
        let left: Vec<_> = self.script.lock().unwrap().iter().map(|it| it.request).collect();
        assert!(left.is_empty(), "not asked for: {left:?}\n{}", ran.err);
        ran
    }
}

async fn answer(
    State(script): State<Script>,
    request: Request<axum::body::Body>,
) -> impl IntoResponse {
    let uri = request.uri().to_string();
    let asked = format!("{} {}", request.method(), uri.trim_start_matches("/api/v1"));
    assert_eq!(request.headers()["authorization"], "Bearer drv_x");
    let next = script.lock().unwrap().pop_front();
    let Some(Expected { request, status, body }) = next else { panic!("{asked} is one too many") };
    assert_eq!(asked, request);
    let status = axum::http::StatusCode::from_u16(status).unwrap();
    (status, Bytes::from(body.to_string()))
}

pub(crate) async fn run(words: &str) -> Ran {
    run_watched(words, None).await
}

async fn run_watched(words: &str, typed: Option<&str>) -> Ran {
    let words = std::iter::once("drover").chain(words.split_whitespace());
    let Command::Client(command) = Cli::try_parse_from(words).unwrap().command else {
        panic!("a command of the client")
    };
    let format = if command.output().json { Format::Json } else { Format::Text };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut typed = typed.map(str::as_bytes);
    let answers = typed.as_mut().map(|it| it as &mut dyn std::io::BufRead);
    let colour = Colour::Off;
    let mut console = Console { out: &mut out, err: &mut err, answers, format, colour };
    let code = match cli::run(&command, &mut console).await {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => {
            console.fail(&error).unwrap();
            1
        }
    };
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code, out: text(out), err: text(err) }
}

pub(crate) fn expect(request: &'static str, status: u16, body: impl Serialize) -> Expected {
    Expected { request, status, body: serde_json::to_value(body).unwrap() }
}

pub(crate) fn name<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

pub(crate) const SPEC: &str = "0191a0a0-0000-7000-8000-000000000001";
pub(crate) const EXECUTION: &str = "0191a0a0-0000-7000-8000-000000000002";
const OTHER: &str = "0191a0a0-0000-7000-8000-000000000003";
pub(crate) const EXECUTION_PATH: &str = "GET /executions/0191a0a0-0000-7000-8000-000000000002";
const WORKSPACES_PATH: &str =
    "GET /executions/0191a0a0-0000-7000-8000-000000000002/workspaces?after=k";
pub(crate) const PREVIEW_PATH: &str = "GET /specs/0191a0a0-0000-7000-8000-000000000001/preview";
pub(crate) const APPLY_PATH: &str = "POST /specs/0191a0a0-0000-7000-8000-000000000001/apply";
pub(crate) const CAMPAIGN_PATH: &str = "GET /campaigns/ada/upgrade";

pub(crate) fn created() -> Expected {
    let url = "http://drover/preview/1".to_owned();
    expect("POST /specs", 201, SpecCreated { id: name(SPEC), execution: name(EXECUTION), url })
}

pub(crate) fn workspace(last: u8, state: WorkspaceState) -> WorkspaceRow {
    WorkspaceRow {
        id: name(&format!("0191a0a0-0000-7000-8000-0000000001{last:02}")),
        repo: name(&format!("acme/r{last}")),
        branch: Some(name("main")),
        state,
        steps_total: 2,
        started_at: None,
        finished_at: None,
    }
}

pub(crate) fn execution(
    state: ExecutionState,
    rows: Vec<WorkspaceRow>,
    next: Option<&str>,
) -> ExecutionPage {
    ExecutionPage {
        id: name(EXECUTION),
        spec: name(SPEC),
        namespace: name("ada"),
        campaign: name("upgrade"),
        state,
        created_at: Timestamp(0),
        finished_at: None,
        warnings: vec!["acme/old is archived\u{1b}[2J".to_owned()],
        counts: WorkspaceCounts::default(),
        workspaces: Page { rows, next: next.map(str::to_owned) },
    }
}

fn done() -> Expected {
    expect(EXECUTION_PATH, 200, execution(ExecutionState::Done, vec![], None))
}

pub(crate) fn preview_page(standing: Standing, publish: u32) -> PreviewPage {
    PreviewPage {
        spec: name(SPEC),
        execution: name(EXECUTION),
        namespace: name("ada"),
        campaign: name("upgrade"),
        description_html: String::new(),
        spec_text: String::new(),
        created_by: name("ada"),
        created_at: Timestamp(0),
        expires_at: None,
        standing,
        totals: PlanTotals { publish, ..PlanTotals::default() },
        eta_secs: 7,
        rows: Page { rows: vec![], next: None },
        failed: vec![],
        moved: vec![],
        newer: None,
        unread: None,
    }
}

fn preview(standing: Standing, publish: u32) -> Expected {
    expect(PREVIEW_PATH, 200, preview_page(standing, publish))
}

pub(crate) fn ready() -> Standing {
    Standing::Ready { hash: PlanHash("abc".to_owned()) }
}

pub(crate) fn changeset(last: u8, status: ChangesetStatus) -> ChangesetRow {
    ChangesetRow {
        id: name(&format!("0191a0a0-0000-7000-8000-0000000002{last:02}")),
        repo: name(&format!("acme/r{last}")),
        branch: name("drover/upgrade"),
        title: "Upgrade".to_owned(),
        status,
        pull: Some(PullLink {
            number: drover::names::PullNumber(i64::from(last)),
            url: format!("https://github.com/acme/r{last}/pull/{last}"),
        }),
        stat: Some(DiffStat::default()),
        problem: None,
        updated_at: Timestamp(0),
    }
}

pub(crate) fn campaign(
    spec: &str,
    applying: Option<(u32, u32)>,
    counts: ChangesetCounts,
    rows: Vec<ChangesetRow>,
    next: Option<&str>,
) -> CampaignPage {
    CampaignPage {
        campaign: CampaignRow {
            id: name(OTHER),
            namespace: name("ada"),
            name: name("upgrade"),
            summary: String::new(),
            counts,
            updated_at: Timestamp(0),
        },
        description_html: String::new(),
        spec: name(spec),
        spec_text: String::new(),
        applied_by: name("ada"),
        applied_at: Timestamp(0),
        applying,
        changesets: Page { rows, next: next.map(str::to_owned) },
        filter: ChangesetFilter::default(),
        timeline: vec![],
        eta_at: None,
        left_out: vec![],
    }
}

pub(crate) fn spec_file() -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(b"name: upgrade\n").unwrap();
    file
}

fn refusal(code: ErrorCode, message: &str) -> ErrorBody {
    let hint = Some("do that".to_owned());
    ErrorBody { error: ErrorDetail { code, message: message.to_owned(), hint } }
}

#[tokio::test]
async fn preview_shows_what_changes_and_prints_the_address() {
    let running = execution(
        ExecutionState::Running,
        vec![workspace(1, WorkspaceState::Step { step: 1 })],
        Some("k"),
    );
    let more = Page { rows: vec![workspace(2, WorkspaceState::Waiting)], next: None };
    let failed = WorkspaceState::Failed { step: Some(2), reason: "exit code 1".to_owned() };
    let over = execution(
        ExecutionState::Done,
        vec![workspace(1, WorkspaceState::Step { step: 1 }), workspace(2, failed)],
        None,
    );
    let server = Server::start(vec![
        created(),
        expect(EXECUTION_PATH, 200, running),
        expect(WORKSPACES_PATH, 200, more),
        expect(EXECUTION_PATH, 200, over),
        preview(ready(), 1),
    ])
    .await;
    let file = spec_file();
    let ran = server.run(&format!("preview -f {}", file.path().display())).await;
    assert_eq!((ran.code, ran.out.as_str()), (1, "http://drover/preview/1\n"));
    let lines: Vec<&str> = ran.err.lines().collect();
    assert_eq!(
        lines,
        [
            "acme/r1 (main): step 1 of 2",
            "acme/r2 (main): waiting",
            "acme/r2 (main): failed in step 2: exit code 1",
            "warning: acme/old is archived\u{fffd}[2J",
            "1 to publish, 0 to update, 0 to close, 0 others, 0 unchanged, 1 failed; \
             0 files, +0 -0",
            "error: acme/r2 has no result",
            "hint: the reasons stand above, the logs on the page of the execution; pull requests \
             stay as they are there",
        ]
    );
}

#[tokio::test]
async fn preview_tells_pending_changes_apart_on_request() {
    let file = spec_file();
    for (publish, flag, expected) in
        [(1, "--detailed-exitcode", 2), (0, "--detailed-exitcode", 0), (1, "", 0)]
    {
        let server = Server::start(vec![created(), done(), preview(ready(), publish)]).await;
        let words = format!("preview -f {} --json {flag}", file.path().display());
        let ran = server.run(&words).await;
        assert_eq!((ran.code, ran.err.as_str()), (expected, ""));
        let json: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!((&json["spec"], &json["totals"]["publish"]), (&SPEC.into(), &publish.into()));
        assert_eq!(json["standing"]["ready"]["hash"], "abc");
    }
}

#[tokio::test]
async fn a_spec_with_problems_is_shown_at_its_lines() {
    let problems = drover::campaign::spec::CampaignSpec::parse(b"name: a b\n").unwrap_err();
    let server = Server::start(vec![expect("POST /specs", 422, Problems { problems })]).await;
    let file = spec_file();
    let ran = server.run(&format!("preview -f {}", file.path().display())).await;
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(
        ran.err.contains(":1:7: name:") && ran.err.contains("1 | name: upgrade"),
        "{}",
        ran.err
    );
}

#[tokio::test]
async fn apply_waits_until_the_changesets_are_as_wanted() {
    let none = ChangesetCounts::default();
    let busy = ChangesetCounts { processing: 2, ..none };
    let open = ChangesetCounts { open: 2, ..none };
    let [first, second] = [1, 2].map(|last| changeset(last, ChangesetStatus::Open));
    let server = Server::start(vec![
        preview(ready(), 2),
        expect(APPLY_PATH, 202, Value::Null),
        expect(CAMPAIGN_PATH, 404, refusal(ErrorCode::NotFound, "there is no campaign")),
        expect(CAMPAIGN_PATH, 200, campaign(OTHER, None, open, vec![], None)),
        expect(CAMPAIGN_PATH, 200, campaign(SPEC, Some((1, 2)), none, vec![], None)),
        expect(CAMPAIGN_PATH, 200, campaign(SPEC, None, busy, vec![], None)),
        expect(CAMPAIGN_PATH, 200, campaign(SPEC, None, open, vec![], None)),
        expect(CAMPAIGN_PATH, 200, campaign(SPEC, None, open, vec![first], Some("k"))),
        expect("GET /campaigns/ada/upgrade?after=k", 200, {
            campaign(SPEC, None, open, vec![second], None)
        }),
    ])
    .await;
    let ran = server.run(&format!("apply {SPEC}")).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    let progress: Vec<&str> = ran.err.lines().collect();
    assert_eq!(progress, ["applying: 1 of 2 changesets", "2 in work", "2 open"]);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(
        lines,
        [
            "ada/upgrade: 2 open",
            "  open  acme/r1 (drover/upgrade)  https://github.com/acme/r1/pull/1  Upgrade",
            "  open  acme/r2 (drover/upgrade)  https://github.com/acme/r2/pull/2  Upgrade",
            "applied: nothing to do",
        ]
    );
}

#[tokio::test]
async fn apply_of_what_is_wanted_already_sends_nothing() {
    let page = campaign(SPEC, None, ChangesetCounts::default(), vec![], None);
    let server =
        Server::start(vec![preview(Standing::Applied, 0), expect(CAMPAIGN_PATH, 200, page)]).await;
    let ran = server.run(&format!("apply {SPEC}")).await;
    assert_eq!((ran.code, ran.out.as_str()), (0, "ada/upgrade: no changesets\n"));
    assert_eq!(ran.err, "ada/upgrade wants this already: nothing to do\n");
}

#[tokio::test]
async fn apply_that_leaves_work_for_people_fails() {
    let counts = ChangesetCounts { needs_you: 1, ..ChangesetCounts::default() };
    let row = changeset(1, ChangesetStatus::Drift);
    let page = || campaign(SPEC, None, counts, vec![row.clone()], None);
    let server = Server::start(vec![
        preview(ready(), 1),
        expect(APPLY_PATH, 202, Value::Null),
        expect(CAMPAIGN_PATH, 200, page()),
        expect(CAMPAIGN_PATH, 200, page()),
    ])
    .await;
    let ran = server.run(&format!("apply {SPEC}")).await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("error: 1 changeset of ada/upgrade needs you"), "{}", ran.err);
    assert!(ran.out.contains("drift"), "{}", ran.out);
}

#[tokio::test]
async fn a_plan_that_moved_names_the_rows() {
    let row = MovedRow {
        repo: name("acme/r1"),
        branch: name("drover/upgrade"),
        was: "open".to_owned(),
        is: "merged".to_owned(),
    };
    let moved = expect(APPLY_PATH, 409, Moved { moved: vec![row], newer: None });
    let server = Server::start(vec![preview(ready(), 1), moved]).await;
    let ran = server.run(&format!("apply {SPEC}")).await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("acme/r1 was open, is merged"), "{}", ran.err);
}

#[tokio::test]
async fn a_plan_that_cannot_be_applied_says_why() {
    for (standing, expected) in [
        (Standing::Executing, "the steps still run"),
        (Standing::Unfinished { reason: "no disk".to_owned() }, "no disk"),
        (Standing::Superseded { by: name(OTHER) }, "a newer spec"),
    ] {
        let server = Server::start(vec![preview(standing, 1)]).await;
        let ran = server.run(&format!("apply {SPEC}")).await;
        assert_eq!((ran.code, ran.out.as_str()), (1, ""));
        assert!(ran.err.contains(expected), "{}", ran.err);
    }
}

#[tokio::test]
async fn status_finds_the_own_namespace() {
    let viewer =
        Viewer { id: name(OTHER), name: name("ada"), role: Role::Member, namespaces: vec![] };
    let counts = ChangesetCounts { merged: 1, ..ChangesetCounts::default() };
    let page = campaign(SPEC, None, counts, vec![changeset(1, ChangesetStatus::Merged)], None);
    let server =
        Server::start(vec![expect("GET /viewer", 200, viewer), expect(CAMPAIGN_PATH, 200, page)])
            .await;
    let ran = server.run("status upgrade --json").await;
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["changesets"][0]["status"], "merged");
    assert_eq!(json["campaign"]["counts"]["merged"], 1);
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    for (status, body, expected) in [
        (
            401,
            serde_json::to_value(refusal(ErrorCode::Unauthorized, "it is revoked")).unwrap(),
            "set DROVER_TOKEN",
        ),
        (
            403,
            serde_json::to_value(refusal(ErrorCode::Forbidden, "you\u{9b} may not")).unwrap(),
            "error: you\u{fffd} may not\nhint: do that",
        ),
        (
            404,
            serde_json::to_value(refusal(ErrorCode::NotFound, "there is no campaign")).unwrap(),
            "there is no campaign",
        ),
        (
            502,
            Value::from("\u{1b}[2Jbad gateway"),
            "status 502 Bad Gateway: \"\\u001b[2Jbad gateway\"",
        ),
        (200, Value::from("hello"), "does not answer as Drover does"),
        (302, Value::Null, "status 302"),
    ] {
        let server = Server::start(vec![expect(CAMPAIGN_PATH, status, body)]).await;
        let ran = server.run("status ada/upgrade").await;
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{status}");
        assert!(ran.err.contains(expected), "{status}: {}", ran.err);
    }
}

#[tokio::test]
async fn without_a_server_the_address_is_named() {
    let ran = run("status ada/upgrade --url http://127.0.0.1:1 --json").await;
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    let json: Value = serde_json::from_str(&ran.err).unwrap();
    let message = json["error"]["message"].as_str().unwrap();
    assert!(message.contains("cannot reach Drover at http://127.0.0.1:1/"), "{message}");
}
