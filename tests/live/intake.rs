//! What a worker keeps in hand it does not keep for ever. That it keeps nothing while nothing can be
//! sent is a row of the faults.

use crate::harness::{Event, PATIENCE, World, wait};

/// A message that waits and waits, on a lane that does send, leaves through the delay queue with no attempt.
#[tokio::test]
async fn an_event_that_waits_for_half_the_limit_goes_to_a_delay_queue() {
    let world = World::new("held").await;
    let worker = world
        .worker()
        .set("REVOKER_HOLD_LIMIT", "10s")
        .set("REVOKER_MAX_RATE", "1/s")
        .set("REVOKER_RETRY_DELAYS", "1s");
    let mut worker = worker.start().await;
    let ids = world.sandbox.seed_sessions(12).await;
    let events: Vec<_> = ids.iter().map(|id| Event::session(id).bulk()).collect();
    world.broker.publish(&events).await;
    wait::until("all are revoked", 2 * PATIENCE, async || {
        world.sandbox.revoked().await == ids.len() as u64
    })
    .await;
    let metrics = worker.metrics().await;
    let held = metrics.sum("revoker_retries_total", &[("cause", "held_too_long")]);
    assert!(held > 0.0, "nothing was put aside");
    assert!(metrics.sum("revoker_events_received_total", &[("delivery", "retry")]) >= held);
    let (status, _) = worker.terminate().await;
    assert!(status.success(), "{status}");
    for outcome in world.broker.outcomes().await {
        assert_eq!(outcome.outcome(), "revoked");
        assert_eq!(outcome.body["attempts"], 0);
    }
    assert_eq!(world.broker.depth("dead").await, Some(0));
}
