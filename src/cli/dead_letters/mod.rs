//! `revoker dead-letters`: what could not be done, for whoever is on call.
//!
//! Looking loses nothing, see `broker::browse`. What is replayed or given up stands in the operator's
//! records, with who did it and why.

pub mod filter;
pub mod group;
pub mod list;
pub mod purge;
pub mod ramp;
pub mod record;
pub mod replay;
pub mod scan;
pub mod sending;
pub mod show;

use anyhow::anyhow;

use super::{Failure, campaign};
use crate::broker;

/// What to do with dead letters.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Show why they are dead, how many of each, and what to do.
    List(list::Args),
    /// Show all that is known of an event.
    Show(show::Args),
    /// Send them back to their lanes, a few first, then more.
    Replay(replay::Args),
    /// Give them up: delete them for ever.
    Purge(purge::Args),
}

/// Who does it, why, and whether it is really done.
#[derive(Debug, clap::Args)]
pub struct DeedArgs {
    /// Do it; without this, only say what would be done.
    #[arg(long, requires = "why")]
    pub yes: bool,
    /// Why, for the record.
    #[arg(long, value_name = "TEXT", value_parser = campaign::why)]
    pub why: Option<String>,
    /// Who, for the record; by default user@host.
    #[arg(long, value_name = "NAME", value_parser = campaign::actor)]
    pub by: Option<String>,
    /// At most so many, the oldest first.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Does what was asked.
///
/// # Errors
/// See each.
pub async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::List(args) => list::run(args).await,
        Command::Show(args) => show::run(args).await,
        Command::Replay(args) => replay::run(args).await,
        Command::Purge(args) => purge::run(args).await,
    }
}

/// The broker's error, with what to do where that is known.
fn failure(error: broker::Error) -> Failure {
    match error {
        broker::Error::InUse(_) => Failure::Unavailable(anyhow!(
            "the dead letters are in use: another revoker dead-letters looks at them; try again when it has ended"
        )),
        error => campaign::records::failure(error),
    }
}
