//! What a worker keeps in hand: little ahead, nothing while nothing can be sent, and nothing for ever.

use serde_json::json;

use crate::harness::{Event, PATIENCE, World, wait};

const EVENTS: usize = 60;

/// An outage of many times the hold limit: everything goes back to its queue, where other workers and
/// the broker's own clock are at peace with it, and is taken in again once the API answers.
#[tokio::test]
async fn an_outage_leaves_nothing_in_hand() {
    let world = World::new("intake").await;
    let worker = world.worker().set("REVOKER_HOLD_LIMIT", "10s");
    let mut worker = worker.start().await;
    world.sandbox.faults(&json!({ "answer_all": "500" })).await;
    let ids = world.sandbox.seed_sessions(2 * EVENTS).await;
    let events: Vec<_> = ids
        .chunks(2)
        .flat_map(|pair| [Event::session(&pair[0]), Event::session(&pair[1]).bulk()])
        .collect();
    world.broker.publish(&events).await;
    for lane in ["urgent", "bulk"] {
        wait::until(&format!("{lane} is given back"), PATIENCE, async || {
            world.broker.depth(lane).await == Some(EVENTS as u32)
        })
        .await;
    }
    let metrics = worker.metrics().await;
    assert_eq!(metrics.state(), "outage");
    assert_eq!(metrics.sum("revoker_inflight_events", &[]), 0.0);
    assert_eq!(metrics.sum("revoker_dead_letters_total", &[]), 0.0);
    assert_eq!(
        metrics.sum("revoker_amqp_reconnects_total", &[]),
        0.0,
        "a lane given back is no lost session"
    );

    world.sandbox.faults(&json!({})).await;
    wait::until("all are revoked", PATIENCE, async || {
        world.sandbox.revoked().await == ids.len() as u64
    })
    .await;
    let (status, _) = worker.terminate().await;
    assert!(status.success(), "{status}");
    assert_eq!(world.broker.depth("dead").await, Some(0));
    assert_eq!(world.broker.queued().await, 0);
}

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
