//! Runs one step to its end or to its first limit.

use super::{
    Containers, Executor, LogEvent, Reason, Step, StepFailure,
    output::{Flooded, Log},
    sandbox::{Sandbox, StartFiles},
    usage::{self, Disk},
};
use drover::view::execution::LogStream;
use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    fmt::Write,
    io,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::ExitStatus,
    time::{Duration, Instant},
};
use tokio::{
    process::{Child, ChildStderr, ChildStdout},
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// How often a step's working copy is measured.
const DISK_INTERVAL: Duration = Duration::from_millis(200);
/// How often a step's processes are counted.
const PROCESS_INTERVAL: Duration = Duration::from_millis(50);
/// A measurement of the disk may take one part of this many of a step's time.
const WATCH_SHARE: u32 = 5;
/// How long the last output of a stopped step is waited for.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
/// What a shell answers for a program that the limit on the size of a file ended.
const FILE_TOO_LARGE: i32 = 128 + 25;

impl Executor {
    pub async fn run_step(
        &self,
        number: u32,
        tree: &Path,
        step: &Step,
        cancel: &CancellationToken,
        sender: &mpsc::Sender<LogEvent>,
    ) -> Result<(), StepFailure> {
        let log = Log::new(number, sender, self.config.limits.output_bytes);
        let done = self.run_logged(tree, step, cancel, &log).await;
        let Err(reason) = done else { return Ok(()) };
        let failure = StepFailure { step: number, reason, log_tail: log.tail() };
        log.send(LogStream::Drover, failure.to_string()).await;
        Err(failure)
    }

    async fn run_logged(
        &self,
        tree: &Path,
        step: &Step,
        cancel: &CancellationToken,
        log: &Log<'_>,
    ) -> Result<(), Reason> {
        self.check_container(step, log).await?;
        if cancel.is_cancelled() {
            return Err(Reason::Cancelled);
        }
        let scratch = tempfile::tempdir().map_err(not_started)?;
        let files = StartFiles { dir: scratch.path().to_owned() };
        files.write(&start_script(step)?, &step.run).map_err(not_started)?;
        let before = measure(tree).await;
        let child = self.sandbox.command(&self.config, tree, &files).spawn();
        let mut running = Running::new(child.map_err(not_started)?, self.sandbox);
        let pid = running.pid;
        let stopped = tokio::select! {
            ended = running.finish(log) => return self.judge(ended),
            () = cancel.cancelled() => Reason::Cancelled,
            () = sleep(self.config.limits.time) => {
                Reason::TimedOut { after: self.config.limits.time }
            }
            reason = self.watch_disk(tree, before) => reason,
            reason = self.watch_processes(pid) => reason,
        };
        running.stop(log).await;
        Err(stopped)
    }

    async fn check_container(&self, step: &Step, log: &Log<'_>) -> Result<(), Reason> {
        match (&step.container, self.config.containers) {
            (None, _) => Ok(()),
            (Some(image), Containers::Refused) => Err(Reason::Container { image: image.clone() }),
            (Some(image), Containers::AsSandbox) => {
                let text = format!("runs in the sandbox instead of the container `{image}`");
                log.send(LogStream::Drover, text).await;
                Ok(())
            }
        }
    }

    fn judge(&self, ended: Ended) -> Result<(), Reason> {
        let limits = &self.config.limits;
        match ended {
            Ended::Flooded => Err(Reason::OutputLimit { max: limits.output_bytes }),
            Ended::Exit(Ok(status)) => match exit_code(status) {
                0 => Ok(()),
                FILE_TOO_LARGE => Err(self.disk_limit()),
                code => Err(Reason::Exit { code }),
            },
            Ended::Exit(Err(error)) => Err(not_started(error)),
        }
    }

    fn disk_limit(&self) -> Reason {
        let limits = &self.config.limits;
        Reason::DiskLimit { max_bytes: limits.disk_bytes, max_entries: limits.disk_entries }
    }

    /// Ends when the step uses more disk than it may.
    async fn watch_disk(&self, tree: &Path, before: Disk) -> Reason {
        let limits = &self.config.limits;
        let mut pause = DISK_INTERVAL;
        loop {
            sleep(pause).await;
            let started = Instant::now();
            let grown = measure(tree).await.grown_since(before);
            if grown.bytes > limits.disk_bytes || grown.entries > limits.disk_entries {
                return self.disk_limit();
            }
            pause = DISK_INTERVAL.max(started.elapsed() * WATCH_SHARE);
        }
    }

    /// Ends when the step uses more memory or processes than it may. The kernel's own limit on
    /// processes does not hold for a server that runs as root.
    async fn watch_processes(&self, pid: Option<u32>) -> Reason {
        let (memory_max, count_max) =
            (self.config.limits.memory_bytes, self.config.limits.processes);
        let Some(pid) = pid else { return std::future::pending().await };
        loop {
            sleep(PROCESS_INTERVAL).await;
            let count = tokio::task::spawn_blocking(move || usage::processes(pid, count_max));
            let used = count.await.unwrap_or_default();
            if used.count > count_max {
                return Reason::ProcessLimit { max: count_max };
            }
            if used.memory_bytes > memory_max {
                return Reason::MemoryLimit { max: memory_max };
            }
        }
    }
}

fn not_started(error: io::Error) -> Reason {
    Reason::NotStarted { error: error.to_string() }
}

async fn measure(tree: &Path) -> Disk {
    let tree = tree.to_owned();
    // A panic of the measurement is none of the step's.
    tokio::task::spawn_blocking(move || usage::disk(&tree)).await.unwrap_or_default()
}

fn exit_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

/// The script that sets up a step inside of the sandbox. Variables are set here and not by
/// arguments, which every user of the machine can see.
fn start_script(step: &Step) -> Result<String, Reason> {
    // When memory runs out, the kernel shall take steps first and the server last.
    let mut script = "echo 1000 2>/dev/null >/proc/self/oom_score_adj\n".to_owned();
    for (name, value) in &step.env {
        if !is_variable(name) || value.contains('\0') {
            return Err(Reason::BadVariable { name: name.escape_debug().to_string() });
        }
        let value = value.replace('\'', r"'\''");
        // Writing to a `String` cannot fail.
        let _ = writeln!(script, "export {name}='{value}'");
    }
    script.push_str("if [ -x /bin/bash ]; then exec /bin/bash \"$1\"; fi\nexec /bin/sh \"$1\"\n");
    Ok(script)
}

fn is_variable(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

/// A running step that takes all its processes along when it is dropped.
struct Running {
    child: Child,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    pid: Option<u32>,
    sandbox: Sandbox,
}

enum Ended {
    Exit(io::Result<ExitStatus>),
    Flooded,
}

impl Running {
    fn new(mut child: Child, sandbox: Sandbox) -> Self {
        let (stdout, stderr, pid) = (child.stdout.take(), child.stderr.take(), child.id());
        Self { child, stdout, stderr, pid, sandbox }
    }

    /// Reads the output and waits for the end.
    async fn finish(&mut self, log: &Log<'_>) -> Ended {
        let (group, sandbox) = (group(self.pid), self.sandbox);
        let exit = async {
            let status = self.child.wait().await;
            match sandbox {
                // The namespace has ended with its first process.
                Sandbox::Bubblewrap => (),
                Sandbox::None => kill(group),
            }
            Ok(status)
        };
        let (stdout, stderr) = (self.stdout.as_mut(), self.stderr.as_mut());
        let out = pump(log, LogStream::Stdout, stdout);
        let err = pump(log, LogStream::Stderr, stderr);
        let done = tokio::try_join!(exit, out, err);
        match done {
            Ok((status, (), ())) => {
                self.pid = None;
                Ended::Exit(status)
            }
            Err(Flooded) => {
                kill(group);
                // It is being killed.
                let _ = self.child.wait().await;
                self.pid = None;
                Ended::Flooded
            }
        }
    }

    /// Kills the step and waits until its last process is gone, which ends its output.
    async fn stop(&mut self, log: &Log<'_>) {
        kill(group(self.pid));
        let _ = timeout(DRAIN_TIMEOUT, self.finish(log)).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        kill(group(self.pid));
    }
}

async fn pump(
    log: &Log<'_>,
    stream: LogStream,
    pipe: Option<&mut (impl tokio::io::AsyncRead + Unpin)>,
) -> Result<(), Flooded> {
    match pipe {
        Some(pipe) => log.pump(stream, pipe).await,
        None => Ok(()),
    }
}

fn group(pid: Option<u32>) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid?).ok()?)
}

fn kill(group: Option<Pid>) {
    if let Some(group) = group {
        // It may have ended just now.
        let _ = kill_process_group(group, Signal::KILL);
    }
}
