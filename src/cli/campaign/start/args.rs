//! The flags of `campaign start`.

use std::path::PathBuf;

use jiff::Timestamp;

use super::super::{actor, campaign_id, why};
use crate::{campaign::Kind, config::StartArgs};

/// What to log out, and how.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// CSV or NDJSON with user or session ids: one column, or a header user_id or session_id; `-` for standard input.
    #[arg(value_name = "FILE|-", required_unless_present = "all_users")]
    pub(super) list: Option<PathBuf>,
    /// Every user of the project, as Stytch lists them; needs the API secret.
    #[arg(long, conflicts_with_all = ["list", "column", "target"])]
    pub(super) all_users: bool,
    /// The campaign's id: letters, digits, dots, dashes and underscores.
    #[arg(long, value_name = "ID", value_parser = campaign_id)]
    pub(super) campaign: String,
    /// Why, in one word for metrics and the audit trail, such as security_incident.
    #[arg(long, value_name = "WORD", value_parser = reason)]
    pub(super) reason: String,
    /// Why, in a sentence for the record.
    #[arg(long, value_name = "TEXT", value_parser = why)]
    pub(super) why: Option<String>,
    /// Who, for the record; by default user@host.
    #[arg(long, value_name = "NAME", value_parser = actor)]
    pub(super) by: Option<String>,
    /// With --all-users: keep the list in this new file. An interrupted start goes on with it, where a list
    /// that is asked for anew may be another.
    #[arg(long, value_name = "FILE", requires = "all_users")]
    pub(super) save: Option<PathBuf>,
    /// What the list holds, where it does not tell.
    #[arg(long, value_name = "user|session", value_parser = kind)]
    pub(super) target: Option<Kind>,
    /// The column with the ids, by its heading.
    #[arg(long, value_name = "NAME")]
    pub(super) column: Option<String>,
    /// Sessions of users that started later stay alive; by default now.
    #[arg(long, value_name = "TIME")]
    pub(super) cutoff: Option<Timestamp>,
    /// When the reason arose, from which exposure is counted; by default now.
    #[arg(long, value_name = "TIME")]
    pub(super) occurred_at: Option<Timestamp>,
    /// Stop unless the list has exactly so many targets.
    #[arg(long, value_name = "N")]
    pub(super) expect: Option<u64>,
    /// A list of targets to leave out, such as your own administrators.
    #[arg(long, value_name = "FILE")]
    pub(super) exclude: Option<PathBuf>,
    /// Leave invalid lines out; without this nothing is sent while there are any.
    #[arg(long)]
    pub(super) skip_invalid: bool,
    /// Add this list to a campaign that exists with another one.
    #[arg(long)]
    pub(super) extend: bool,
    /// Go on although most of the first targets are unknown to Stytch.
    #[arg(long)]
    pub(super) even_if_unknown: bool,
    /// Rehearse it: lanes of its own, a worker in this process, and a pretend API that limits and fails.
    /// Nobody is logged out.
    #[arg(long, conflicts_with_all = ["dry_run", "no_wait", "extend"])]
    pub(super) drill: bool,
    /// Say what would happen, and end.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Do not ask, however long the list is.
    #[arg(long)]
    pub(super) yes: bool,
    /// End when all is published; campaign status shows what becomes of it.
    #[arg(long)]
    pub(super) no_wait: bool,
    /// Who publishes: the routing key of all events.
    #[arg(long, value_name = "NAME", default_value = "campaign", value_parser = crate::cli::publish::publisher)]
    pub(super) publisher: String,
    /// Print the result as JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) settings: StartArgs,
}

const HELP: &str = "\
The first 50 targets go alone; if Stytch knows less than half of them, the rest is not sent (wrong project or
wrong column?). A start that was interrupted is taken up where it was by the same command.
Exit codes: 0 every target is proven, 1 not, or not started, 64 wrong usage or settings, 69 RabbitMQ does not
answer.";

fn kind(word: &str) -> Result<Kind, String> {
    Kind::named(word).ok_or_else(|| "give user or session".to_owned())
}

fn reason(word: &str) -> Result<String, String> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    let starts = word.starts_with(|c: char| c.is_ascii_lowercase());
    match starts && word.len() <= 64 && word.bytes().all(allowed) {
        true => Ok(word.to_owned()),
        false => Err(
            "give lower-case letters, digits and _ (such as security_incident), at most 64"
                .to_owned(),
        ),
    }
}
