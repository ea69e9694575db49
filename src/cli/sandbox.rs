//! `revoker sandbox`: the pretend API on a port of this machine.

/// None yet.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Does nothing yet.
///
/// # Errors
/// None.
pub async fn run(_args: Args) -> anyhow::Result<()> {
    Ok(())
}
