//! `revoker campaign`: a list that must all be logged out, and the proof of it.
//!
//! Not here: what records and outcomes mean; that is `campaign`, which is pure.

mod read;
pub mod report;
mod signature;
pub mod verify;

use super::Failure;

/// What to do about campaigns.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Write the proof of a campaign: evidence, digest and a summary for people.
    Report(Box<report::Args>),
    /// Check a report: that it is whole, right in itself, and the one that was written.
    VerifyReport(Box<verify::Args>),
}

/// Does what was asked.
///
/// # Errors
/// As the subcommand.
pub async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Report(args) => report::run(*args).await,
        Command::VerifyReport(args) => verify::run(*args).await,
    }
}

/// A campaign's id on the command line.
fn campaign_id(text: &str) -> Result<String, String> {
    match crate::campaign::is_id(text) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "give 1 to {} letters, digits, dots, dashes and underscores",
            crate::campaign::ID_LEN_MAX
        )),
    }
}

/// Who does something, on the command line: short enough for a record of the operator's stream.
fn by(text: &str) -> Result<String, String> {
    const CHARS_MAX: usize = 128;
    let is_short = (1..=CHARS_MAX).contains(&text.chars().count());
    match is_short && !text.chars().any(char::is_control) {
        true => Ok(text.to_owned()),
        false => Err(format!("give 1 to {CHARS_MAX} characters on one line")),
    }
}
