//! Runs git with an empty configuration, limits and a deadline.

use super::{GitConfig, error::GitError, remote::Remote};
use drover::{changeset::spec::Author, time::Timestamp};
use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    ffi::{OsStr, OsString},
    path::Path,
    process::Stdio,
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
};

/// What is kept of git's standard error, in bytes: its end.
const STDERR_TAIL_BYTES: usize = 4 << 10;
/// The output of a command that names no limit of its own, in bytes.
const STDOUT_BYTES_MAX: usize = 16 << 20;

/// Settings that hold for every command, so that neither a repository, a user nor a system
/// decides what git does.
const SETTINGS: [(&str, &str); 36] = [
    ("core.hooksPath", "/dev/null"),
    ("core.attributesFile", "/dev/null"),
    ("core.excludesFile", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.untrackedCache", "false"),
    ("core.autocrlf", "false"),
    ("core.fileMode", "true"),
    ("core.symlinks", "true"),
    ("core.quotePath", "false"),
    ("core.protectHFS", "true"),
    ("core.protectNTFS", "true"),
    ("core.bigFileThreshold", "32m"),
    ("core.warnAmbiguousRefs", "false"),
    ("credential.helper", ""),
    ("protocol.ext.allow", "never"),
    ("submodule.recurse", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("push.recurseSubmodules", "no"),
    ("transfer.fsckObjects", "true"),
    // Faults of old tools in honest histories: they harm nobody.
    ("fetch.fsck.zeroPaddedFilemode", "ignore"),
    ("fetch.fsck.missingSpaceBeforeDate", "ignore"),
    ("fetch.fsck.missingSpaceBeforeEmail", "ignore"),
    ("fetch.fsck.badTimezone", "ignore"),
    ("fetch.fsck.badEmail", "ignore"),
    ("fetch.fsck.missingEmail", "ignore"),
    ("fetch.fsck.missingNameBeforeEmail", "ignore"),
    ("fetch.fsck.multipleAuthors", "ignore"),
    ("http.followRedirects", "false"),
    ("http.lowSpeedLimit", "100"),
    ("http.lowSpeedTime", "60"),
    // Below the lock and the deadline of the fetch that caused it, not on its own.
    ("maintenance.autoDetach", "false"),
    ("gc.autoDetach", "false"),
    ("commit.gpgSign", "false"),
    ("push.gpgSign", "false"),
    ("i18n.commitEncoding", "UTF-8"),
    ("safe.bareRepository", "all"),
];

const ENVIRONMENT: [(&str, &str); 11] = [
    ("LC_ALL", "C"),
    ("HOME", "/nonexistent"),
    ("XDG_CONFIG_HOME", "/nonexistent"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_LITERAL_PATHSPECS", "1"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_FLUSH", "0"),
    // Nothing may be reached unless the command names its remote.
    ("GIT_ALLOW_PROTOCOL", "none"),
];

#[derive(Clone, Debug)]
pub(super) struct Git {
    config: Arc<GitConfig>,
}

impl Git {
    pub(super) fn new(config: GitConfig) -> Self {
        Self { config: Arc::new(config) }
    }

    pub(super) fn config(&self) -> &GitConfig {
        &self.config
    }

    /// Prepares a command that only touches the disk: no network, no lazy fetch.
    pub(super) fn local(&self, command: &'static str, git_dir: &Path) -> Invocation<'_> {
        Invocation {
            git: self,
            command,
            args: Vec::new(),
            env: vec![("GIT_DIR".into(), git_dir.into()), ("GIT_NO_LAZY_FETCH".into(), "1".into())],
            settings: Vec::new(),
            remote: None,
            stdin: Vec::new(),
            stdout_max: STDOUT_BYTES_MAX,
            timeout: self.config.local_timeout,
        }
    }

    /// Prepares a command that may talk to `remote`, which it knows as `origin`.
    pub(super) fn network<'a>(
        &'a self,
        command: &'static str,
        git_dir: &Path,
        remote: &'a Remote,
    ) -> Invocation<'a> {
        Invocation {
            env: vec![("GIT_DIR".into(), git_dir.into())],
            remote: Some(remote),
            timeout: self.config.network_timeout,
            ..self.local(command, git_dir)
        }
    }
}

/// A command of git, about to run.
#[must_use]
pub(super) struct Invocation<'a> {
    git: &'a Git,
    command: &'static str,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    settings: Vec<(String, String)>,
    remote: Option<&'a Remote>,
    stdin: Vec<u8>,
    stdout_max: usize,
    timeout: Duration,
}

pub(super) struct Output {
    pub(super) success: bool,
    pub(super) stdout: Vec<u8>,
    /// The end of it, without secrets.
    pub(super) stderr: String,
}

impl Invocation<'_> {
    pub(super) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(|it| it.as_ref().to_owned()));
        self
    }

    pub(super) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// Who a commit says made it, and when.
    pub(super) fn identity(self, author: &Author, committer: &Author, at: Timestamp) -> Self {
        let date = format!("@{} +0000", at.0.div_euclid(1_000));
        self.env("GIT_AUTHOR_NAME", &author.name)
            .env("GIT_AUTHOR_EMAIL", &author.email)
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_NAME", &committer.name)
            .env("GIT_COMMITTER_EMAIL", &committer.email)
            .env("GIT_COMMITTER_DATE", &date)
    }

    pub(super) fn setting(mut self, key: &str, value: &str) -> Self {
        self.settings.push((key.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    pub(super) fn stdout_max(mut self, bytes: usize) -> Self {
        self.stdout_max = bytes;
        self
    }

    /// Runs the command; a non-zero exit is an error, classified by what git wrote.
    pub(super) async fn run(self) -> Result<Vec<u8>, GitError> {
        let command = self.command;
        let Output { success, stdout, stderr } = self.output().await?;
        if success { Ok(stdout) } else { Err(GitError::classify(command, stderr)) }
    }

    /// Runs a command whose answer is one word of text.
    pub(super) async fn run_word(self) -> Result<String, GitError> {
        let command = self.command;
        let stdout = self.run().await?;
        let word = std::str::from_utf8(&stdout).map(str::trim_end);
        word.map(str::to_owned).map_err(|_| GitError::Answer {
            command,
            answer: String::from_utf8_lossy(&stdout).escape_debug().to_string(),
        })
    }

    /// Runs the command and leaves the judgement of its exit to the caller.
    pub(super) async fn output(mut self) -> Result<Output, GitError> {
        let (command, after, max) = (self.command, self.timeout, self.stdout_max);
        let child = self.build().spawn().map_err(GitError::NotInstalled)?;
        let stdin = std::mem::take(&mut self.stdin);
        let mut running = Running { group: group_of(&child), child };
        let finished = tokio::time::timeout(after, running.finish(stdin, max)).await;
        let (success, stdout, stderr) = match finished {
            Err(_) => return Err(GitError::TimedOut { command, after }),
            Ok(Err(Broken::TooLarge)) => return Err(GitError::OutputTooLarge { command, max }),
            Ok(Err(Broken::Io(source))) => {
                return Err(GitError::Disk {
                    what: format!("`git {command}` was cut off"),
                    source,
                });
            }
            Ok(Ok(done)) => done,
        };
        let stderr = String::from_utf8_lossy(&stderr);
        let stderr = self.remote.map_or_else(|| stderr.to_string(), |it| it.redact(&stderr));
        Ok(Output { success, stdout, stderr: printable(&stderr) })
    }

    fn build(&self) -> Command {
        let config = self.git.config();
        let mut settings: Vec<(&str, &str)> = SETTINGS.to_vec();
        let remote = self.remote.map(Remote::settings).unwrap_or_default();
        settings.extend(remote.iter().chain(&self.settings).map(|(k, v)| (&**k, &**v)));
        let mut command = Command::new(&config.program);
        command
            .arg(self.command)
            .args(&self.args)
            .env_clear()
            .envs(&config.environment)
            .envs(ENVIRONMENT)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .env("GIT_CONFIG_COUNT", settings.len().to_string())
            .current_dir("/")
            .stdin(if self.stdin.is_empty() { Stdio::null() } else { Stdio::piped() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        for (index, (key, value)) in settings.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{index}"), key);
            command.env(format!("GIT_CONFIG_VALUE_{index}"), value);
        }
        if let Some(remote) = self.remote {
            command.env("GIT_ALLOW_PROTOCOL", remote.protocol());
        }
        command
    }
}

/// A running git that takes its helpers (`git-remote-https`, `pack-objects`) along when it is
/// dropped.
struct Running {
    child: Child,
    group: Option<Pid>,
}

enum Broken {
    TooLarge,
    Io(std::io::Error),
}

impl Running {
    async fn finish(
        &mut self,
        stdin: Vec<u8>,
        stdout_max: usize,
    ) -> Result<(bool, Vec<u8>, Vec<u8>), Broken> {
        let input = self.child.stdin.take();
        let feed = async move {
            if let Some(mut input) = input {
                // A command that stops reading says why with its exit.
                let _ = input.write_all(&stdin).await;
            }
            Ok(())
        };
        let (stdout, stderr) = (self.child.stdout.take(), self.child.stderr.take());
        let ((), stdout, stderr) =
            tokio::try_join!(feed, read_all(stdout, stdout_max), read_end(stderr))?;
        let status = self.child.wait().await.map_err(Broken::Io)?;
        self.group = None;
        Ok((status.success(), stdout, stderr))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            // It may have ended just now.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

fn group_of(child: &Child) -> Option<Pid> {
    Pid::from_raw(i32::try_from(child.id()?).ok()?)
}

async fn read_all(pipe: Option<impl AsyncRead + Unpin>, max: usize) -> Result<Vec<u8>, Broken> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
        pipe.take(limit).read_to_end(&mut bytes).await.map_err(Broken::Io)?;
    }
    if bytes.len() > max { Err(Broken::TooLarge) } else { Ok(bytes) }
}

async fn read_end(pipe: Option<impl AsyncRead + Unpin>) -> Result<Vec<u8>, Broken> {
    let mut bytes = Vec::new();
    let Some(mut pipe) = pipe else { return Ok(bytes) };
    while pipe.read_buf(&mut bytes).await.map_err(Broken::Io)? > 0 {
        if bytes.len() > 2 * STDERR_TAIL_BYTES {
            bytes.drain(..bytes.len() - STDERR_TAIL_BYTES);
        }
    }
    bytes.drain(..bytes.len().saturating_sub(STDERR_TAIL_BYTES));
    Ok(bytes)
}

/// A code host's words end up in logs and pages, so control characters go.
fn printable(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let text = lines.collect::<Vec<_>>().join("; ");
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
