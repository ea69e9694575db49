//! `revoker check`: is all there that the worker needs, before it is started or while it runs?
//!
//! Safe beside live workers: see `broker::visit` for how nothing is changed, taken or left behind.

pub mod broker;
pub mod judge;
mod management;
pub mod production;
pub mod report;
pub mod stytch;
pub mod topology;

use super::{Failure, print};
use crate::{
    broker::{Login, visit::Visit},
    config::{RunArgs, Settings},
};
use report::{Check, Line, Report};

/// The settings of the worker, and how to print.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Fail, too, at what works and is not for production.
    #[arg(long)]
    production: bool,
    #[command(flatten)]
    settings: RunArgs,
}

const HELP: &str = "\
Safe on a broker in production: nothing is declared that is not there, no message is taken out of a queue,
and the one that is published, into an empty dead-letter queue that nobody consumes, expires at once.
Exit codes: 0 nothing failed, 1 something did, 64 wrong usage or settings, 69 all that failed is a service
that does not answer.";

/// Checks everything, and prints what came of it.
///
/// # Errors
/// When something failed; it is printed before.
pub async fn run(args: Args) -> Result<(), Failure> {
    let report = match args.settings.settings() {
        Ok(settings) => check(settings, args.production).await,
        Err(problems) => Report(problems.0.iter().map(wrong_setting).collect()),
    };
    print(&match args.json {
        true => report.json(),
        false => report.text(),
    })?;
    report.end()
}

fn wrong_setting(problem: &crate::config::Problem) -> Line {
    let text = problem.to_string();
    let (said, todo) = text.split_once("; ").unwrap_or((&text, "mend it"));
    Line::failed(Check::Settings, said, todo)
}

async fn check(settings: Settings, in_production: bool) -> Report {
    let mut lines = vec![Line::ok(Check::Settings, "all can be used")];
    let warnings = settings.warnings.iter();
    lines.extend(warnings.map(|warning| Line::ok(Check::Settings, format!("note: {warning}"))));
    if in_production {
        lines.extend(production::lines(&settings.hardening));
    }
    lines.extend(rabbitmq(&settings).await);
    let environment = settings.expectations.environment;
    lines.push(stytch::credentials(settings.revoke, environment).await);
    Report::of(lines)
}

async fn rabbitmq(settings: &Settings) -> Vec<Line> {
    let visit = match Visit::begin(&settings.broker).await {
        Ok(visit) => visit,
        Err(error) => {
            let mut lines = vec![Line::broker(Check::Broker, &error)];
            lines.extend(broker::unasked());
            return lines;
        }
    };
    let (user, vhost) = (visit.user(), visit.vhost());
    let connected = match settings.broker.login {
        Login::Password => format!("connected to the vhost '{vhost}' as the user '{user}'"),
        Login::Certificate => format!("connected to the vhost '{vhost}' by our certificate"),
    };
    let mut lines = vec![Line::ok(Check::Broker, connected)];
    let management = settings.management.as_ref();
    let (asked, listing) = management::list(management, &settings.broker, &vhost).await;
    lines.push(asked);
    let (listing, outcomes) = (listing.as_ref(), settings.settle.outcomes);
    lines.extend(broker::lines(&visit, &settings.broker, outcomes, listing).await);
    match listing {
        Some(listing) => {
            lines.extend(listing.bindings(visit.topology()).await);
            lines.extend(listing.policies(visit.topology()));
        }
        None => {
            for check in [Check::Bindings, Check::Policies] {
                lines.push(Line::not_checked(check, "only the management API knows"));
            }
        }
    }
    visit.end().await;
    lines
}
