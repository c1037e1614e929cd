//! Steps in a real sandbox: what they may do, and what ends them.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failing helper fails its test")]

use drover::view::execution::LogStream;
use drover_server::executor::{
    Containers, Executor, ExecutorConfig, Isolation, Limits, LogEvent, Reason, Step, StepFailure,
    sandbox::SandboxError,
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
        time: Duration::from_secs(20),
        output_bytes: 100_000,
        disk_bytes: 10 << 20,
        disk_entries: 500,
        tmp_bytes: 10 << 20,
        memory_bytes: 100 << 20,
        processes: 64,
    };
    ExecutorConfig { limits, ..ExecutorConfig::default() }
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
        let lines = self.log.iter().filter(|event| event.stream == LogStream::Stdout);
        lines.map(|event| event.text.as_str()).collect()
    }

    fn reason(&self) -> &Reason {
        &self.result.as_ref().expect_err("the step fails").reason
    }
}

async fn run_with(config: ExecutorConfig, tree: &Path, steps: &[Step]) -> Ran {
    let executor = Executor::start(config).await.unwrap();
    let (sender, mut events) = mpsc::channel(8);
    let collect = tokio::spawn(async move {
        let mut log = Vec::new();
        while let Some(event) = events.recv().await {
            log.push(event);
        }
        log
    });
    let result = executor.run_steps(tree, steps, &CancellationToken::new(), &sender).await;
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
    let stderr: Vec<(u32, &str)> = (ran.log.iter())
        .filter(|event| event.stream == LogStream::Stderr)
        .map(|event| (event.step, event.text.as_str()))
        .collect();
    assert_eq!(stderr, [(2, "it's \"$HOME\""), (2, "`x`")]);
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
    let (steps, cancel) = ([step("echo first; sleep 71.5")], CancellationToken::new());
    let run = executor.run_steps(tree.path(), &steps, &cancel, &sender);
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
    let (steps, cancel) = ([step("sleep 72.5 & echo up; sleep 72.5")], CancellationToken::new());
    tokio::select! {
        _ = executor.run_steps(tree.path(), &steps, &cancel, &sender) => panic!("it never ends"),
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
async fn a_step_that_never_ends_is_stopped() {
    let mut config = limited();
    config.limits.time = Duration::from_millis(300);
    let tree = TempDir::new().unwrap();
    let ran = run_with(config, tree.path(), &[step("trap '' TERM INT; sleep 74.5")]).await;
    assert!(matches!(ran.reason(), Reason::TimedOut { .. }));
    gone("74.5").await;
}

#[tokio::test]
async fn a_flood_of_output_is_stopped() {
    for flood in ["yes flood", "yes >&2", "cat /dev/zero"] {
        let (_, ran) = run(&[step(flood)]).await;
        assert_eq!(ran.reason(), &Reason::OutputLimit { max: 100_000 }, "{flood}");
        let bytes: usize = ran.log.iter().map(|event| event.text.len()).sum();
        assert!(bytes < 1_000_000, "{bytes} bytes of log");
    }
}

#[tokio::test]
async fn a_step_that_fills_the_disk_is_stopped() {
    for fill in [
        "cat /dev/zero > big",
        "for i in 1 2 3 4 5 6; do head -c 4M /dev/zero > f$i; done; sleep 75.5",
        "for i in $(seq 1 600); do : > n$i; done; sleep 75.5",
    ] {
        let (_, ran) = run(&[step(fill)]).await;
        assert!(matches!(ran.reason(), Reason::DiskLimit { .. }), "{fill}: {:?}", ran.result);
    }
    let (_, ran) = run(&[step("truncate -s 1T sparse")]).await;
    assert!(ran.result.is_err(), "a file larger than the disk");
}

#[tokio::test]
async fn folders_in_memory_have_a_size() {
    for folder in ["/tmp", "/dev/shm", "$HOME"] {
        let fill = format!("for i in 1 2 3; do head -c 5M /dev/zero > {folder}/$i || exit 9; done");
        let (_, ran) = run(&[step(&fill)]).await;
        assert_eq!(ran.reason(), &Reason::Exit { code: 9 }, "{folder}");
    }
}

#[tokio::test]
async fn a_step_that_takes_all_memory_is_stopped() {
    let eat = "x=$(head -c 150M /dev/zero | tr '\\0' x); sleep 76.5; echo ${#x}";
    let (_, ran) = run(&[step(eat)]).await;
    assert!(matches!(ran.reason(), Reason::MemoryLimit { .. }), "{:?}", ran.result);
}

#[tokio::test]
async fn a_fork_bomb_stays_small_and_ends() {
    let mut config = limited();
    config.limits.time = Duration::from_secs(2);
    config.limits.memory_bytes = 1 << 30;
    let tree = TempDir::new().unwrap();
    let bomb = "b() { sleep 77.5 & b | b & }; b; for i in $(seq 200); do sleep 77.5 & done; wait";
    let ran = run_with(config, tree.path(), &[step(bomb)]).await;
    assert!(ran.result.is_err());
    let text: String = ran.log.iter().map(|event| event.text.as_str()).collect();
    assert!(text.contains("fork"), "the kernel refused no process: {text}");
    gone("77.5").await;
}

#[tokio::test]
async fn a_step_sees_neither_the_server_nor_the_network() {
    let outside = TempDir::new().unwrap();
    let secret = outside.path().join("secret");
    std::fs::write(&secret, "s").unwrap();
    let secret = secret.display();
    for (attempt, why) in [
        (format!("cat {secret}"), "a file of the server"),
        (format!("echo x > {secret}"), "a file of the server"),
        ("cat /etc/shadow".to_owned(), "passwords"),
        ("ls /root /home/user /work /var/lib".to_owned(), "other folders"),
        ("touch /usr/x || touch /etc/x || touch /x || touch /dev/x".to_owned(), "the system"),
        ("touch /run/drover/step".to_owned(), "the step itself"),
        ("[ $(id -u) = 0 ]".to_owned(), "root"),
        ("kill -0 $PPID 2>/dev/null && [ $PPID -gt 2 ]".to_owned(), "processes outside"),
        ("grep -qv -e '^ *lo:' -e '|' /proc/net/dev".to_owned(), "a network device"),
        ("(echo > /dev/tcp/127.0.0.1/22) 2>/dev/null".to_owned(), "this machine's ports"),
        ("unshare -U true 2>/dev/null".to_owned(), "namespaces of its own"),
        ("mount -t tmpfs x /workspace".to_owned(), "mounts"),
        ("env | grep -e CARGO -e GIT_ -e DATABASE".to_owned(), "the server's environment"),
    ] {
        let (_, ran) = run(&[step(&attempt)]).await;
        assert!(matches!(ran.reason(), Reason::Exit { .. }), "{why}: {:?}", ran.log);
    }
    assert_eq!(std::fs::read_to_string(outside.path().join("secret")).unwrap(), "s");
}

#[tokio::test]
async fn a_link_out_of_the_tree_leads_nowhere() {
    let outside = TempDir::new().unwrap();
    let target = outside.path().display();
    let write = format!("ln -s {target} out && echo x > out/file");
    let (tree, ran) = run(&[step(&write)]).await;
    assert!(ran.result.is_err());
    assert!(tree.path().join("out").is_symlink());
    assert!(!outside.path().join("file").exists());
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

#[tokio::test]
async fn without_isolation_the_limits_still_hold() {
    let mut config = ExecutorConfig { isolation: Isolation::None, ..limited() };
    config.limits.time = Duration::from_millis(500);
    let tree = TempDir::new().unwrap();
    let steps = [step("echo a > a; sleep 78.5 & echo up"), step("cat a; sleep 78.5")];
    let ran = run_with(config, tree.path(), &steps).await;
    assert!(matches!(ran.reason(), Reason::TimedOut { .. }), "{:?}", ran.result);
    assert_eq!(ran.stdout(), ["up", "a"]);
    gone("78.5").await;
}
