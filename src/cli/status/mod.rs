//! `revoker status`: workers and queues on one screen, without Prometheus and Grafana.
//!
//! Reads only: admin ports and the depths of queues. What is not there is said, and the rest is shown.

pub mod broker;
pub mod screen;
pub(super) mod text;
pub mod verdict;
pub mod worker;

use std::{io::IsTerminal, net::SocketAddr, time::Duration};

use anyhow::anyhow;
use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::time::sleep;

use super::{Failure, http::Server, print};
use crate::{
    config::{StatusArgs, StatusSettings},
    tls,
};
use broker::Broker;
use verdict::Verdict;
use worker::Worker;

/// Seconds between two looks, unless told otherwise.
const WATCH_SECONDS: &str = "2";
/// Clears the screen and goes to its top.
const CLEAR: &str = "\x1b[2J\x1b[H";

/// What to look at, and how often.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub struct Args {
    /// A worker's admin port; repeatable. By default the one of --admin-addr.
    #[arg(long = "worker", value_name = "URL|HOST:PORT", value_parser = server)]
    workers: Vec<Server>,
    /// Look again every so many seconds, until interrupted.
    #[arg(
        long,
        value_name = "SECONDS",
        num_args = 0..=1,
        default_missing_value = WATCH_SECONDS,
        value_parser = clap::value_parser!(u64).range(1..=3600)
    )]
    watch: Option<u64>,
    /// Print JSON, one object a look.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: StatusArgs,
}

const EXIT_CODES: &str = "\
Exit codes: 0 all is well, 1 something is not (a worker is held up, nobody consumes a lane, a queue is
missing, an urgent event is older than 2 minutes), 64 wrong usage or settings, 69 a worker or RabbitMQ does
not answer. Dead letters are told and change no exit code.";

/// What was seen at one time.
#[derive(Debug)]
pub struct Look {
    /// When.
    pub at: Timestamp,
    /// Every worker that was asked.
    pub workers: Vec<Worker>,
    /// The queues.
    pub broker: Broker,
}

/// Shows how it stands.
///
/// # Errors
/// When settings are wrong, and, after all is shown, when it is not well.
pub async fn run(args: Args) -> Result<(), Failure> {
    let settings = args.settings.settings()?;
    let mut servers = args.workers.clone();
    if servers.is_empty() {
        let address = reachable(settings.admin_addr).to_string();
        servers.push(server(&address).map_err(Failure::Usage)?);
    }
    let Some(seconds) = args.watch else {
        let verdict = show(&args, &settings, &servers, "").await?;
        return end(&verdict);
    };
    let clear = std::io::stdout().is_terminal() && !args.json;
    let (before, pause) = (if clear { CLEAR } else { "" }, Duration::from_secs(seconds));
    let watching = async {
        loop {
            show(&args, &settings, &servers, before).await?;
            sleep(pause).await;
        }
    };
    tokio::select! {
        failed = watching => failed,
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

/// Looks, and prints what was seen after `before`.
async fn show(
    args: &Args,
    settings: &StatusSettings,
    servers: &[Server],
    before: &str,
) -> Result<Verdict, Failure> {
    let asked = join_all(servers.iter().map(worker::ask));
    let (workers, broker) = tokio::join!(asked, broker::ask(settings.broker.as_ref()));
    let look = Look {
        at: Timestamp::now(),
        workers,
        broker,
    };
    let verdict = Verdict::of(&look);
    let shown = match args.json {
        true => json(&look, &verdict),
        false => screen::screen(&look, &verdict),
    };
    print(&format!("{before}{shown}"))?;
    Ok(verdict)
}

/// The look and the verdict as one line of JSON.
pub fn json(look: &Look, verdict: &Verdict) -> String {
    let shown = serde_json::json!({
        "at": look.at,
        "well": verdict.is_well(),
        "troubles": verdict.troubles,
        "notes": verdict.notes,
        "workers": look.workers,
        "broker": look.broker,
    });
    format!("{shown}\n")
}

fn end(verdict: &Verdict) -> Result<(), Failure> {
    if verdict.is_well() {
        Ok(())
    } else if verdict.is_only_unreachable() {
        let why = anyhow!("not everything answers: see the lines with ! above");
        Err(Failure::Unavailable(why))
    } else {
        Err(Failure::Failed(anyhow!(
            "not well: see the lines with ! above"
        )))
    }
}

/// Where a worker that listens on every address of this machine can be asked.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

/// A worker's admin port, as a URL or as host and port.
fn server(address: &str) -> Result<Server, String> {
    let url = match address.split_once("://") {
        Some(("http" | "https", _)) => address.to_owned(),
        Some(_) => return Err("give http:// or https://, or host:port".to_owned()),
        None if address.rsplit_once(':').is_some_and(|(_, p)| is_port(p)) => {
            format!("http://{address}")
        }
        None => return Err("give host:port, such as 10.0.0.7:9477, or a URL".to_owned()),
    };
    Server::new(&url, None, &tls::Files::default())
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|port| port > 0)
}
