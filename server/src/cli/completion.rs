//! `drover completion`: a script for the shell.

use super::{
    CliError, Outcome,
    args::{Cli, CompletionArgs},
    console::Console,
};
use clap::CommandFactory;

pub(super) fn run(args: &CompletionArgs, console: &mut Console<'_>) -> Result<Outcome, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "drover", &mut script);
    console.out.write_all(&script)?;
    Ok(Outcome::Done)
}
