//! `revoker completions`: a shell's completions, from the same definition as `--help`.

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, print};

/// Which shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: revoker completions bash > /etc/bash_completion.d/revoker")]
pub struct Args {
    /// The shell to complete for.
    shell: Shell,
}

/// Prints the completions.
///
/// # Errors
/// When standard output is closed.
pub fn run(args: &Args) -> anyhow::Result<()> {
    // clap_complete panics when it cannot write, so it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "revoker", &mut script);
    print(&String::from_utf8_lossy(&script))
}
