//! Runs the steps of a spec in a sandbox.
//!
//! - [`sandbox`]: finds out what this machine can do, and builds the command of a step
//! - [`step`]: runs one step to its end or to its first limit
//! - [`output`]: turns what a step writes into harmless lines
//! - [`usage`]: measures the disk and the memory that a step uses
//!
//! Steps come from people who may do less than this server, so a step sees a read-only system
//! without the server's files, its own `/tmp`, its working copy and, unless the configuration
//! says otherwise, no network. It ends with all its processes: by itself, at a limit, when it is
//! cancelled or when its future is dropped. Limits on time, output, disk and memory are watched
//! from outside; the size of one file and the number of processes are held by the kernel.
//! Containers are not run here.

mod output;
pub mod sandbox;
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
    /// What the working copy may grow by.
    pub disk_bytes: u64,
    pub disk_entries: u64,
    /// `/tmp`, `/dev/shm` and the home folder, each; they live in memory.
    pub tmp_bytes: u64,
    /// All processes together.
    pub memory_bytes: u64,
    pub processes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_hours(1),
            output_bytes: 10 << 20,
            disk_bytes: 4 << 30,
            disk_entries: 500_000,
            tmp_bytes: 1 << 30,
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

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEvent {
    /// From 1.
    pub step: u32,
    pub stream: LogStream,
    /// Without control characters.
    pub text: String,
}

/// The lines of a log that wait to be stored, at most; a step waits when there are more.
pub const LOG_EVENTS_MAX: usize = 1_024;

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
    #[error(
        "filled its working copy by more than {max_bytes} bytes or {max_entries} files and \
             was stopped"
    )]
    DiskLimit { max_bytes: u64, max_entries: u64 },
    #[error("used more than {max} bytes of memory and was stopped")]
    MemoryLimit { max: u64 },
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

impl Executor {
    /// Tries the sandbox once, so that a machine without one is told before the first step.
    pub async fn start(config: ExecutorConfig) -> Result<Self, SandboxError> {
        let sandbox = Sandbox::detect(&config).await?;
        Ok(Self { config, sandbox })
    }

    /// Runs the steps in a working copy, one after another, until one fails.
    pub async fn run_steps(
        &self,
        tree: &Path,
        steps: &[Step],
        cancel: &CancellationToken,
        log: &mpsc::Sender<LogEvent>,
    ) -> Result<(), StepFailure> {
        for (number, step) in (1..).zip(steps) {
            self.run_step(number, tree, step, cancel, log).await?;
        }
        Ok(())
    }
}
