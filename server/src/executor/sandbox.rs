//! What this machine can do, and the command of a step.

use super::{
    Counting, ExecutorConfig, Folders, Isolation, Limits, Network,
    cgroup::{Cgroups, Group, NoCgroup},
    files::Handed,
    seccomp::{self, Memory},
};
use std::{
    ffi::{OsStr, OsString},
    io,
    path::Path,
    process::Stdio,
};
use tokio::process::Command;

/// Where steps find their working copy.
const WORK: &str = "/workspace";
const HOME: &str = "/home/drover";
/// Where steps find the folder that lives as long as their working copy.
const SCRATCH: &str = "/scratch";
/// Folders that lie in memory: their modes, and which part of the whole each of them may take.
const IN_MEMORY: [(&str, &str, u64); 3] =
    [("1777", "/tmp", 2), ("1777", "/dev/shm", 4), ("0755", HOME, 4)];
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

/// What the kernel tells everybody about the whole machine and its other users' keys.
const HIDDEN: [&str; 6] = [
    "/proc/kcore",
    "/proc/keys",
    "/proc/key-users",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/timer_list",
];
/// Steps commit too, anywhere: who they are when they do not say so themselves.
const GIT_CONFIG: &str = "[user]\n\tname = Drover\n\temail = drover@localhost\n\
    [init]\n\tdefaultBranch = main\n[safe]\n\tdirectory = *\n[gc]\n\tautoDetach = false\n";
/// Enters the group that is its first argument, where there is one.
const ENTER: &str = "if [ -n \"$0\" ]; then echo 0 >\"$0\" || exit 125; fi; ";
/// Becomes the program behind it.
const BECOME: &str = "exec \"$@\"";
/// How much nicer a step is than the server.
const NICENESS: &str = "5";

/// How steps are kept apart from this machine, and who counts what they use.
#[derive(Clone, Debug)]
pub(super) struct Sandbox {
    pub(super) isolation: Isolation,
    pub(super) counting: Result<Cgroups, NoCgroup>,
}

/// What starts a step. It is handed over in memory, and no other process sees it.
pub(super) struct Script<'a> {
    pub(super) start: &'a str,
    pub(super) step: &'a str,
}

impl Sandbox {
    /// Runs a probe: whether namespaces are allowed shows only when they are made.
    pub(super) async fn detect(config: &ExecutorConfig) -> Result<Self, SandboxError> {
        let counting = match config.counting {
            Counting::Best => Cgroups::claim(),
            Counting::ByProcess => Err(NoCgroup::NotWanted),
        };
        let sandbox = Self { isolation: config.isolation, counting };
        match config.isolation {
            Isolation::None => (),
            Isolation::Bubblewrap => {
                let probed = sandbox.probe(config).await;
                probed.map_err(|detail| SandboxError::Missing { detail })?;
            }
        }
        Ok(sandbox)
    }

    /// The group of a step, where the kernel counts.
    pub(super) fn group(&self, limits: &Limits) -> io::Result<Option<Group>> {
        self.counting.as_ref().ok().map(|groups| groups.group(limits)).transpose()
    }

    /// Where folders in memory are, for who measures them.
    pub(super) fn in_memory(&self) -> &'static [&'static str] {
        match self.isolation {
            Isolation::Bubblewrap => &["/tmp", "/dev/shm", HOME],
            Isolation::None => &[],
        }
    }

    /// Builds the command that runs a script in the working copy.
    pub(super) fn command(
        &self,
        config: &ExecutorConfig,
        folders: Folders<'_>,
        script: &Script<'_>,
        group: Option<&Group>,
    ) -> io::Result<(Command, Handed)> {
        let mut handed = Handed::default();
        let args = match self.isolation {
            Isolation::Bubblewrap => self.bubblewrap(config, folders, script, &mut handed)?,
            Isolation::None => bare(config, script, &mut handed)?,
        };
        let config_file = match self.isolation {
            Isolation::Bubblewrap => None,
            Isolation::None => Some(handed.add_path(GIT_CONFIG.as_bytes())?),
        };
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(format!("{ENTER}{BECOME}{}", handed.redirections()));
        command.arg(group.map(Group::procs).unwrap_or_default()).args(args);
        // Nothing of a step may reach what starts it, which is still outside.
        command.env_clear().env("PATH", &config.path);
        match self.isolation {
            Isolation::Bubblewrap => command.current_dir("/"),
            Isolation::None => command
                .current_dir(folders.tree)
                .envs(variables(config, "/tmp"))
                .env("DROVER_SCRATCH", folders.scratch)
                .env("GIT_CONFIG_SYSTEM", config_file.unwrap_or_default()),
        };
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        Ok((command, handed))
    }

    async fn probe(&self, config: &ExecutorConfig) -> Result<(), String> {
        let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
        let folders = Folders { tree: dir.path(), scratch: dir.path() };
        let script = Script { start: "exit 0\n", step: "" };
        let group = self.group(&config.limits).map_err(|error| error.to_string())?;
        let command = self.command(config, folders, &script, group.as_ref());
        let (mut command, _handed) = command.map_err(|error| error.to_string())?;
        let output =
            command.output().await.map_err(|error| format!("it was not started: {error}"))?;
        if let Some(group) = group {
            group.remove().await;
        }
        if output.status.success() {
            return Ok(());
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        Err(stderr.lines().next().unwrap_or("it failed without a word").to_owned())
    }

    fn bubblewrap(
        &self,
        config: &ExecutorConfig,
        folders: Folders<'_>,
        script: &Script<'_>,
        handed: &mut Handed,
    ) -> io::Result<Vec<OsString>> {
        let mut words = Words(vec![config.bubblewrap.clone()]);
        words.add(["--unshare-all", "--unshare-user", "--disable-userns"]);
        words.add(["--die-with-parent", "--new-session", "--hostname", "drover"]);
        words.add(["--uid", UID, "--gid", UID, "--clearenv"]);
        for (name, value) in variables(config, HOME) {
            words.add(["--setenv", name, value]);
        }
        words.add(["--setenv", "DROVER_SCRATCH", SCRATCH]);
        if config.network == Network::On {
            words.add(["--share-net"]);
            for path in ETC_OF_NETWORK {
                words.add(["--ro-bind-try", path, path]);
            }
        }
        bind_system(&mut words, config);
        let passwd = format!("drover:x:{UID}:{UID}::{HOME}:/bin/sh\n");
        let group = format!("drover:x:{UID}:\n");
        for (path, text) in [
            ("/etc/passwd", passwd.as_str()),
            ("/etc/group", &group),
            ("/etc/gitconfig", GIT_CONFIG),
            ("/run/drover/start", script.start),
            ("/run/drover/step", script.step),
        ] {
            let number = handed.add(text.as_bytes())?;
            words.add(["--perms", "0444", "--ro-bind-data", &number, path]);
        }
        words.add(["--proc", "/proc", "--dev", "/dev"]);
        for path in HIDDEN.iter().filter(|it| Path::new(it).exists()) {
            words.add(["--ro-bind", "/dev/null", path]);
        }
        for (mode, path, share) in IN_MEMORY {
            let size = (config.limits.tmp_bytes / share).to_string();
            words.add(["--perms", mode, "--size", &size, "--tmpfs", path]);
        }
        words.bind("--bind", folders.scratch, SCRATCH);
        words.bind("--bind", folders.tree, WORK);
        // Both live in memory, and neither has a size of its own.
        words.add(["--chdir", WORK, "--remount-ro", "/dev", "--remount-ro", "/"]);
        let memory = if self.counting.is_ok() { Memory::Counted } else { Memory::NotCounted };
        let filter = handed.add(&seccomp::program(memory).map_err(io::Error::other)?)?;
        words.add(["--seccomp", &filter]);
        words.add(["--", "nice", "-n", NICENESS, "prlimit"]);
        words.add(limited(&config.limits).iter().map(String::as_str));
        // It counts all processes of a user, and only here that user has no others.
        words.add([format!("--nproc={}", config.limits.processes).as_str()]);
        words.add(["--", "/bin/sh", "/run/drover/start", "/run/drover/step"]);
        Ok(words.0)
    }
}

/// The arguments of a command.
struct Words(Vec<OsString>);

impl Words {
    fn add<'a>(&mut self, words: impl IntoIterator<Item = &'a str>) {
        self.0.extend(words.into_iter().map(OsString::from));
    }

    fn bind(&mut self, how: &str, outside: &Path, inside: impl AsRef<OsStr>) {
        self.0.extend([how.into(), outside.into(), inside.as_ref().to_owned()]);
    }
}

fn bind_system(words: &mut Words, config: &ExecutorConfig) {
    words.add(["--ro-bind", "/usr", "/usr"]);
    for path in ["/bin", "/sbin", "/lib", "/lib32", "/lib64"] {
        match std::fs::read_link(path) {
            Ok(target) => words.bind("--symlink", &target, path),
            Err(_) => words.add(["--ro-bind-try", path, path]),
        }
    }
    for path in ETC {
        words.add(["--ro-bind-try", path, path]);
    }
    for path in &config.read_only_paths {
        words.bind("--ro-bind-try", path, path);
    }
}

fn bare(
    config: &ExecutorConfig,
    script: &Script<'_>,
    handed: &mut Handed,
) -> io::Result<Vec<OsString>> {
    let mut words = Words(vec!["nice".into()]);
    words.add(["-n", NICENESS, "prlimit"]);
    words.add(limited(&config.limits).iter().map(String::as_str));
    let start = handed.add_path(script.start.as_bytes())?;
    let step = handed.add_path(script.step.as_bytes())?;
    words.add(["--", "/bin/sh"]);
    words.0.extend([start.into(), step.into()]);
    Ok(words.0)
}

/// The kernel's limits for each process, which hold beside those of the group.
fn limited(limits: &Limits) -> Vec<String> {
    vec![
        format!("--fsize={}", limits.disk_bytes),
        format!("--data={}", limits.memory_bytes),
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
