//! Networks that are slow and lossy, to the broker and to the API.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{form::form, row::Row};
use crate::harness::{
    PATIENCE, World,
    ledger::Ledger,
    proxy::{Mode, Proxy},
    worker::Worker,
};

/// Calls on the wire at once; the prefetch is twice as much, for each lane.
const SLOTS: u64 = 20;
/// Deliveries that one lost connection can leave unacked.
const UNACKED_MAX: u64 = 2 * 2 * SLOTS;
/// Calls a second, so that the work outlasts the faults.
const RATE: &str = "50/s";
/// What the networks do in turn, until one of them does something else.
const WEATHERS: [Mode; 4] = [
    Mode::Delay(Duration::from_millis(250)),
    Mode::Throttle(8_000),
    Mode::Reset,
    Mode::Pass,
];
/// In which time tries to connect are counted.
const WINDOW: Duration = Duration::from_secs(10);
/// A try opens one connection to consume and then, if that went well, one to publish.
const CONNECTIONS_PER_TRY: usize = 2;

#[tokio::test]
async fn row_05_slow_lossy_network() {
    let (events, lasts) = form((1_000, 20), (3_000, 60), (20_000, 300));
    let mut row = Row::new(5, "slow, lossy networks");
    let world = World::new("lossy").await;
    let to_broker = Proxy::to(&world.broker.url).await;
    let to_api = Proxy::to(&world.sandbox.url).await;
    let settings = world
        .worker()
        .set("REVOKER_AMQP_URL", &to_broker.url)
        .set("REVOKER_STYTCH_BASE_URL", &to_api.url)
        .set("REVOKER_SLOTS", SLOTS);
    let mut worker = settings.paced(RATE).start().await;
    row.begins(&worker);
    let ledger = Ledger::new(&world, events).await;
    world.broker.publish(&ledger.events).await;

    let until = Instant::now() + Duration::from_secs(lasts);
    while Instant::now() < until {
        for network in [&to_broker, &to_api] {
            network.set(WEATHERS[fastrand::usize(..WEATHERS.len())]);
            if fastrand::u8(..3) == 0 {
                network.cut();
            }
            row.faults += 1;
        }
        sleep(Duration::from_millis(fastrand::u64(300..2_000))).await;
    }
    for network in [&to_broker, &to_api] {
        network.set(Mode::Pass);
    }
    ledger.settled(&world, 10 * PATIENCE).await;
    row.ends(&worker);
    check_tries(&worker, &to_broker.accepted());
    let lost = worker
        .metrics()
        .await
        .sum("revoker_amqp_reconnects_total", &[]);
    assert!(worker.terminate().await.0.success());
    let twice = row.judge(&ledger.tally(&world).await);
    eprintln!(
        "{events} events, {} faults, {lost} sessions lost: {twice} twice",
        row.faults
    );
    // A call whose answer was lost is made again: that is what the faults between worker and API cost.
    let unanswered = row.faults * SLOTS;
    assert!(
        twice <= lost as u64 * UNACKED_MAX + unanswered,
        "{twice} done twice"
    );
}

/// Not more than one try a second, and not in step.
fn check_tries(worker: &Worker, accepted: &[Instant]) {
    let tries_max = WINDOW.as_secs() as usize + 1;
    for (at, since) in accepted.iter().enumerate() {
        let within = accepted[at..]
            .iter()
            .take_while(|then| **then - *since <= WINDOW);
        let within = within.count();
        assert!(
            within <= tries_max * CONNECTIONS_PER_TRY,
            "{within} connections within {WINDOW:?}"
        );
    }
    let log = worker.log();
    let delays = log.iter().filter(|line| {
        let message = line["message"].as_str().unwrap_or_default();
        message.starts_with("no session with the broker: ")
    });
    let delays: Vec<_> = delays
        .filter_map(|line| line["delay_ms"].as_u64())
        .collect();
    assert!(delays.iter().all(|ms| *ms >= 1000), "{delays:?}");
    eprintln!("{} connections, waits {delays:?}", accepted.len());
}

/// Connections that stand for a moment only are no reason to make new ones faster.
#[tokio::test]
async fn row_05_sessions_that_never_last() {
    let lasts = Duration::from_secs(form(12, 20, 60));
    let mut row = Row::new(5, "sessions that never last");
    let world = World::new("flapping").await;
    let network = Proxy::to(&world.broker.url).await;
    let worker = world.worker().set("REVOKER_AMQP_URL", &network.url);
    let mut worker = worker.start().await;
    row.begins(&worker);
    let ledger = Ledger::of_good(&world, 20).await;

    let until = Instant::now() + lasts;
    while Instant::now() < until {
        if worker.is_ready().await {
            network.cut();
            row.faults += 1;
        }
        sleep(Duration::from_millis(50)).await;
    }
    check_tries(&worker, &network.accepted());
    assert!(row.faults >= 3, "there were {} sessions only", row.faults);
    world.broker.publish(&ledger.events).await;
    ledger.settled(&world, PATIENCE).await;
    row.ends(&worker);
    assert!(worker.terminate().await.0.success());
    row.judge(&ledger.tally(&world).await);
}
