//! Runs one step to its end or to its first limit.

use super::{
    Containers, Executor, Folders, Isolation, LogEvent, Reason, Step, StepFailure,
    cgroup::{Counter, Group},
    output::{Flooded, Log, Most},
    sandbox::Script,
    usage::{self, Disk},
};
use drover::view::execution::LogStream;
use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    fmt::Write,
    io,
    os::unix::process::ExitStatusExt,
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
        folders: Folders<'_>,
        step: &Step,
        cancel: &CancellationToken,
        sender: &mpsc::Sender<LogEvent>,
    ) -> Result<(), StepFailure> {
        let limits = &self.config.limits;
        let max = Most { bytes: limits.output_bytes, lines: limits.output_lines };
        let log = Log::new(number, sender, max);
        let done = self.run_logged(folders, step, cancel, &log).await;
        let Err(reason) = done else { return Ok(()) };
        let failure = StepFailure { step: number, reason, log_tail: log.tail() };
        log.send(LogStream::Drover, failure.to_string()).await;
        Err(failure)
    }

    async fn run_logged(
        &self,
        folders: Folders<'_>,
        step: &Step,
        cancel: &CancellationToken,
        log: &Log<'_>,
    ) -> Result<(), Reason> {
        self.check_container(step, log).await?;
        if cancel.is_cancelled() {
            return Err(Reason::Cancelled);
        }
        let start = start_script(step)?;
        let script = Script { start: &start, step: &step.run };
        let before = measure(folders, None).await;
        let group = self.sandbox.group(&self.config.limits).map_err(not_started)?;
        let command = self.sandbox.command(&self.config, folders, &script, group.as_ref());
        let (mut command, _handed) = command.map_err(not_started)?;
        let child = command.spawn().map_err(not_started)?;
        let mut running = Running::new(child, self.sandbox.isolation, group);
        let (pid, counter) = (running.pid, running.counter());
        let stopped = tokio::select! {
            ended = running.finish(log) => {
                let ended = self.judge(ended, running.group.as_ref());
                running.clean_up().await;
                ended?;
                // Quicker than it was watched.
                return self.check_disk(measure(folders, None).await.grown_since(before));
            }
            () = cancel.cancelled() => Reason::Cancelled,
            () = sleep(self.config.limits.time) => {
                Reason::TimedOut { after: self.config.limits.time }
            }
            reason = self.watch_disk(folders, before, pid) => reason,
            reason = self.watch_processes(pid, counter) => reason,
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

    fn judge(&self, ended: Ended, group: Option<&Group>) -> Result<(), Reason> {
        let limits = &self.config.limits;
        let code = match ended {
            Ended::Flooded(Flooded::Bytes) => {
                return Err(Reason::OutputLimit { max: limits.output_bytes });
            }
            Ended::Flooded(Flooded::Lines) => {
                return Err(Reason::LineLimit { max: limits.output_lines });
            }
            Ended::Exit(Ok(status)) => exit_code(status),
            Ended::Exit(Err(error)) => return Err(not_started(error)),
        };
        match code {
            0 => Ok(()),
            _ if group.is_some_and(Group::ran_out_of_memory) => {
                Err(Reason::MemoryLimit { max: limits.memory_bytes })
            }
            _ if group.is_some_and(Group::ran_out_of_processes) => {
                Err(Reason::ProcessLimit { max: limits.processes })
            }
            FILE_TOO_LARGE => Err(self.disk_limit()),
            code => Err(Reason::Exit { code }),
        }
    }

    fn disk_limit(&self) -> Reason {
        let limits = &self.config.limits;
        Reason::DiskLimit { max_bytes: limits.disk_bytes, max_entries: limits.disk_entries }
    }

    fn check_disk(&self, grown: Disk) -> Result<(), Reason> {
        let limits = &self.config.limits;
        if grown.bytes > limits.disk_bytes || grown.entries > limits.disk_entries {
            return Err(self.disk_limit());
        }
        Ok(())
    }

    /// Ends when the step uses more disk than it may, or when the server has too little left.
    async fn watch_disk(&self, folders: Folders<'_>, before: Disk, pid: Option<u32>) -> Reason {
        // Steps that run go on where new ones wait already.
        let headroom = self.config.disk_headroom_bytes / 2;
        let mut pause = DISK_INTERVAL;
        loop {
            sleep(pause).await;
            let started = Instant::now();
            let grown = measure(folders, pid).await.grown_since(before);
            if let Err(reason) = self.check_disk(grown) {
                return reason;
            }
            match usage::free_bytes(folders.tree) {
                Ok(free) if free < headroom => return Reason::ServerDisk { free, headroom },
                Ok(_) | Err(_) => (),
            }
            pause = DISK_INTERVAL.max(started.elapsed() * WATCH_SHARE);
        }
    }

    /// Ends when the step uses more memory or processes than it may. In a group the kernel holds
    /// both, and this only says so early; without one the sums are held by this.
    async fn watch_processes(&self, pid: Option<u32>, counter: Option<Counter>) -> Reason {
        let (memory_max, count_max) =
            (self.config.limits.memory_bytes, self.config.limits.processes);
        let folders = self.sandbox.in_memory();
        let Some(pid) = pid else { return std::future::pending().await };
        loop {
            sleep(PROCESS_INTERVAL).await;
            if let Some(counter) = &counter {
                if counter.ran_out_of_processes() {
                    return Reason::ProcessLimit { max: count_max };
                }
                continue;
            }
            let count =
                tokio::task::spawn_blocking(move || usage::processes(pid, count_max, folders));
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

/// What lies in a step's folders, with what it holds open without a name.
async fn measure(folders: Folders<'_>, pid: Option<u32>) -> Disk {
    let roots = [folders.tree.to_owned(), folders.scratch.to_owned()];
    let measured = tokio::task::spawn_blocking(move || {
        let (named, open) = (usage::disk(&roots), pid.map(usage::deleted_files));
        named.and(open.unwrap_or_default())
    });
    // A panic of the measurement is none of the step's.
    measured.await.unwrap_or_default()
}

fn exit_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

/// The script that sets up a step inside of the sandbox. Variables are set here and not by
/// arguments, which every user of the machine can see.
fn start_script(step: &Step) -> Result<String, Reason> {
    // When memory runs out, the kernel shall take steps first and the server last.
    // What it makes is made as usual, whatever the server keeps for itself.
    let mut script = "echo 1000 2>/dev/null >/proc/self/oom_score_adj\numask 022\n".to_owned();
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
    isolation: Isolation,
    group: Option<Group>,
}

enum Ended {
    Exit(io::Result<ExitStatus>),
    Flooded(Flooded),
}

impl Running {
    fn new(mut child: Child, isolation: Isolation, group: Option<Group>) -> Self {
        let (stdout, stderr, pid) = (child.stdout.take(), child.stderr.take(), child.id());
        Self { child, stdout, stderr, pid, isolation, group }
    }

    fn counter(&self) -> Option<Counter> {
        self.group.as_ref().map(Group::counter)
    }

    /// Reads the output and waits for the end.
    async fn finish(&mut self, log: &Log<'_>) -> Ended {
        let (group, isolation) = (group(self.pid), self.isolation);
        let exit = async {
            let status = self.child.wait().await;
            match isolation {
                // The namespace has ended with its first process.
                Isolation::Bubblewrap => (),
                Isolation::None => kill(group),
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
            Err(flooded) => {
                kill(group);
                // It is being killed.
                let _ = self.child.wait().await;
                self.pid = None;
                Ended::Flooded(flooded)
            }
        }
    }

    /// Kills the step and waits until its last process is gone, which ends its output.
    async fn stop(&mut self, log: &Log<'_>) {
        kill(group(self.pid));
        let _ = timeout(DRAIN_TIMEOUT, self.finish(log)).await;
        self.clean_up().await;
    }

    /// Nothing of a group outlives its step, not even what left its process group.
    async fn clean_up(&mut self) {
        if let Some(group) = self.group.take() {
            group.remove().await;
        }
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
