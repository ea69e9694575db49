//! The worker killed as by a power cut, again and again: nothing is lost, little is done twice.

use std::time::Duration;

use tokio::time::sleep;

use crate::harness::{PATIENCE, World, is_full, ledger::Ledger};

/// Calls on the wire at once; the prefetch is twice as much, for each lane.
const SLOTS: u64 = 20;
/// Deliveries that one crash can leave unacked.
const UNACKED_MAX: u64 = 2 * 2 * SLOTS;
/// Calls a second, so that the work outlasts the crashes.
const RATE: &str = "150/s";

#[tokio::test]
async fn killed_workers_lose_nothing() {
    let (events, kills) = if is_full() { (5_000, 40) } else { (1_500, 8) };
    let world = World::new("crash").await;
    world.declare().await;
    let ledger = Ledger::new(&world, events).await;
    world.broker.publish(&ledger.events).await;

    let settings = || {
        let settings = world.worker().set("REVOKER_ATTEMPTS", 2);
        settings
            .set("REVOKER_SLOTS", SLOTS)
            .set("REVOKER_MAX_RATE", RATE)
            .set("REVOKER_START_RATE", RATE)
    };
    for _ in 0..kills {
        let mut worker = settings().start().await;
        sleep(Duration::from_millis(fastrand::u64(100..700))).await;
        worker.kill9();
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
    ledger.settled(&world, 2 * PATIENCE).await;
    let (status, _) = worker.terminate().await;
    assert!(status.success(), "{status}");
    let twice = ledger.check(&world).await;
    eprintln!("{events} events, {kills} kills, {done_by_then} revoked by then: {twice:?}");
    assert!(
        twice.calls + twice.dead_letters <= kills * UNACKED_MAX,
        "{twice:?}"
    );
}
