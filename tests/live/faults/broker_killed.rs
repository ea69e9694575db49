//! The broker killed as by a power cut while events come in and go out.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::{form::form, row::Row};
use crate::harness::{PATIENCE, World, ledger::Ledger, wait, worker::Worker};

/// Calls on the wire at once; the prefetch is twice as much, for each lane.
const SLOTS: u64 = 50;
/// Deliveries that one lost connection can leave unacked.
const UNACKED_MAX: u64 = 2 * 2 * SLOTS;
/// Calls a second, so that the work outlasts the kills.
const RATE: &str = "100/s";
/// How long the broker stays away, beside the time it takes to start: long enough that the waits
/// between the worker's attempts have grown to their longest.
const AWAY: Duration = Duration::from_secs(6);
/// It is promised to consume again within 5 s; the rest is for a busy machine.
const CONSUMES_WITHIN: Duration = Duration::from_secs(15);

#[tokio::test]
async fn row_03_broker_killed() {
    let (events, kills) = form((1_500, 2), (2_500, 4), (5_000, 10));
    let mut row = Row::new(3, "broker killed");
    let world = World::with_own_node("outage").await;
    let settings = world
        .worker()
        .set("REVOKER_ATTEMPTS", 2)
        .set("REVOKER_SLOTS", SLOTS);
    let mut worker = settings.paced(RATE).start().await;
    row.begins(&worker);
    let ledger = Ledger::new(&world, events).await;

    let (resent, ()) = tokio::join!(world.broker.publish_as_outbox(&ledger.events), async {
        for _ in 0..kills {
            sleep(Duration::from_millis(fastrand::u64(1_000..2_500))).await;
            kill_and_restart(&world, &mut worker, &mut row).await;
            row.faults += 1;
        }
    });
    ledger.settled(&world, 3 * PATIENCE).await;
    assert!(worker.process.ended().is_none(), "the worker has ended");
    let reconnects = worker
        .metrics()
        .await
        .sum("revoker_amqp_reconnects_total", &[]);
    assert!(reconnects >= kills as f64, "{reconnects} reconnects");
    row.ends(&worker);
    let (status, _) = worker.terminate().await;
    assert!(status.success(), "{status}");
    let twice = row.judge(&ledger.tally(&world).await);
    eprintln!("{events} events, {kills} kills, {resent} sent again: {twice} twice");
    assert!(twice <= kills * UNACKED_MAX + resent, "{twice} done twice");
}

async fn kill_and_restart(world: &World, worker: &mut Worker, row: &mut Row) {
    world.node().kill9().await;
    wait::until("/readyz answers 503", PATIENCE, async || {
        worker
            .readyz()
            .await
            .is_some_and(|(status, _)| status == 503)
    })
    .await;
    assert_eq!(worker.metrics().await.state(), "broker");
    row.waits(worker, AWAY).await;
    assert!(!worker.is_ready().await, "ready without a broker");
    world.node().restart().await;

    let listens = Instant::now();
    let received = "revoker_events_received_total";
    let before = worker.metrics().await.sum(received, &[]);
    wait::until("the worker consumes again", CONSUMES_WITHIN, async || {
        worker.metrics().await.sum(received, &[]) > before
    })
    .await;
    let took = listens.elapsed();
    eprintln!("consumed again {took:.1?} after the broker listened");
    worker.until_ready().await;
    assert!(worker.process.ended().is_none(), "the worker has ended");
}
