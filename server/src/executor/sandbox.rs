//! What this machine can do, and the command of a step.

use super::{ExecutorConfig, Isolation, Limits, Network};
use std::{
    io,
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::process::Command;

/// Where steps find their working copy.
const WORK: &str = "/workspace";
const HOME: &str = "/home/drover";
/// Where the files that start a step lie in the sandbox.
const START: &str = "/run/drover";
const UID: &str = "1000";
const OPEN_FILES_MAX: u32 = 4_096;

/// What programs need of `/etc`. Not all of it: a server that runs as root could read its secrets.
const ETC: [&str; 14] = [
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/ca-certificates.conf",
    "/etc/debian_version",
    "/etc/java-17-openjdk",
    "/etc/java-21-openjdk",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/os-release",
    "/etc/pki",
    "/etc/ssl",
];
const ETC_OF_NETWORK: [&str; 4] =
    ["/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/services"];

#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error(
        "bubblewrap does not work here: {detail}. Install it (Debian: `apt-get install \
         bubblewrap`) and allow unprivileged user namespaces, or configure steps to run without \
         isolation on a machine that exists for nothing else"
    )]
    Missing { detail: String },
}

/// How steps are kept apart from this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sandbox {
    Bubblewrap,
    None,
}

/// The files that start a step, on this machine. They are read-only in the sandbox.
pub(super) struct StartFiles {
    /// Holds `start`, `step` and `passwd`.
    pub(super) dir: PathBuf,
}

impl Sandbox {
    /// Runs a probe: whether namespaces are allowed shows only when they are made.
    pub(super) async fn detect(config: &ExecutorConfig) -> Result<Self, SandboxError> {
        match config.isolation {
            Isolation::None => Ok(Self::None),
            Isolation::Bubblewrap => {
                probe(config).await.map_err(|detail| SandboxError::Missing { detail })?;
                Ok(Self::Bubblewrap)
            }
        }
    }

    /// Builds the command that runs `start` in `tree`.
    pub(super) fn command(
        self,
        config: &ExecutorConfig,
        tree: &Path,
        files: &StartFiles,
    ) -> Command {
        let mut command = match self {
            Self::Bubblewrap => bubblewrap(config, tree, files),
            Self::None => bare(config, tree, files),
        };
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        command
    }
}

async fn probe(config: &ExecutorConfig) -> Result<(), String> {
    let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
    let files = StartFiles { dir: dir.path().to_owned() };
    files.write("exit 0\n", "").map_err(|error| error.to_string())?;
    let mut command = Sandbox::Bubblewrap.command(config, dir.path(), &files);
    let output = command.output().await.map_err(|error| format!("it was not started: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(stderr.lines().next().unwrap_or("it failed without a word").to_owned())
}

impl StartFiles {
    pub(super) fn write(&self, start: &str, step: &str) -> io::Result<()> {
        std::fs::write(self.dir.join("start"), start)?;
        std::fs::write(self.dir.join("step"), step)?;
        let passwd = format!("drover:x:{UID}:{UID}::{HOME}:/bin/sh\n");
        std::fs::write(self.dir.join("passwd"), passwd)?;
        std::fs::write(self.dir.join("group"), format!("drover:x:{UID}:\n"))
    }
}

fn bubblewrap(config: &ExecutorConfig, tree: &Path, files: &StartFiles) -> Command {
    let mut command = Command::new(&config.bubblewrap);
    // Nothing of a step may reach bwrap itself, which is still outside.
    command.env_clear().env("PATH", &config.path).current_dir("/");
    command.args(["--unshare-all", "--unshare-user", "--disable-userns"]);
    command.args(["--die-with-parent", "--new-session", "--hostname", "drover"]);
    command.args(["--uid", UID, "--gid", UID, "--clearenv"]);
    for (name, value) in variables(config, HOME) {
        command.args(["--setenv", name, value]);
    }
    if config.network == Network::On {
        command.arg("--share-net");
        for path in ETC_OF_NETWORK {
            command.args(["--ro-bind-try", path, path]);
        }
    }
    bind_system(&mut command, config);
    for name in ["passwd", "group"] {
        command.arg("--ro-bind").arg(files.dir.join(name)).arg(format!("/etc/{name}"));
    }
    for name in ["start", "step"] {
        command.arg("--ro-bind").arg(files.dir.join(name)).arg(format!("{START}/{name}"));
    }
    command.args(["--proc", "/proc", "--dev", "/dev"]);
    let size = config.limits.tmp_bytes.to_string();
    for (mode, path) in [("1777", "/tmp"), ("1777", "/dev/shm"), ("0755", HOME)] {
        command.args(["--perms", mode, "--size", &size, "--tmpfs", path]);
    }
    command.arg("--bind").arg(tree).args([WORK, "--chdir", WORK]);
    // Both live in memory, and neither has a size of its own.
    command.args(["--remount-ro", "/dev", "--remount-ro", "/", "--"]);
    command
        .arg("prlimit")
        .args(limited(&config.limits))
        .arg(format!("--nproc={}", config.limits.processes));
    command.args(["--", "/bin/sh", &format!("{START}/start"), &format!("{START}/step")]);
    command
}

fn bind_system(command: &mut Command, config: &ExecutorConfig) {
    command.args(["--ro-bind", "/usr", "/usr"]);
    for path in ["/bin", "/sbin", "/lib", "/lib32", "/lib64"] {
        match std::fs::read_link(path) {
            Ok(target) => command.arg("--symlink").arg(target).arg(path),
            Err(_) => command.args(["--ro-bind-try", path, path]),
        };
    }
    for path in ETC {
        command.args(["--ro-bind-try", path, path]);
    }
    for path in &config.read_only_paths {
        command.arg("--ro-bind-try").arg(path).arg(path);
    }
}

fn bare(config: &ExecutorConfig, tree: &Path, files: &StartFiles) -> Command {
    let mut command = Command::new("prlimit");
    command.env_clear().current_dir(tree);
    command.envs(variables(config, "/tmp"));
    command.args(limited(&config.limits)).args(["--", "/bin/sh"]);
    command.arg(files.dir.join("start")).arg(files.dir.join("step"));
    command
}

/// The kernel's limits for each process. `RLIMIT_NPROC` counts all processes of a user, so only
/// in a user namespace of its own it counts those of the step.
fn limited(limits: &Limits) -> Vec<String> {
    vec![
        format!("--fsize={}", limits.disk_bytes),
        format!("--nofile={OPEN_FILES_MAX}"),
        "--core=0".to_owned(),
    ]
}

fn variables<'a>(config: &'a ExecutorConfig, home: &'a str) -> [(&'static str, &'a str); 7] {
    [
        ("PATH", &config.path),
        ("HOME", home),
        ("USER", "drover"),
        ("LANG", "C.UTF-8"),
        ("TERM", "dumb"),
        ("TMPDIR", "/tmp"),
        ("CI", "true"),
    ]
}
