//! The command line, as a client of a Drover server.
//!
//! - [`args`]: every command and flag
//! - [`client`]: the JSON API
//! - [`console`]: results on stdout, progress and errors on stderr
//! - [`spec_file`]: the text of a spec, from a file or from stdin
//! - one module for each command
//! - [`result`]: what came of each repository and each changeset, for people and for programs
//!
//! Steps run on the server, never here. What the server knows, such as which keys a spec may
//! have, the server is asked; only `validate`, `schema` and `completion` work without one.
//!
//! Exit codes: 0 when all went well, or when there was nothing to do; 1 after any error, a wrong
//! usage among them, and when a single repository failed or a changeset needs a person; 2 only
//! from `preview --detailed-exitcode`, when all went well and apply would change something.

mod apply;
pub mod args;
pub mod client;
mod completion;
pub mod console;
mod error;
mod preview;
mod result;
mod schema;
pub mod spec_file;
mod status;
mod validate;
mod wait;

pub use error::CliError;

use args::ClientCommand;
use console::Console;

/// How a command ended, for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// Apply would change something; told apart on request only.
    ChangesPending,
}

impl Outcome {
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::ChangesPending => 2,
        }
    }
}

/// Runs a command of the client. Errors have not been shown yet: [`Console::fail`] does.
pub async fn run(command: &ClientCommand, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    match command {
        ClientCommand::Validate(args) => validate::run(args, console),
        ClientCommand::Preview(args) => preview::run(args, console).await,
        ClientCommand::Apply(args) => apply::run(args, console).await,
        ClientCommand::Status(args) => status::run(args, console).await,
        ClientCommand::Schema => schema::run(console),
        ClientCommand::Completion(args) => completion::run(args, console),
    }
}
