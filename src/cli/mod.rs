//! The command tree: one subcommand a file, and the exit codes they share.
//!
//! Not here: what a subcommand does. Each file has its `Args` and a `run`.

pub mod all_users;
pub mod campaign;
pub mod check;
pub mod completions;
pub mod dashboards;
pub mod dead_letters;
pub mod definitions;
pub mod explain;
mod http;
pub mod keygen;
pub mod lint;
mod memory;
pub mod patience;
pub mod policy;
pub mod publish;
pub mod revoke;
pub mod run;
pub mod sandbox;
pub mod status;

use std::{io::Write, process::ExitCode, sync::LazyLock};

use anyhow::Context;

use crate::{broker, config::Problems, telemetry::labels::REVISION};

/// Makes sure that a session which must die, dies: consumes revoke events from RabbitMQ and calls Stytch.
#[derive(Debug, clap::Parser)]
#[command(name = "revoker", version = version(), max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed, 64 wrong usage or settings, 69 a service is unavailable.
Settings are flags or REVOKER_* variables; a flag wins. An empty variable counts as not set.";

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Run the worker until it is told to stop.
    Run(run::Args),
    /// Check that all is there that the worker needs, without changing anything.
    Check(Box<check::Args>),
    /// Show how it stands: workers, states, queues, on one screen.
    Status(Box<status::Args>),
    /// Publish one event, checked as the worker will check it, and wait until RabbitMQ has it.
    Publish(Box<publish::Args>),
    /// Say whether the worker would take an event, and why not, without a worker.
    Lint(lint::Args),
    /// Log out everybody on a list, watch it to its end, and prove it.
    #[command(subcommand)]
    Campaign(campaign::Command),
    /// See what could not be done, and why; do it again, or give it up.
    #[command(subcommand)]
    DeadLetters(dead_letters::Command),
    /// Revoke sessions at once, straight at Stytch, when RabbitMQ or the worker is down.
    Revoke(Box<revoke::Args>),
    /// Say what a dead-letter code, an error type of Stytch's, an HTTP status or a state means.
    Explain(explain::Args),
    /// Show what the worker does with each of Stytch's answers.
    Policy(policy::Args),
    /// Run a pretend Stytch API, to try things out.
    Sandbox(sandbox::Args),
    /// Write a key for the key ring that seals stored credentials.
    Keygen(keygen::Args),
    /// Print exchanges, queues, users and rights, to be imported into RabbitMQ.
    Definitions(definitions::Args),
    /// Write the dashboards, to be imported into Grafana.
    Dashboards(dashboards::Args),
    /// Print the completions of a shell.
    Completions(completions::Args),
}

impl Command {
    /// Does what was asked.
    ///
    /// # Errors
    /// [`Failure`], to be shown; its exit code is the program's.
    pub async fn execute(self) -> Result<(), Failure> {
        memory::keep_in();
        match self {
            Self::Run(args) => run::run(args).await?,
            Self::Check(args) => check::run(*args).await?,
            Self::Status(args) => status::run(*args).await?,
            Self::Publish(args) => publish::run(*args).await?,
            Self::Lint(args) => lint::run(&args)?,
            Self::Campaign(command) => campaign::run(command).await?,
            Self::DeadLetters(command) => dead_letters::run(command).await?,
            Self::Revoke(args) => revoke::run(*args).await?,
            Self::Explain(args) => explain::run(&args)?,
            Self::Policy(args) => policy::run(&args)?,
            Self::Sandbox(args) => sandbox::run(args).await?,
            Self::Keygen(args) => keygen::run(&args)?,
            Self::Definitions(args) => definitions::run(&args)?,
            Self::Dashboards(args) => dashboards::run(&args)?,
            Self::Completions(args) => completions::run(&args)?,
        }
        Ok(())
    }
}

/// How a subcommand fails.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line or its input is wrong.
    #[error("{0}")]
    Usage(String),
    /// Settings are wrong.
    #[error(transparent)]
    Settings(#[from] Problems),
    /// A service that is needed is not there; trying again later may help.
    #[error("{0:#}")]
    Unavailable(anyhow::Error),
    /// A file cannot be opened.
    #[error("{0:#}")]
    NoInput(anyhow::Error),
    /// A file cannot be read.
    #[error("{0:#}")]
    Unreadable(anyhow::Error),
    /// Anything else.
    #[error("{0:#}")]
    Failed(#[from] anyhow::Error),
}

impl Failure {
    /// `EX_USAGE` of sysexits(3): trying again without a change is pointless.
    pub const EXIT_USAGE: u8 = 64;
    /// `EX_UNAVAILABLE` of sysexits(3).
    pub const EXIT_UNAVAILABLE: u8 = 69;
    /// `EX_NOINPUT` of sysexits(3), where 1 says something of what was read.
    pub const EXIT_NO_INPUT: u8 = 66;
    /// `EX_IOERR` of sysexits(3), likewise.
    pub const EXIT_UNREADABLE: u8 = 74;

    /// The program's exit code.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Usage(_) | Self::Settings(_) => Self::EXIT_USAGE,
            Self::Unavailable(_) => Self::EXIT_UNAVAILABLE,
            Self::NoInput(_) => Self::EXIT_NO_INPUT,
            Self::Unreadable(_) => Self::EXIT_UNREADABLE,
            Self::Failed(_) => 1,
        })
    }
}

impl From<broker::Error> for Failure {
    fn from(error: broker::Error) -> Self {
        match error {
            _ if error.is_a_setting() => Self::Usage(error.to_string()),
            broker::Error::Unreachable(_)
            | broker::Error::TimedOut(_)
            | broker::Error::InUse(_) => Self::Unavailable(error.into()),
            _ => Self::Failed(error.into()),
        }
    }
}

/// The version, and the commit that it was built from.
fn version() -> &'static str {
    static VERSION: LazyLock<String> =
        LazyLock::new(|| format!("{} ({REVISION})", env!("CARGO_PKG_VERSION")));
    &VERSION
}

/// Writes a result to standard output.
fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .context("cannot write to standard output")
}
