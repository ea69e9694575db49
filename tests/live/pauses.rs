//! Faults that are no event's own: nothing is dead-lettered for them, and all is done afterwards.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::time::sleep;

use crate::harness::{Event, PATIENCE, World, is_full, wait};

/// What the API answers to every call, and the state the worker shows meanwhile.
const FAULTS: [(&str, &str); 10] = [
    ("429", "throttled"),
    ("500", "outage"),
    ("503", "outage"),
    ("reset", "outage"),
    ("unauthorized_credentials", "credentials"),
    ("invalid_authorization_header", "credentials"),
    ("invalid_project_id_authentication", "credentials"),
    ("invalid_secret_authentication", "credentials"),
    ("invalid_project_id", "credentials"),
    ("invalid_secret_id", "credentials"),
];
/// Events of each lane.
const EVENTS: usize = 20;
/// A canary asks every 30 s whether our credentials are taken again.
const RESUMES_WITHIN: Duration = PATIENCE;

#[tokio::test]
async fn a_fault_of_the_api_dead_letters_nothing() {
    let lasts = Duration::from_secs(if is_full() { 20 } else { 4 });
    // Side by side: most of the time is waiting.
    join_all(FAULTS.map(|(fault, state)| check(fault, state, lasts))).await;
}

async fn check(fault: &str, state: &str, lasts: Duration) {
    let world = World::new("pause").await;
    let mut worker = world.worker().start().await;
    world.sandbox.faults(&json!({ "answer_all": fault })).await;
    let ids = world.sandbox.seed_sessions(2 * EVENTS).await;
    let events: Vec<_> = ids
        .iter()
        .enumerate()
        .map(|(i, id)| {
            let event = Event::session(id);
            if i < EVENTS { event } else { event.bulk() }
        })
        .collect();
    world.broker.publish(&events).await;
    wait::until(
        &format!("{fault} is shown as {state}"),
        PATIENCE,
        async || worker.metrics().await.state() == state,
    )
    .await;
    sleep(lasts).await;
    assert_eq!(world.sandbox.revoked().await, 0, "{fault}");
    let dead = worker
        .metrics()
        .await
        .sum("revoker_dead_letters_total", &[]);
    assert_eq!(dead, 0.0, "{fault}: dead letters");
    let calls = world.sandbox.stats().await["calls"]["revoke"].as_u64();

    world.sandbox.faults(&json!({})).await;
    let all = ids.len() as u64;
    let took = wait::until(
        &format!("all are revoked after {fault}"),
        RESUMES_WITHIN,
        async || world.sandbox.revoked().await == all,
    )
    .await;
    wait::until("the worker is at full speed again", PATIENCE, async || {
        worker.metrics().await.state() == "running"
    })
    .await;
    eprintln!("{fault}: {calls:?} calls in {lasts:?}, all revoked {took:.1?} after its end");

    let outcomes = world.broker.outcomes().await;
    assert_eq!(outcomes.len(), events.len(), "{fault}");
    for outcome in outcomes {
        assert_eq!(outcome.outcome(), "revoked", "{fault}");
        // Neither the rate nor our credentials are an event's failure.
        if state != "outage" {
            assert_eq!(outcome.body["attempts"], 0, "{fault}");
        }
    }
    let (status, _) = worker.terminate().await;
    assert!(status.success(), "{fault}: {status}");
    assert_eq!(world.broker.depth("dead").await, Some(0), "{fault}");
    assert_eq!(world.broker.queued().await, 0, "{fault}");
}
