//! The network between worker and broker swallows everything for a while, and nobody is told.
//!
//! What was sent meanwhile, acks included, arrives when the network is back, on connections that the
//! worker has given up long before.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{form::form, row::Row};
use crate::harness::{
    PATIENCE, World,
    ledger::Ledger,
    proxy::{Mode, Proxy},
    wait,
};

/// Calls on the wire at once; the prefetch is twice as much, for each lane.
const SLOTS: u64 = 50;
/// Deliveries that one lost connection can leave unacked.
const UNACKED_MAX: u64 = 2 * 2 * SLOTS;
/// Calls a second, so that the work outlasts the cuts.
const RATE: &str = "50/s";
/// Two heartbeats of ten seconds; the rest is for a busy machine.
const NOTICED_WITHIN: Duration = Duration::from_secs(20 + 10);
/// How long the worker is watched while it waits.
const WATCHED: Duration = Duration::from_secs(3);

#[tokio::test]
async fn row_04_network_cut() {
    let (events, cuts, lasts) = form((1_500, 1_u32, 26), (2_500, 1, 60), (6_000, 3, 60));
    let mut row = Row::new(4, "network swallows packets");
    let world = World::new("cut").await;
    let network = Proxy::to(&world.broker.url).await;
    let settings = world
        .worker()
        .set("REVOKER_AMQP_URL", &network.url)
        .set("REVOKER_ATTEMPTS", 2)
        .set("REVOKER_SLOTS", SLOTS);
    let mut worker = settings.paced(RATE).start().await;
    row.begins(&worker);
    let ledger = Ledger::new(&world, events).await;
    world.broker.publish(&ledger.events).await;

    for _ in 0..cuts {
        let before = world.sandbox.revoked().await;
        wait::until("the work is on its way", PATIENCE, async || {
            world.sandbox.revoked().await >= before + 100
        })
        .await;
        let began = Instant::now();
        network.set(Mode::Swallow);
        row.faults += 1;
        let noticed = wait::until("the cut is noticed", NOTICED_WITHIN, async || {
            worker.metrics().await.state() == "broker"
        })
        .await;
        eprintln!("noticed after {noticed:.1?}");
        assert!(!worker.is_ready().await, "ready without a broker");
        row.waits(&worker, WATCHED).await;
        sleep_until(began + Duration::from_secs(lasts)).await;
        network.set(Mode::Pass);
        let back = worker.until_ready().await;
        eprintln!("ready again after {back:.1?}");
    }
    ledger.settled(&world, 3 * PATIENCE).await;
    row.ends(&worker);
    // An ack on a channel that does not know its delivery would cost a further session each.
    let reconnects = worker
        .metrics()
        .await
        .sum("revoker_amqp_reconnects_total", &[]);
    assert_eq!(reconnects, f64::from(cuts), "sessions after the first");
    assert!(worker.terminate().await.0.success());
    let twice = row.judge(&ledger.tally(&world).await);
    eprintln!("{events} events, {cuts} cuts: {twice} twice");
    assert!(twice <= u64::from(cuts) * UNACKED_MAX, "{twice} done twice");
}
