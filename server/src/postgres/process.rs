//! The process of the private server.
//!
//! A thread of its own starts it and waits for its end. The kernel's promise to end a child
//! with its parent follows the *thread* that made the child, so that thread must last.

use super::{PostgresError, User, binaries::Binaries};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::{self, OpenOptions},
    io,
    path::Path,
    process::{Child, Stdio},
    sync::{
        Mutex,
        mpsc::{self, Receiver, RecvTimeoutError, TryRecvError},
    },
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// A server that does not end within this time after it was asked to is told to drop
/// everything; what was committed is safe then too.
const STOP_MAX: Duration = Duration::from_secs(20);
/// A log that grew beyond is started anew, in bytes.
const LOG_BYTES_MAX: u64 = 16 << 20;
/// How much of the log an error shows.
const LOG_LINES_SHOWN: usize = 10;

pub(super) struct Process {
    pid: Pid,
    /// Closed when the process has ended.
    end: Mutex<Receiver<()>>,
    /// The same, for whoever waits without a thread.
    ended: CancellationToken,
    waiter: Option<JoinHandle<()>>,
}

impl Process {
    pub(super) fn spawn(
        cluster: &Path,
        socket: &Path,
        log: &Path,
        binaries: &Binaries,
        user: &User,
    ) -> Result<Self, PostgresError> {
        let mut command = user.command(&binaries.program("postgres"), cluster)?;
        command.arg("-D").arg(cluster).arg("-k").arg(socket);
        command.args(["-c", "listen_addresses=", "-c", "unix_socket_permissions=0700"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(open_log(log)?);
        let (started, start) = mpsc::channel();
        let (closed_at_end, end) = mpsc::channel();
        let ended = CancellationToken::new();
        let cancelled_at_end = ended.clone();
        let waiter = thread::Builder::new()
            .name("postgres".to_owned())
            .spawn(move || {
                let child = command.spawn();
                let pid = child.as_ref().map(Child::id).map_err(io::Error::kind);
                // Who asked is gone only when the whole program is.
                if started.send(pid).is_ok() {
                    wait(child);
                }
                drop(closed_at_end);
                cancelled_at_end.cancel();
            })
            .map_err(PostgresError::io("start a thread for", cluster))?;
        let failed = |kind: io::ErrorKind| PostgresError::io("start", cluster)(kind.into());
        let pid = start.recv().unwrap_or(Err(io::ErrorKind::BrokenPipe)).map_err(failed)?;
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| failed(io::ErrorKind::InvalidData))?;
        Ok(Self { pid, end: Mutex::new(end), ended, waiter: Some(waiter) })
    }

    /// Waits for the end of the process.
    pub(super) async fn ended(&self) {
        self.ended.cancelled().await;
    }

    pub(super) fn has_ended(&self) -> bool {
        let end = self.end.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        end.try_recv() == Err(TryRecvError::Disconnected)
    }

    /// Asks the process to end and waits; says whether it did.
    fn ended_after(&self, signal: Signal) -> bool {
        if self.has_ended() {
            return true;
        }
        if let Err(error) = kill_process(self.pid, signal) {
            tracing::warn!(%error, pid = %self.pid, "the private PostgreSQL takes no signal");
        }
        let end = self.end.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        end.recv_timeout(STOP_MAX) == Err(RecvTimeoutError::Disconnected)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fast, then immediate, then by force.
        let signals = [Signal::INT, Signal::QUIT, Signal::KILL];
        if !signals.into_iter().any(|signal| self.ended_after(signal)) {
            tracing::error!(pid = %self.pid, "the private PostgreSQL does not end");
            return;
        }
        if let Some(waiter) = self.waiter.take()
            && waiter.join().is_err()
        {
            tracing::error!("the thread of the private PostgreSQL panicked");
        }
    }
}

fn wait(child: io::Result<Child>) {
    let Ok(mut child) = child else { return };
    match child.wait() {
        Ok(status) => tracing::info!(%status, "the private PostgreSQL ended"),
        Err(error) => tracing::error!(%error, "could not wait for the private PostgreSQL"),
    }
}

fn open_log(path: &Path) -> Result<Stdio, PostgresError> {
    let long = fs::metadata(path).is_ok_and(|it| it.len() > LOG_BYTES_MAX);
    let mut options = OpenOptions::new();
    if long {
        options.write(true).truncate(true)
    } else {
        options.append(true).create(true)
    };
    options.open(path).map(Stdio::from).map_err(PostgresError::io("open", path))
}

/// The last lines of the log, for an error.
pub(super) fn log_tail(path: &Path) -> String {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
}
