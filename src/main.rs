//! Entry point: parse, dispatch, exit code.

use std::{io::Write, process::ExitCode};

use clap::Parser;
use revoker::cli::{Cli, Failure};

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => execute(cli),
        Err(error) => {
            // Help and version come this way too, and go to standard output. A closed one is no news.
            let _ = error.print();
            match error.use_stderr() {
                true => ExitCode::from(Failure::EXIT_USAGE),
                false => ExitCode::SUCCESS,
            }
        }
    }
}

fn execute(cli: Cli) -> ExitCode {
    let ended = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::Failed(error.into()))
        .and_then(|runtime| runtime.block_on(cli.command.execute()));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // With standard error closed, the exit code still tells.
            let _ = writeln!(std::io::stderr().lock(), "error: {failure}");
            failure.exit_code()
        }
    }
}
