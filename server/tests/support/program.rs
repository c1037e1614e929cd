//! The real program `drover serve`, which a test may kill.

use super::app::World;
use std::process::Stdio;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, ChildStdout, Command},
};

/// Where the program says that it is.
const SAYS: &str = "Drover is at ";

pub(crate) struct Program {
    child: Child,
    pub(crate) url: String,
    /// Held open, so that the program can go on writing.
    _stdout: BufReader<ChildStdout>,
}

/// A program that has ended by itself.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) error: String,
}

impl Program {
    /// Starts a server for a world and waits until it says where it is.
    pub(crate) async fn start(world: &World) -> Self {
        Self::start_with(&world.command_line()[1..], Stdio::inherit()).await
    }

    /// Starts a server by its command line; its log goes to `log`.
    pub(crate) async fn start_with(line: &[String], log: Stdio) -> Self {
        let mut child = command(line).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        loop {
            said.clear();
            assert_ne!(stdout.read_line(&mut said).await.unwrap(), 0, "it ended: see its log");
            if let Some(url) = said.trim().strip_prefix(SAYS) {
                return Self { url: url.to_owned(), child, _stdout: stdout };
            }
        }
    }

    /// As `kill -9` does it.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// Runs the program to its end.
pub(crate) async fn run(line: &[String]) -> Ended {
    let mut child = command(line).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut error = String::new();
    child.stderr.take().unwrap().read_to_string(&mut error).await.unwrap();
    Ended { code: child.wait().await.unwrap().code(), error }
}

fn command(line: &[String]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_drover"));
    command.args(line).kill_on_drop(true);
    command
}

/// Sends a signal to a process, as a person does it.
pub(crate) async fn signal(pid: u32, name: &str) {
    let pid = pid.to_string();
    let sent = Command::new("kill").args(["-s", name, "--", &pid]).status().await.unwrap();
    assert!(sent.success(), "{name} to {pid}");
}
