//! Runs the steps of a spec in a sandbox.
//!
//! - [`sandbox`]: finds out what this machine can do, and builds the command of a step
//! - [`cgroup`]: has the kernel count what a step uses
//! - [`seccomp`]: the system calls that a step may not make
//! - [`files`]: hands scripts over without a disk
//! - [`step`]: runs one step to its end or to its first limit
//! - [`output`]: turns what a step writes into harmless lines
//! - [`usage`]: measures what the kernel does not count
//! - [`in_force`]: says in plain words which limits hold here, and who holds them
//!
//! Steps come from people who may do less than this server, so a step sees a read-only system
//! without the server's files, its own `/tmp`, its working copy and, unless the configuration
//! says otherwise, no network. It ends with all its processes: by itself, at a limit, when it is
//! cancelled or when its future is dropped. `SECURITY.md` says all of it to operators.
//! Containers are not run here.

mod cgroup;
mod files;
mod in_force;
mod output;
pub mod sandbox;
mod seccomp;
mod step;
mod usage;

use drover::view::execution::LogStream;
use sandbox::{Sandbox, SandboxError};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

#[derive(Clone, Debug)]
pub struct ExecutorConfig {
    pub isolation: Isolation,
    /// The program `bwrap`.
    pub bubblewrap: OsString,
    pub network: Network,
    pub containers: Containers,
    /// The search path that steps get.
    pub path: String,
    /// Folders beside the system that steps may read, such as tool chains in `/opt`.
    pub read_only_paths: Vec<PathBuf>,
    pub limits: Limits,
    pub counting: Counting,
    /// What steps leave free on the disk of their working copies: the database may live there.
    pub disk_headroom_bytes: u64,
}

/// Who counts what a step uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// The kernel, in a control group, where this server may make one.
    Best,
    /// The kernel for each process, and this server for their sum.
    ByProcess,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    Bubblewrap,
    /// Steps run as the server's user and may read and write what it may. For machines that
    /// exist for nothing else.
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    Off,
    On,
}

/// What happens to a step that names a container image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Containers {
    Refused,
    /// It runs in the sandbox instead, with a warning in its log.
    AsSandbox,
}

/// What one step may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub time: Duration,
    /// Standard output and standard error together.
    pub output_bytes: u64,
    pub output_lines: u64,
    /// What the working copy and the scratch folder may grow by, and the most for one file.
    pub disk_bytes: u64,
    pub disk_entries: u64,
    /// `/tmp` (a half), `/dev/shm` and the home folder (a quarter each); they live in memory.
    pub tmp_bytes: u64,
    /// All processes together, with what lies in memory for them.
    pub memory_bytes: u64,
    pub processes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_hours(1),
            output_bytes: 10 << 20,
            output_lines: 200_000,
            disk_bytes: 4 << 30,
            disk_entries: 500_000,
            tmp_bytes: 2 << 30,
            memory_bytes: 4 << 30,
            processes: 1_024,
        }
    }
}

impl Default for ExecutorConfig {
    fn default() -> Self {
        Self {
            isolation: Isolation::Bubblewrap,
            bubblewrap: "bwrap".into(),
            network: Network::Off,
            containers: Containers::Refused,
            path: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
            read_only_paths: Vec::new(),
            limits: Limits::default(),
            counting: Counting::Best,
            disk_headroom_bytes: 1 << 30,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// A shell script.
    pub run: String,
    pub env: BTreeMap<String, String>,
    pub container: Option<String>,
}

/// Where a step works.
#[derive(Clone, Copy, Debug)]
pub struct Folders<'a> {
    /// The working copy.
    pub tree: &'a Path,
    /// Kept from the first to the last step of a working copy, and no part of its diff.
    pub scratch: &'a Path,
}

/// Lines of a log that were written at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEvent {
    /// From 1.
    pub step: u32,
    pub stream: LogStream,
    /// Lines with breaks between them, without other control characters.
    pub text: String,
}

/// The events of a log that wait to be stored, at most; a step waits when there are more.
pub const LOG_EVENTS_MAX: usize = 64;

/// Why a workspace failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("step {step} {reason}")]
pub struct StepFailure {
    /// From 1.
    pub step: u32,
    pub reason: Reason,
    /// The last lines that the step wrote.
    pub log_tail: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    #[error("ended with exit code {code}")]
    Exit { code: i32 },
    #[error("did not end within {} s and was stopped", after.as_secs())]
    TimedOut { after: Duration },
    #[error("wrote more than {max} bytes of output and was stopped")]
    OutputLimit { max: u64 },
    #[error("wrote more than {max} lines of output and was stopped")]
    LineLimit { max: u64 },
    #[error(
        "filled its working copy by more than {max_bytes} bytes or {max_entries} files and \
             was stopped"
    )]
    DiskLimit { max_bytes: u64, max_entries: u64 },
    #[error("used more than {max} bytes of memory and was stopped")]
    MemoryLimit { max: u64 },
    #[error("started more than {max} processes and was stopped")]
    ProcessLimit { max: u32 },
    #[error(
        "was stopped because this server's disk is nearly full: {free} bytes are free, and \
             {headroom} are kept for its database"
    )]
    ServerDisk { free: u64, headroom: u64 },
    #[error("was cancelled")]
    Cancelled,
    #[error(
        "wants the container `{image}`, but this server runs steps without containers only: \
             take `container` out, or let the server's configuration run such steps in the sandbox"
    )]
    Container { image: String },
    #[error("has a bad variable name `{name}`: letters, digits and `_`, not starting with a digit")]
    BadVariable { name: String },
    #[error("could not be started: {error}")]
    NotStarted { error: String },
}

pub struct Executor {
    config: ExecutorConfig,
    sandbox: Sandbox,
}

/// The disk of the working copies has no room for steps now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "waits until {} MB of the server's disk are free: they are kept for its database",
    headroom >> 20
)]
pub struct DiskFull {
    pub free: u64,
    pub headroom: u64,
}

impl Executor {
    /// Tries the sandbox once, so that a machine without one is told before the first step.
    pub async fn start(config: ExecutorConfig) -> Result<Self, SandboxError> {
        // What this process got from its parent is for no step.
        close_fds::set_fds_cloexec_threadsafe(3, &[]);
        let sandbox = Sandbox::detect(&config).await?;
        Ok(Self { config, sandbox })
    }

    /// The limits that hold here and who holds them, a line each.
    #[must_use]
    pub fn in_force(&self) -> Vec<String> {
        in_force::lines(&self.config, self.sandbox.counting.as_ref().err())
    }

    /// Whether the disk of `dir` has room for steps.
    pub fn check_room(&self, dir: &Path) -> Result<(), DiskFull> {
        let headroom = self.config.disk_headroom_bytes;
        match usage::free_bytes(dir) {
            Ok(free) if free < headroom => Err(DiskFull { free, headroom }),
            // A disk that cannot be asked shows itself when it is written to.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Runs the steps in a working copy, one after another, until one fails.
    pub async fn run_steps(
        &self,
        folders: Folders<'_>,
        steps: &[Step],
        cancel: &CancellationToken,
        log: &mpsc::Sender<LogEvent>,
    ) -> Result<(), StepFailure> {
        for (number, step) in (1..).zip(steps) {
            self.run_step(number, folders, step, cancel, log).await?;
        }
        Ok(())
    }
}
