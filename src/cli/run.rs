//! `revoker run`: the worker.

use std::sync::Arc;

use anyhow::Context as _;
use jiff::Timestamp;

use super::{Failure, memory};
use crate::{
    broker::{self, Broker, Fact, topology::Names},
    config::{RunArgs, Settings},
    gate::{Gate, flights::Flights},
    revoke::client::Client,
    settle::perform::Audit,
    shutdown,
    telemetry::{self, Admin, Metrics, StateBoard, labels},
    worker::{self, Backlog, End, Heard, Obeyed, Solitude, Teller, Worker},
};

/// `revoker run`'s flags: every setting of the worker.
pub type Args = RunArgs;

/// Runs the worker until it is told to stop.
///
/// # Errors
/// Exit code 64 for wrong settings, all of them at once, and for queues that cannot be ours; 1 when
/// the drain did not end in time.
pub async fn run(args: Args) -> Result<(), Failure> {
    let settings = args.settings()?;
    let metrics = Arc::new(Metrics::new());
    telemetry::logs::init(&settings.telemetry, Arc::clone(&metrics))
        .context("logging cannot be started")?;
    log_panics();
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    if !memory::stays_in() {
        tracing::warn!("core dumps cannot be turned off; one would hold credentials");
    }
    let board = Arc::new(StateBoard::new(Arc::clone(&metrics), Timestamp::now()));
    let admin = Admin::start(
        settings.telemetry.admin_addr,
        Arc::clone(&metrics),
        Arc::clone(&board),
    )
    .with_context(|| {
        format!(
            "the admin port {} cannot be opened",
            settings.telemetry.admin_addr
        )
    })?;
    let teller = Teller::start();
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        revision = labels::REVISION,
        worker = teller.worker(),
        project = %settings.expectations.project_id,
        api = %settings.revoke.base_url,
        prefix = %settings.broker.prefix,
        admin.addr = %admin.addr(),
        "revoker starts"
    );
    let shutdown = shutdown::on_signal().context("signals cannot be listened to")?;
    let drain_timeout = settings.drain_timeout;
    let (worker, broker) = assemble(settings, metrics, board, teller)?;
    match worker.serve(broker, shutdown, drain_timeout).await {
        Ok(End::Drained) => {
            tracing::info!("revoker ends: everything in hand was settled or given back");
            Ok(())
        }
        Ok(End::DeadlinePassed(left)) => {
            tracing::warn!(
                left,
                next = "they come again",
                "revoker ends: the drain timeout passed"
            );
            Err(Failure::Failed(anyhow::anyhow!(
                "{left} messages were still in hand when the drain timeout passed; they come again"
            )))
        }
        Err(error) => {
            tracing::error!("{error}");
            Err(error.into())
        }
    }
}

/// A worker of these settings, and its broker.
pub(super) fn assemble(
    settings: Settings,
    metrics: Arc<Metrics>,
    board: Arc<StateBoard>,
    teller: Teller,
) -> Result<(Arc<Worker<Client>>, Broker), Failure> {
    let backlog = Arc::new(Backlog::default());
    let gate = Gate::new(&settings.gate, Timestamp::now);
    let watch: broker::Watch = {
        let seen = (metrics.clone(), board.clone(), backlog.clone());
        let gate = gate.clone();
        Arc::new(move |fact| match fact {
            Fact::Consumers(consumers) => gate.heard_consumers(consumers),
            fact => worker::watch(&seen.0, &seen.1, &seen.2, fact, Timestamp::now()),
        })
    };
    let names = Names::new(&settings.broker.prefix);
    let broker = Broker::new(settings.broker, watch);
    let worker = Worker {
        api: Client::new(settings.revoke).context("the Stytch client cannot be made")?,
        gate,
        settings: settings.settle,
        expectations: settings.expectations,
        ring: settings.key_ring,
        names,
        audit: Audit::default(),
        metrics,
        board,
        flights: Flights::default(),
        backlog,
        heard: Heard::default(),
        solitude: Solitude::default(),
        orders: Obeyed::default(),
        teller,
        wall: Timestamp::now,
    };
    Ok((Arc::new(worker), broker))
}

/// A panic is told by its place alone: its message could hold what a message held.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(
            place,
            "a task panicked: this is a bug in revoker, please report it"
        );
    }));
}
