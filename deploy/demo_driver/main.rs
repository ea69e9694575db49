//! What `deploy/demo` runs: the sandbox and the worker as processes, a load of events, and the count
//! of what became of each.
//!
//! Not a tool for operators, and not part of the worker: it is an example of the package, so that the
//! demo needs nothing but what the worker needs. It believes neither the worker's log nor its
//! metrics: what was revoked is asked of the sandbox, what was dead-lettered of the queue.

mod broker;
mod ledger;
mod load;
mod processes;
mod progress;
mod sandbox;
mod single;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context;
use clap::{Parser, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};

/// Exit code after SIGINT or SIGTERM, as a shell reports it for the former.
const INTERRUPTED: u8 = 130;
/// The project the demo pretends to be.
const PROJECT_ID: &str = "project-test-00000000-0000-4000-8000-000000000000";
/// Its secret: of the sandbox only, it opens nothing.
const SECRET: &str = "secret-test-of-the-demo";

/// Drives the demo; started by `deploy/demo`.
#[derive(Debug, Parser)]
struct Arguments {
    /// The broker. From the environment, since others can read a command line.
    #[arg(long, env = "DEMO_AMQP_URL", hide_env_values = true)]
    amqp_url: String,
    /// The worker's binary, which holds the sandbox, too.
    #[arg(long, default_value = "revoker")]
    revoker: PathBuf,
    /// An existing folder for logs and pid files.
    #[arg(long)]
    folder: PathBuf,
    /// The names of all queues and exchanges start with this.
    #[arg(long)]
    prefix: String,
    /// How many events to publish.
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    events: u32,
    /// Leave the sandbox and the worker running.
    #[arg(long)]
    keep: bool,
    /// Instead of the demo: one event whose session answers this for ever.
    #[arg(long = "try", value_name = "STATUS")]
    single: Option<Answer>,
    /// What the worker does in an outage, with --try.
    #[arg(long, default_value = "hold", requires = "single")]
    outage: Outage,
    /// Instead of the demo: delete the queues and exchanges of an earlier one.
    #[arg(long)]
    delete: bool,
}

/// What a session can be made to answer for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Answer {
    /// Internal server error.
    #[value(name = "500")]
    ServerError,
    /// Too many requests.
    #[value(name = "429")]
    TooManyRequests,
}

impl Answer {
    const fn as_str(self) -> &'static str {
        match self {
            Self::ServerError => "500",
            Self::TooManyRequests => "429",
        }
    }
}

/// `REVOKER_OUTAGE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Outage {
    /// A fault that is not the message's own costs it nothing.
    Hold,
    /// Every failure is an attempt.
    DeadLetter,
}

impl Outage {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::DeadLetter => "dead-letter",
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut processes = processes::Processes::new(&arguments);
    let result = tokio::select! {
        result = run(&arguments, &mut processes) => result,
        () = stopped_by_signal() => {
            processes.stop().await;
            return ExitCode::from(INTERRUPTED);
        }
    };
    if !(arguments.keep && result.is_ok()) {
        processes.stop().await;
    }
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            processes.show_logs();
            ExitCode::FAILURE
        }
        Err(error) => {
            progress::say(&format!("demo: {error:#}"));
            processes.show_logs();
            ExitCode::FAILURE
        }
    }
}

/// True if everything ended as it should.
async fn run(arguments: &Arguments, processes: &mut processes::Processes) -> anyhow::Result<bool> {
    let broker = broker::Broker::connect(&arguments.amqp_url, &arguments.prefix)
        .await
        .context("the broker cannot be used")?;
    if arguments.delete {
        broker.delete_all().await?;
        return Ok(true);
    }
    match arguments.single {
        Some(answer) => single::run(answer, arguments.outage, &broker, processes).await,
        None => demo(arguments, &broker, processes).await,
    }
}

/// The demo itself.
async fn demo(
    arguments: &Arguments,
    broker: &broker::Broker,
    processes: &mut processes::Processes,
) -> anyhow::Result<bool> {
    let sandbox = processes.start_sandbox().await?;
    let load = load::Load::new(arguments.events, &sandbox).await?;
    let admin = processes
        .start_worker(&sandbox.url, &[("REVOKER_RETRY_DELAYS", "2s,4s")])
        .await?;
    progress::say(&format!(
        "sandbox {}, worker {admin}, queues {}.*",
        sandbox.url, arguments.prefix
    ));
    let letters = broker.watch_dead_letters().await?;
    let began = std::time::Instant::now();
    let bar = progress::Progress::new(load.events.len() as u64);
    broker.publish(&load.events).await?;
    let mut ledger = ledger::Ledger::wait(&load, &sandbox, &letters, &bar).await?;
    let seconds = began.elapsed();
    bar.finish();
    broker.wait_until_empty(Duration::from_secs(20)).await?;
    if !arguments.keep {
        // Its exit gives back whatever it still holds, so that nothing hides from the count.
        processes.stop_worker().await;
        ledger.still_queued = broker.still_queued().await?;
        ledger.count(&load, &sandbox, &letters).await?;
    }
    letters.give_back().await?;
    ledger.print(&sandbox.stats().await?, seconds)?;
    if arguments.keep {
        processes.print_kept(&sandbox.url, &admin);
    }
    ledger.print_result(seconds)?;
    Ok(ledger.is_right())
}

async fn stopped_by_signal() {
    let streams = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    );
    let (Ok(mut interrupt), Ok(mut terminate)) = streams else {
        // Without handlers the signals end the process by themselves.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
