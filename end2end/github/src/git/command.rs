use std::{ffi::OsStr, io, path::PathBuf, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
    sync::Semaphore,
};

const TIMEOUT: Duration = Duration::from_secs(60);
const OUTPUT_BYTES_MAX: u64 = 64 << 20;
/// More at once would only make each of them slower.
const PROCESSES_MAX: usize = 16;

static PROCESSES: Semaphore = Semaphore::const_new(PROCESSES_MAX);

#[derive(Debug, thiserror::Error)]
pub(crate) enum GitError {
    #[error("could not run `git {command}`")]
    Start { command: String, source: io::Error },
    #[error("`git {command}` exited with {code}: {stderr}")]
    Failed { command: String, code: i32, stderr: String },
    #[error("`git {command}` took longer than {} s", TIMEOUT.as_secs())]
    TooSlow { command: String },
    #[error("`git {command}` wrote more than {OUTPUT_BYTES_MAX} bytes")]
    TooMuch { command: String },
    #[error("`git {command}` answered what is not understood: {answer}")]
    Odd { command: String, answer: String },
}

/// One bare repository.
#[derive(Clone, Debug)]
pub(crate) struct Git {
    dir: PathBuf,
}

/// How a command ended that may rightly end in several ways.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Git {
    pub(crate) fn at(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// Makes the bare repository that the others read.
    pub(crate) async fn init(&self, default_branch: &str) -> Result<(), GitError> {
        let head = format!("--initial-branch={default_branch}");
        let args = ["init", "--quiet", "--bare", "--template=", &head, "--", "."];
        std::fs::create_dir_all(&self.dir)
            .map_err(|source| GitError::Start { command: "init".to_owned(), source })?;
        self.run(&args).await?;
        let config = self.dir.join("config");
        std::fs::write(&config, CONFIG)
            .map_err(|source| GitError::Start { command: "init".to_owned(), source })
    }

    /// Runs a command that is expected to succeed, and returns what it wrote.
    pub(crate) async fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Result<Vec<u8>, GitError> {
        self.run_with(args, &[], &[]).await
    }

    pub(crate) async fn run_with<S: AsRef<OsStr>>(
        &self,
        args: &[S],
        input: &[u8],
        environment: &[(&str, &str)],
    ) -> Result<Vec<u8>, GitError> {
        let ended = self.try_run(args, input, environment).await?;
        if ended.code == 0 {
            return Ok(ended.stdout);
        }
        Err(GitError::Failed { command: name(args), code: ended.code, stderr: ended.stderr })
    }

    pub(crate) async fn try_run<S: AsRef<OsStr>>(
        &self,
        args: &[S],
        input: &[u8],
        environment: &[(&str, &str)],
    ) -> Result<Ended, GitError> {
        // The semaphore is never closed, so a permit always comes.
        let _permit = PROCESSES.acquire().await;
        let start = |source| GitError::Start { command: name(args), source };
        let mut command = Command::new("git");
        clean_environment(&mut command);
        command.envs(environment.iter().copied());
        command.arg("--git-dir").arg(&self.dir).args(args).current_dir(&self.dir);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.kill_on_drop(true).spawn().map_err(start)?;
        match tokio::time::timeout(TIMEOUT, converse(child, input)).await {
            Ok(Ok(ended)) if ended.stdout.len() as u64 > OUTPUT_BYTES_MAX => {
                Err(GitError::TooMuch { command: name(args) })
            }
            Ok(ended) => ended.map_err(start),
            Err(_) => Err(GitError::TooSlow { command: name(args) }),
        }
    }

    /// Runs a command whose answer is one line of text.
    pub(crate) async fn line<S: AsRef<OsStr>>(&self, args: &[S]) -> Result<String, GitError> {
        let answer = self.run(args).await?;
        Ok(String::from_utf8_lossy(&answer).trim_end().to_owned())
    }
}

/// What every bare repository is told; partial clones and large pushes must work.
const CONFIG: &str = "[core]
\trepositoryFormatVersion = 0
\tbare = true
\tfsync = none
[http]
\treceivepack = true
[uploadpack]
\tallowFilter = true
\tallowAnySHA1InWant = true
[receive]
\tadvertisePushOptions = true
\thideRefs = refs/pull
[gc]
\tauto = 0
";

/// Takes away everything that the machine's or the user's git configuration could change.
pub(crate) fn clean_environment(command: &mut Command) {
    command.env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command.envs([
        ("LC_ALL", "C.UTF-8"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_NO_LAZY_FETCH", "1"),
    ]);
}

/// Feeds the input and reads both outputs at once; one after the other could block for ever.
async fn converse(mut child: Child, input: &[u8]) -> io::Result<Ended> {
    let (Some(mut stdin), Some(stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(io::Error::other("a pipe is missing"));
    };
    let mut out = Vec::new();
    let mut err = Vec::new();
    let feed = async move {
        // A command that ends before it has read everything is judged by its exit code.
        match stdin.write_all(input).await {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    };
    let mut stdout = stdout.take(OUTPUT_BYTES_MAX + 1);
    let mut stderr = stderr.take(OUTPUT_BYTES_MAX);
    tokio::try_join!(feed, stdout.read_to_end(&mut out), stderr.read_to_end(&mut err))?;
    drop((stdout, stderr));
    let status = child.wait().await?;
    let stderr = String::from_utf8_lossy(&err).trim_end().to_owned();
    Ok(Ended { code: status.code().unwrap_or(-1), stdout: out, stderr })
}

fn name<S: AsRef<OsStr>>(args: &[S]) -> String {
    let words: Vec<_> = args.iter().map(|arg| arg.as_ref().to_string_lossy()).collect();
    words.join(" ")
}
