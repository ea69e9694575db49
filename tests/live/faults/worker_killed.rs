//! The worker killed as by a power cut, again and again: nothing is lost, little is done twice.

use std::time::Duration;

use tokio::time::sleep;

use super::{form::form, row::Row};
use crate::harness::{PATIENCE, World, ledger::Ledger};

/// Calls on the wire at once; the prefetch is twice as much, for each lane.
const SLOTS: u64 = 20;
/// Deliveries that one crash can leave unacked.
const UNACKED_MAX: u64 = 2 * 2 * SLOTS;

#[tokio::test]
async fn row_01_worker_killed() {
    // Calls a second are few enough that the work outlasts the kills.
    let (events, kills, rate, lives_ms) = form(
        (1_500, 8, "150/s", 100..700),
        (4_000, 30, "100/s", 300..1_000),
        (10_000, 100, "60/s", 300..2_000),
    );
    let mut row = Row::new(1, "worker killed");
    let world = World::new("crash").await;
    world.declare().await;
    let ledger = Ledger::new(&world, events).await;
    world.broker.publish(&ledger.events).await;

    let settings = || {
        let settings = world.worker().set("REVOKER_ATTEMPTS", 2);
        settings.set("REVOKER_SLOTS", SLOTS).paced(rate)
    };
    for _ in 0..kills {
        let mut worker = settings().start().await;
        sleep(Duration::from_millis(fastrand::u64(lives_ms.clone()))).await;
        worker.kill9();
        row.faults += 1;
    }
    let done_by_then = world.sandbox.revoked().await;
    assert!(
        done_by_then > 0,
        "the workers were killed before they did anything"
    );
    assert!(
        done_by_then < events as u64 / 10 * 9,
        "all was done before the last kill"
    );

    let mut worker = settings().start().await;
    row.begins(&worker);
    ledger.settled(&world, 4 * PATIENCE).await;
    row.ends(&worker);
    let (status, _) = worker.terminate().await;
    assert!(status.success(), "{status}");
    let twice = row.judge(&ledger.tally(&world).await);
    eprintln!("{events} events, {kills} kills, {done_by_then} revoked by then: {twice} twice");
    assert!(twice <= kills * UNACKED_MAX, "{twice} done twice");
}
