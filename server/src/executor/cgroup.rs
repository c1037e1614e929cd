//! A control group (cgroup v2) for each step, in which the kernel counts what all its processes
//! take together: memory of every kind, processes, and shares of processors and disks.
//!
//! The server uses the group that it was started in when that was given to it: by systemd with
//! `Delegate=yes`, as the group of a container, or as the root of a machine without either. It
//! moves itself into `drover-server` below, because a group that has groups may hold no
//! processes, and steps run in `drover-steps-PID/STEP` beside it.

use super::{Limits, usage};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::Duration,
};
use uuid::Uuid;

const SERVER: &str = "drover-server";
const STEPS: &str = "drover-steps-";
/// Without these a group limits nothing of what has to be limited.
const NEEDED: [&str; 2] = ["memory", "pids"];
const WELCOME: [&str; 2] = ["cpu", "io"];
/// The share of processors and disks of all steps together, where the server has 100.
const WEIGHT: &str = "50";
/// A killed process is gone soon, but not at once.
const REMOVE_ATTEMPTS: u32 = 500;
const REMOVE_PAUSE: Duration = Duration::from_millis(10);

/// Why this server cannot make control groups.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoCgroup {
    #[error("it was told to do without")]
    NotWanted,
    #[error("this machine has no cgroup v2 with the controllers memory and pids")]
    NoControllers,
    #[error("the server may not make groups in {dir} ({error})")]
    NotOurs { dir: String, error: String },
    #[error("other programs run in the server's own group {dir}")]
    Shared { dir: String },
}

/// Where the groups of steps are made.
#[derive(Clone, Debug)]
pub(super) struct Cgroups {
    steps: PathBuf,
}

/// A process is in one group only, so one answer serves all executors of this process.
static CLAIMED: OnceLock<Result<Cgroups, NoCgroup>> = OnceLock::new();

impl Cgroups {
    /// Takes the server's own group into use, and sweeps what servers left there that are gone.
    pub(super) fn claim() -> Result<Self, NoCgroup> {
        CLAIMED.get_or_init(|| claim(own_group().ok_or(NoCgroup::NoControllers)?)).clone()
    }

    /// Makes the group of one step.
    pub(super) fn group(&self, limits: &Limits) -> io::Result<Group> {
        let group = Group { dir: self.steps.join(Uuid::new_v4().simple().to_string()) };
        fs::create_dir(&group.dir)?;
        group.set("memory.max", &limits.memory_bytes.to_string())?;
        group.set("pids.max", &limits.processes.to_string())?;
        // What is half killed fails in ways that nobody understands.
        group.set("memory.oom.group", "1")?;
        match group.set("memory.swap.max", "0") {
            // The kernel was built or started without swap accounting.
            Err(error) if error.kind() == io::ErrorKind::NotFound => (),
            set => set?,
        }
        Ok(group)
    }
}

/// The group of a running step. Dropped, it takes all its processes along.
#[derive(Debug)]
pub(super) struct Group {
    dir: PathBuf,
}

impl Group {
    pub(super) fn procs(&self) -> PathBuf {
        self.dir.join("cgroup.procs")
    }

    /// Whether the kernel killed the step for its memory.
    pub(super) fn ran_out_of_memory(&self) -> bool {
        count(&self.dir.join("memory.events"), "oom_kill") > 0
    }

    /// Whether the kernel refused it a process.
    pub(super) fn ran_out_of_processes(&self) -> bool {
        self.counter().ran_out_of_processes()
    }

    pub(super) fn counter(&self) -> Counter {
        Counter { refused: self.dir.join("pids.events") }
    }

    /// Kills what is left and removes the group.
    pub(super) async fn remove(self) {
        for _ in 0..REMOVE_ATTEMPTS {
            if remove(&self.dir) {
                break;
            }
            tokio::time::sleep(REMOVE_PAUSE).await;
        }
    }

    fn set(&self, file: &str, value: &str) -> io::Result<()> {
        fs::write(self.dir.join(file), value)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // What dies too slowly leaves an empty group, which the next start sweeps.
        remove(&self.dir);
    }
}

/// Reads along while a group is in use.
#[derive(Debug)]
pub(super) struct Counter {
    refused: PathBuf,
}

impl Counter {
    pub(super) fn ran_out_of_processes(&self) -> bool {
        count(&self.refused, "max") > 0
    }
}

/// The group that this process was started in, where it has all controllers that are needed.
fn own_group() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let dir = find_group(&mounts, &groups)?;
    let controllers = fs::read_to_string(dir.join("cgroup.controllers")).ok()?;
    NEEDED.iter().all(|it| controllers.split_whitespace().any(|has| has == *it)).then_some(dir)
}

/// From the mounts and groups of a process to the folder of its group.
fn find_group(mounts: &str, groups: &str) -> Option<PathBuf> {
    let group = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    mounts.lines().find_map(|line| {
        let (place, kind) = line.split_once(" - ")?;
        if !kind.starts_with("cgroup2 ") {
            return None;
        }
        let mut fields = place.split(' ').skip(3);
        let (root, point) = (fields.next()?, fields.next()?);
        let below = Path::new(group).strip_prefix(root).ok()?;
        Some(Path::new(point).join(below))
    })
}

fn claim(own: PathBuf) -> Result<Cgroups, NoCgroup> {
    sweep(&own);
    let steps = own.join(format!("{STEPS}{}", std::process::id()));
    let not_ours = |error: io::Error| NoCgroup::NotOurs {
        dir: own.display().to_string(),
        error: error.to_string(),
    };
    fs::create_dir(&steps).map_err(not_ours)?;
    if let Err(error) = hand_down(&own) {
        let moved = match error.kind() {
            io::ErrorKind::ResourceBusy => move_server(&own),
            _ => Err(not_ours(error)),
        };
        let ready = moved.and_then(|()| hand_down(&own).map_err(not_ours));
        if let Err(error) = ready {
            // Empty: no step was started.
            let _ = fs::remove_dir(&steps);
            return Err(error);
        }
    }
    hand_down(&steps).map_err(not_ours)?;
    for file in ["cpu.weight", "io.weight", "io.bfq.weight"] {
        // Not every kernel shares everything.
        let _ = fs::write(steps.join(file), WEIGHT);
    }
    Ok(Cgroups { steps })
}

/// Lets the groups below a group have its controllers.
fn hand_down(dir: &Path) -> io::Result<()> {
    let file = dir.join("cgroup.subtree_control");
    fs::write(&file, NEEDED.map(|it| format!("+{it}")).join(" "))?;
    for controller in WELCOME {
        let _ = fs::write(&file, format!("+{controller}"));
    }
    Ok(())
}

/// Moves the server out of its own group, with the programs that it has started. Foreign ones are
/// moved only where the group is that of a container.
fn move_server(own: &Path) -> Result<(), NoCgroup> {
    let listed = fs::read_to_string(own.join("cgroup.procs")).unwrap_or_default();
    let all: BTreeSet<u32> = listed.split_whitespace().filter_map(|it| it.parse().ok()).collect();
    let ours = usage::family(std::process::id());
    let is_container = fs::read_to_string("/proc/self/cgroup")
        .is_ok_and(|groups| groups.lines().any(|line| line == "0::/"));
    if !is_container && !all.is_subset(&ours) {
        return Err(NoCgroup::Shared { dir: own.display().to_string() });
    }
    let server = own.join(SERVER);
    let moved = || {
        if !server.is_dir() {
            fs::create_dir(&server)?;
        }
        for pid in &all {
            match fs::write(server.join("cgroup.procs"), pid.to_string()) {
                // It has just ended.
                Err(error) if error.raw_os_error() == Some(libc::ESRCH) => (),
                done => done?,
            }
        }
        Ok(())
    };
    moved().map_err(|error: io::Error| NoCgroup::NotOurs {
        dir: own.display().to_string(),
        error: error.to_string(),
    })
}

/// Removes the groups of servers that are gone, with whatever still runs in them.
fn sweep(own: &Path) {
    let Ok(entries) = fs::read_dir(own) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let pid =
            name.to_str().and_then(|it| it.strip_prefix(STEPS)).and_then(|it| it.parse().ok());
        let Some(pid) = pid else { continue };
        if is_server(own, pid) {
            continue;
        }
        for step in fs::read_dir(entry.path()).into_iter().flatten().flatten() {
            for _ in 0..REMOVE_ATTEMPTS {
                if !step.path().is_dir() || remove(&step.path()) {
                    break;
                }
                // What takes longer is swept at the next start.
                std::thread::yield_now();
            }
        }
        let _ = fs::remove_dir(entry.path());
    }
}

/// Whether another living server of this group has the process id; ids are used again.
fn is_server(own: &Path, pid: u32) -> bool {
    pid != std::process::id()
        && [own.to_owned(), own.join(SERVER)].iter().any(|dir| {
            let procs = fs::read_to_string(dir.join("cgroup.procs")).unwrap_or_default();
            procs.split_whitespace().any(|it| it.parse() == Ok(pid))
        })
}

/// Kills what runs in a group and removes it, once it is empty.
fn remove(dir: &Path) -> bool {
    match fs::remove_dir(dir) {
        Ok(()) => return true,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return true,
        Err(_) => (),
    }
    if fs::write(dir.join("cgroup.kill"), "1").is_err() {
        // Linux before 5.14: one by one.
        let procs = fs::read_to_string(dir.join("cgroup.procs")).unwrap_or_default();
        for pid in procs.split_whitespace().filter_map(|it| Pid::from_raw(it.parse().ok()?)) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    fs::remove_dir(dir).is_ok()
}

fn count(file: &Path, key: &str) -> u64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.trim().parse().ok());
    value.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(root: &str, point: &str, group: &str, expected: Option<&str>) {
        let mounts = format!(
            "29 22 0:26 / /sys rw - sysfs sysfs rw\n\
             30 29 0:27 {root} {point} rw,nosuid shared:4 - cgroup2 cgroup rw\n"
        );
        let groups = format!("1:name=systemd:/elsewhere\n{group}\n");
        assert_eq!(find_group(&mounts, &groups).as_deref(), expected.map(Path::new));
    }

    #[test]
    fn the_own_group_is_found() {
        let (unified, service) = ("/sys/fs/cgroup", "0::/system.slice/drover.service");
        check("/", unified, service, Some("/sys/fs/cgroup/system.slice/drover.service"));
        check("/", unified, "0::/", Some("/sys/fs/cgroup"));
        check("/", "/sys/fs/cgroup/unified", "0::/a", Some("/sys/fs/cgroup/unified/a"));
        check("/docker/1", unified, "0::/docker/1", Some("/sys/fs/cgroup"));
        check("/docker/1", unified, "0::/docker/2", None);
        check("/", unified, "4:memory:/a", None);
    }
}
