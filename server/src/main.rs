//! The program `drover`: a server, and its command line.

use clap::Parser;
use drover_server::{
    cli::{
        self,
        args::{Cli, ClientCommand, Command},
        console::{Colour, Console, Format},
    },
    demo, serve,
};
use std::{
    io::{self, IsTerminal},
    process::ExitCode,
};

/// Any error, a wrong usage among them.
const FAILED: u8 = 1;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(answer) => {
            let is_error = answer.use_stderr();
            // With nowhere to write to there is nobody to tell.
            let _ = answer.print();
            return if is_error { FAILED.into() } else { ExitCode::SUCCESS };
        }
    };
    let colour = match cli.no_color {
        Some(text) if !text.is_empty() => Colour::Off,
        _ if io::stdout().is_terminal() && io::stderr().is_terminal() => Colour::On,
        _ => Colour::Off,
    };
    match cli.command {
        Command::Client(command) => client(&command, colour).await,
        Command::Serve(args) => server(serve::command(&args)).await,
        Command::Demo(args) => server(demo::command(&args)).await,
    }
}

async fn server(run: impl Future<Output = anyhow::Result<()>>) -> ExitCode {
    match run.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            FAILED.into()
        }
    }
}

async fn client(command: &ClientCommand, colour: Colour) -> ExitCode {
    let format = if command.output().json { Format::Json } else { Format::Text };
    let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
    // Not locked: a spec may be read from there as well.
    let mut input = io::BufReader::new(io::stdin());
    let is_watched = io::stdin().is_terminal() && io::stderr().is_terminal();
    let answers = is_watched.then_some(&mut input as &mut dyn io::BufRead);
    let mut console = Console { out: &mut out, err: &mut err, answers, format, colour };
    match cli::run(command, &mut console).await {
        Ok(outcome) => outcome.exit_code().into(),
        Err(error) => {
            // With nowhere to write to there is nobody to tell.
            let _ = console.fail(&error);
            FAILED.into()
        }
    }
}
