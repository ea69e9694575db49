//! SIGTERM while calls hang: a second one and the drain timeout end the worker, and all comes again. What
//! a clean stop does is a row of the faults.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Event, PATIENCE, World, wait};

/// The default of `REVOKER_DRAIN_TIMEOUT`.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(25);
/// Exit code of a worker that was told twice.
const TOLD_TWICE: i32 = 130;

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let (world, mut worker) = with_calls_that_hang("1m").await;
    worker.process.signal("TERM");
    wait::until("the first signal is heard", PATIENCE, async || {
        !worker.logged("asked to stop").is_empty()
    })
    .await;
    let (status, took) = worker.terminate().await;
    assert_eq!(status.code(), Some(TOLD_TWICE));
    assert!(took < DRAIN_TIMEOUT / 2, "{took:?}");
    all_come_again(&world).await;
}

#[tokio::test]
async fn a_drain_that_takes_too_long_is_told() {
    let (world, mut worker) = with_calls_that_hang("1s").await;
    let (status, _) = worker.terminate().await;
    assert_eq!(status.code(), Some(1));
    assert!(
        !worker
            .logged("revoker ends: the drain timeout passed")
            .is_empty()
    );
    all_come_again(&world).await;
}

/// Ten events whose calls are on the wire and are not answered within the drain timeout.
async fn with_calls_that_hang(drain_timeout: &str) -> (World, crate::harness::worker::Worker) {
    let world = World::new("hang").await;
    let ids = world.sandbox.seed_sessions(10).await;
    world.sandbox.faults(&json!({ "answer_all": "hang" })).await;
    let settings = world.worker().set("REVOKER_CALL_TIMEOUT", "1m");
    let settings = settings.set("REVOKER_DRAIN_TIMEOUT", drain_timeout);
    let worker = settings.start().await;
    let events: Vec<_> = ids.iter().map(|id| Event::session(id)).collect();
    world.broker.publish(&events).await;
    wait::until("all calls hang", PATIENCE, async || {
        world.sandbox.stats().await["calls"]["revoke"] == 10
    })
    .await;
    (world, worker)
}

/// Whatever the end was, the broker gives the messages out again.
async fn all_come_again(world: &World) {
    wait::until("all are queued again", PATIENCE, async || {
        world.broker.queued().await == 10
    })
    .await;
    assert_eq!(world.broker.depth("dead").await, Some(0));
    world.sandbox.faults(&json!({})).await;
    let _worker = world.worker().start().await;
    wait::until("all are revoked", PATIENCE, async || {
        world.sandbox.revoked().await == 10
    })
    .await;
}
