//! A private server that outlived its Drover.

use super::{POLL_INTERVAL, PostgresError};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

/// A leftover that does not end within this time after it was asked to is told to drop
/// everything; after the same time once more we give up.
const STOP_MAX: Duration = Duration::from_secs(15);

/// Stops the server that still runs in the cluster, if one does. We hold the lock on the
/// directory, so it belongs to nobody.
pub(super) async fn stop(cluster: &Path) -> Result<(), PostgresError> {
    let path = cluster.join("postmaster.pid");
    let Some(pid) = read_pid(&path) else { return Ok(()) };
    if !runs_in(pid, cluster) {
        // After a crash of the machine the number may be somebody else's by now, and PostgreSQL
        // would take that for another server.
        return match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(PostgresError::io("remove", &path)(error))
            }
            Ok(()) | Err(_) => Ok(()),
        };
    }
    tracing::warn!(%pid, "a private PostgreSQL was left over; stopping it");
    for signal in [Signal::INT, Signal::QUIT] {
        if ended_after(pid, signal).await {
            return Ok(());
        }
    }
    Err(PostgresError::Orphan { dir: cluster.to_owned(), pid: pid.as_raw_nonzero().get() })
}

/// The process in the first line of `postmaster.pid`.
fn read_pid(path: &Path) -> Option<Pid> {
    let text = fs::read_to_string(path).ok()?;
    Pid::from_raw(text.lines().next()?.trim().parse().ok()?)
}

/// Whether a process works in the cluster's directory, as its server and nothing else does.
fn runs_in(pid: Pid, cluster: &Path) -> bool {
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|dir| dir == cluster)
}

async fn ended_after(pid: Pid, signal: Signal) -> bool {
    // One that ended in between is what we want.
    if kill_process(pid, signal).is_err() {
        return true;
    }
    let deadline = Instant::now() + STOP_MAX;
    while Instant::now() < deadline {
        if test_kill_process(pid).is_err() || is_zombie(pid) {
            return true;
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    false
}

/// Whether a process has ended and only waits to be noticed by its parent.
fn is_zombie(pid: Pid) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z')))
}
