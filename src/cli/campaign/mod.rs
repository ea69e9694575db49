//! `revoker campaign`: a list that must be logged out as a whole, watched to its end, and proven.
//!
//! Everything that is known stands in two streams of the broker, the operator's records and the
//! outcomes, so any machine can take over at any time; no file here holds state.

pub mod beginning;
pub mod change;
pub mod drill;
pub mod first;
pub mod follow;
pub mod input;
pub mod list;
pub mod picture;
pub mod plan;
pub mod publishing;
mod read;
pub mod records;
pub mod report;
pub mod scan;
pub mod screen;
pub mod shape;
mod signature;
pub mod start;
pub mod status;
pub mod verify;

use super::Failure;

/// What to do with campaigns.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Log out everybody on a list: check it, publish it, and wait until all is proven.
    Start(Box<start::Args>),
    /// Show how far a campaign is, or wait for its end.
    Status(status::Args),
    /// Show all campaigns.
    List(list::Args),
    /// Let a campaign's events wait, or all of the bulk lane.
    Pause(change::PauseArgs),
    /// Let a campaign's events go on, or all of the bulk lane.
    Resume(change::PauseArgs),
    /// End a campaign for ever: its events that are left end without a call.
    Cancel(change::CancelArgs),
    /// Write the proof of a campaign: evidence, digest and a summary for people.
    Report(Box<report::Args>),
    /// Check a report: that it is whole, right in itself, and the one that was written.
    VerifyReport(Box<verify::Args>),
}

/// Does what was asked.
///
/// # Errors
/// See each.
pub async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Start(args) => start::run(*args).await,
        Command::Status(args) => status::run(args).await,
        Command::List(args) => list::run(args).await,
        Command::Pause(args) => change::pause(args).await,
        Command::Resume(args) => change::resume(args).await,
        Command::Cancel(args) => change::cancel(args).await,
        Command::Report(args) => report::run(*args).await,
        Command::VerifyReport(args) => verify::run(*args).await,
    }
}

/// A campaign's id, as clap reads it.
fn campaign_id(text: &str) -> Result<String, String> {
    match crate::campaign::is_id(text) {
        true => Ok(text.to_owned()),
        false => Err("give 1 to 64 letters, digits, dots, dashes and underscores".to_owned()),
    }
}

/// Who gives an order: `--by`, or whoever runs this.
pub(super) fn by(given: Option<&str>) -> String {
    given.map_or_else(crate::config::operator, str::to_owned)
}

/// A name for the record, as the event's `actor`.
pub(super) fn actor(text: &str) -> Result<String, String> {
    const ACTOR_LEN_MAX: usize = 128;
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    match visible && (1..=ACTOR_LEN_MAX).contains(&text.len()) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "give 1 to {ACTOR_LEN_MAX} visible ASCII characters without a space"
        )),
    }
}

/// Text for people, as the event's `note`.
pub(super) fn why(text: &str) -> Result<String, String> {
    const WHY_CHARS_MAX: usize = 256;
    match text.chars().count() <= WHY_CHARS_MAX && !text.chars().any(char::is_control) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "give at most {WHY_CHARS_MAX} characters on one line"
        )),
    }
}

/// Tells a person what goes on, beside a result that a program may read.
pub(super) fn tell(text: &str) {
    use std::io::Write;
    // Nobody may listen.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
