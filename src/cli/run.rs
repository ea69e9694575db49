//! `revoker run`: the worker, until it is told to stop.

use super::Failure;
use crate::config::RunArgs;

/// The worker's settings.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: RunArgs,
}

/// Checks the settings.
///
/// # Errors
/// When settings are wrong.
pub async fn run(args: Args) -> Result<(), Failure> {
    args.settings.settings()?;
    Ok(())
}
