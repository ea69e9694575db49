//! Two replicas are restarted one after the other, again and again, while events come in: nothing is
//! lost, and since each ends cleanly nothing is done twice.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::time::sleep;

use super::{form::form, row::Row};
use crate::harness::{Event, PATIENCE, World, ledger::Ledger, wait, worker::Worker};

/// How much comes in, and how it is done.
struct Load {
    name: &'static str,
    /// Events in one burst.
    burst: usize,
    /// Calls a second of each replica: both together do what comes in, one alone does not.
    rate: &'static str,
    /// How long a call takes.
    latency: &'static str,
    /// Events for each restart, so that the work outlasts them all, on a busy machine, too.
    events_per_restart: usize,
}

const LOADS: [Load; 2] = [
    Load {
        name: "rolling restart",
        burst: 10,
        rate: "120/s",
        latency: "100ms",
        events_per_restart: 200,
    },
    // As many acks at once as can be.
    Load {
        name: "rolling restart at full speed",
        burst: 150,
        rate: "5000/s",
        latency: "1ms",
        events_per_restart: 1_000,
    },
];

/// Between two bursts.
const BURST_EVERY: Duration = Duration::from_millis(50);
/// Some events wait in memory for their next attempt when the stop comes.
const FAILING: f64 = 0.03;
/// The default of `REVOKER_DRAIN_TIMEOUT`.
const GRACE: Duration = Duration::from_secs(25);
/// How long a replica works before its turn comes.
const WORKS: Duration = Duration::from_millis(500);

#[tokio::test]
async fn row_15_rolling_restart() {
    let rolls = form(3, 10, 20);
    join_all(LOADS.map(|load| check(load, rolls))).await;
}

async fn check(load: Load, rolls: usize) {
    let mut row = Row::new(15, load.name);
    let world = World::with_sandbox("rolling", &["--latency", load.latency]).await;
    world.declare().await;
    let events = rolls * 2 * load.events_per_restart;
    let ledger = Ledger::of_good(&world, events).await;
    let faults = json!({ "rates": { "500": FAILING } });
    world.sandbox.faults(&faults).await;

    let mut replicas = [
        start(&world, load.rate).await,
        start(&world, load.rate).await,
    ];
    row.begins(&replicas[0]);
    let restarts = async {
        let mut longest = Duration::ZERO;
        for _ in 0..rolls {
            for replica in &mut replicas {
                sleep(WORKS).await;
                longest = longest.max(restart(&world, replica, load.rate).await);
                row.faults += 1;
            }
        }
        let left = events as u64 - world.sandbox.revoked().await;
        assert!(left > 0, "all was done before the last restart");
        eprintln!("the longest drain took {longest:.2?}, {left} of {events} events were left");
    };
    tokio::join!(publish(&world, &ledger.events, load.burst), restarts);
    ledger.settled(&world, 2 * PATIENCE).await;
    row.ends(&replicas[0]);
    for replica in &mut replicas {
        stop(replica).await;
    }
    let mut tally = ledger.tally(&world).await;
    // A call that failed as it was told to was not made for nothing.
    let stats = world.sandbox.stats().await;
    let failed = stats["faults"]["internal_server_error"].as_u64();
    tally.calls -= failed.expect("some calls failed");
    let twice = row.judge(&tally);
    assert_eq!(twice, 0, "done twice, though every stop was clean");
    let outcomes = world.broker.outcomes().await.len();
    assert_eq!(outcomes, events, "outcomes");
}

async fn start(world: &World, rate: &str) -> Worker {
    world.worker().paced(rate).start().await
}

/// Returns how long the drain took.
async fn restart(world: &World, replica: &mut Worker, rate: &str) -> Duration {
    let completed = "revoker_events_completed_total";
    wait::until("the replica is at work", PATIENCE, async || {
        replica.metrics().await.sum(completed, &[]) > 0.0
    })
    .await;
    let took = stop(replica).await;
    *replica = start(world, rate).await;
    took
}

async fn stop(replica: &mut Worker) -> Duration {
    let (status, took) = replica.terminate().await;
    assert!(status.success(), "{status}");
    assert!(took < GRACE, "the drain took {took:?}");
    took
}

async fn publish(world: &World, events: &[Event], burst: usize) {
    for burst in events.chunks(burst) {
        world.broker.publish(burst).await;
        sleep(BURST_EVERY).await;
    }
}
