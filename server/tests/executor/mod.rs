//! Steps in a real sandbox: how they run, [`limits`] that end them, and what the [`sandbox`] keeps
//! from them.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failing helper fails its test")]

mod limits;
mod sandbox;

use drover::view::execution::LogStream;
use drover_server::executor::{
    Containers, Counting, Executor, ExecutorConfig, Folders, Limits, LogEvent, Reason, Step,
    StepFailure, sandbox::SandboxError,
};
use std::{
    path::Path,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

fn limited() -> ExecutorConfig {
    let limits = Limits {
        time: Duration::from_secs(60),
        output_bytes: 100_000,
        output_lines: 20_000,
        disk_bytes: 10 << 20,
        disk_entries: 500,
        tmp_bytes: 10 << 20,
        memory_bytes: 100 << 20,
        processes: 64,
    };
    ExecutorConfig { limits, disk_headroom_bytes: 1, ..ExecutorConfig::default() }
}

fn step(run: &str) -> Step {
    Step { run: run.to_owned(), env: [].into(), container: None }
}

struct Ran {
    result: Result<(), StepFailure>,
    log: Vec<LogEvent>,
}

impl Ran {
    fn stdout(&self) -> Vec<&str> {
        self.lines(LogStream::Stdout)
    }

    fn lines(&self, stream: LogStream) -> Vec<&str> {
        let events = self.log.iter().filter(|event| event.stream == stream);
        events.flat_map(|event| event.text.split('\n')).collect()
    }

    fn reason(&self) -> &Reason {
        &self.result.as_ref().expect_err("the step fails").reason
    }
}

/// Both ways of counting, where this machine has both.
fn both() -> [ExecutorConfig; 2] {
    [Counting::Best, Counting::ByProcess].map(|counting| ExecutorConfig { counting, ..limited() })
}

async fn run_with(config: ExecutorConfig, tree: &Path, steps: &[Step]) -> Ran {
    let scratch = TempDir::new().unwrap();
    let folders = Folders { tree, scratch: scratch.path() };
    let executor = Executor::start(config).await.unwrap();
    let (sender, mut events) = mpsc::channel(8);
    let collect = tokio::spawn(async move {
        let mut log = Vec::new();
        while let Some(event) = events.recv().await {
            log.push(event);
        }
        log
    });
    let result = executor.run_steps(folders, steps, &CancellationToken::new(), &sender).await;
    drop(sender);
    Ran { result, log: collect.await.unwrap() }
}

async fn run(steps: &[Step]) -> (TempDir, Ran) {
    let tree = TempDir::new().unwrap();
    let ran = run_with(limited(), tree.path(), steps).await;
    (tree, ran)
}

/// Waits until no process has `marker` in its arguments.
async fn gone(marker: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while is_running(marker) {
        assert!(Instant::now() < deadline, "{marker} still runs");
        tokio::task::yield_now().await;
    }
}

fn is_running(marker: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|it| std::fs::read(it.path().join("cmdline")).ok())
        .any(|line| String::from_utf8_lossy(&line).split('\0').any(|argument| argument == marker))
}

#[tokio::test]
async fn steps_change_the_working_copy_one_after_another() {
    let mut second = step("cat a; echo \"$GREETING\" >&2; pwd; mkdir d && mv a d/b");
    second.env = [("GREETING".to_owned(), "it's \"$HOME\"\n`x`".to_owned())].into();
    let (tree, ran) = run(&[step("echo one > a"), second]).await;
    assert_eq!(ran.result, Ok(()));
    assert_eq!(std::fs::read_to_string(tree.path().join("d/b")).unwrap(), "one\n");
    assert_eq!(ran.stdout(), ["one", "/workspace"]);
    assert_eq!(ran.lines(LogStream::Stderr), ["it's \"$HOME\"", "`x`"]);
    assert!(ran.log.iter().all(|event| event.step == 2), "{:?}", ran.log);
}

#[tokio::test]
async fn a_failing_step_ends_the_workspace_with_its_code_and_its_last_lines() {
    let (tree, ran) = run(&[step("seq 1 30; exit 7"), step("touch never")]).await;
    let failure = ran.result.unwrap_err();
    assert_eq!(failure.to_string(), "step 1 ended with exit code 7");
    assert_eq!(failure.log_tail.first().map(String::as_str), Some("11"));
    assert_eq!(failure.log_tail.len(), 20);
    assert!(!tree.path().join("never").exists());
    assert_eq!(ran.log.last().unwrap().stream, LogStream::Drover);
}

#[tokio::test]
async fn lines_come_while_the_step_runs() {
    let tree = TempDir::new().unwrap();
    let executor = Executor::start(limited()).await.unwrap();
    let (sender, mut events) = mpsc::channel(8);
    let folders = Folders { tree: tree.path(), scratch: tree.path() };
    let (steps, cancel) = ([step("echo first; sleep 71.5")], CancellationToken::new());
    let run = executor.run_steps(folders, &steps, &cancel, &sender);
    let watch = async {
        let first = events.recv().await.unwrap();
        assert_eq!(first.text, "first");
        cancel.cancel();
    };
    let (result, ()) = tokio::join!(run, watch);
    assert_eq!(result.unwrap_err().reason, Reason::Cancelled);
    gone("71.5").await;
}

#[tokio::test]
async fn a_dropped_run_leaves_no_process() {
    let tree = TempDir::new().unwrap();
    let executor = Executor::start(limited()).await.unwrap();
    let (sender, mut events) = mpsc::channel(8);
    let folders = Folders { tree: tree.path(), scratch: tree.path() };
    let (steps, cancel) = ([step("sleep 72.5 & echo up; sleep 72.5")], CancellationToken::new());
    tokio::select! {
        _ = executor.run_steps(folders, &steps, &cancel, &sender) => panic!("it never ends"),
        _ = events.recv() => (),
    }
    gone("72.5").await;
}

#[tokio::test]
async fn what_a_step_starts_in_the_background_ends_with_it() {
    let (_, ran) = run(&[step("sleep 73.5 & setsid sleep 73.5 & echo done")]).await;
    assert_eq!((ran.result.clone(), ran.stdout()), (Ok(()), vec!["done"]));
    gone("73.5").await;
}

#[tokio::test]
async fn containers_are_refused_or_replaced() {
    let in_container = Step { container: Some("alpine:3".to_owned()), ..step("echo ran") };
    let (_, ran) = run(std::slice::from_ref(&in_container)).await;
    assert_eq!(ran.reason(), &Reason::Container { image: "alpine:3".to_owned() });
    assert_eq!(ran.stdout(), [""; 0]);

    let config = ExecutorConfig { containers: Containers::AsSandbox, ..limited() };
    let tree = TempDir::new().unwrap();
    let ran = run_with(config, tree.path(), &[in_container]).await;
    assert_eq!((ran.result.clone(), ran.stdout()), (Ok(()), vec!["ran"]));
    let warning = &ran.log[0];
    assert_eq!(warning.stream, LogStream::Drover);
    assert!(warning.text.contains("alpine:3"));
}

#[tokio::test]
async fn bad_variables_are_refused() {
    for name in ["", "1A", "A-B", "A=B", "A;touch x", "Ä", "A\n"] {
        let mut bad = step("echo ran");
        bad.env = [(name.to_owned(), "v".to_owned())].into();
        let (_, ran) = run(&[bad]).await;
        assert!(matches!(ran.reason(), Reason::BadVariable { .. }), "{name:?}");
    }
}

#[tokio::test]
async fn a_machine_without_a_sandbox_is_told_what_to_do() {
    for program in ["/nonexistent/bwrap", "false"] {
        let config = ExecutorConfig { bubblewrap: program.into(), ..limited() };
        let Err(SandboxError::Missing { detail }) = Executor::start(config).await else {
            panic!("{program} is no sandbox")
        };
        let text = SandboxError::Missing { detail }.to_string();
        assert!(text.contains("apt-get install bubblewrap"), "{text}");
    }
}
