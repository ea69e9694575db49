//! `revoker revoke`: break-glass. Straight to Stytch, without RabbitMQ, for whoever must end sessions now.
//!
//! Not a second worker: no queue, no audit stream, no metrics. Nothing is remembered, so that running it again
//! is always right: it ends what is left.

mod line;
mod report;
mod targets;
mod work;

use std::time::Duration;

use jiff::Timestamp;

use super::{Failure, patience::Patience, print};
use crate::{config::RevokeArgs, revoke::client::Client};
use report::Report;
use targets::Targets;

/// Revoke sessions at once, straight at Stytch's API: for an incident in which RabbitMQ or the worker is down.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    #[command(flatten)]
    targets: Targets,
    /// With --user: sessions started later stay alive; by default now.
    #[arg(long, value_name = "TIME", requires = "users")]
    cutoff: Option<String>,
    /// With --user: this session stays alive.
    #[arg(long, value_name = "ID", requires = "users")]
    keep_session_id: Option<String>,
    /// How long failing calls, and the waits before they are tried again, may last in all: 0s to 1h.
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = timeout)]
    timeout: Duration,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: RevokeArgs,
}

const HELP: &str = "\
Sessions go first, then the token's, then users, each in the order given. Each wait before another
try is told. A session or user that Stytch does not know is told as such: that does not mean that
anybody was logged out. JWTs that were issued before can validate locally for five minutes more.
Exit codes: 0 nothing that was asked for is left, 1 something is, or may be, 64 wrong usage or
settings (no call was made), 69 Stytch cannot be reached (no call was answered well).
Running it again does what is left.";

/// Revokes, and prints what came of it.
///
/// # Errors
/// When something is wrong with what is asked for, or something is left; what was done is printed before.
pub async fn run(args: Args) -> Result<(), Failure> {
    let settings = args.settings.settings()?;
    let now = Timestamp::now();
    let rules = targets::Rules {
        project_id: &settings.revoke.project_id,
        environment: settings.environment,
        cutoff: args.cutoff.as_deref(),
        keep_session_id: args.keep_session_id.as_deref(),
    };
    let targets = args.targets.read(&rules, now)?;
    let client = Client::new(settings.revoke).map_err(|error| Failure::Failed(error.into()))?;
    let mut report = Report::new(targets);
    let mut patience = Patience::new(args.timeout);
    tokio::select! {
        () = work::all(&client, &mut patience, &mut report.lines) => {}
        _ = tokio::signal::ctrl_c() => report.interrupted = true,
    }
    print(&match args.json {
        true => report.json(),
        false => report.text(),
    })?;
    report.end()
}

fn timeout(text: &str) -> Result<Duration, String> {
    const TIMEOUT_MAX: Duration = Duration::from_secs(3600);
    let timeout = humantime::parse_duration(text).ok();
    let fits = timeout.filter(|timeout| *timeout <= TIMEOUT_MAX);
    fits.ok_or_else(|| "give a duration from 0s to 1h, such as 30s or 2m".to_owned())
}
