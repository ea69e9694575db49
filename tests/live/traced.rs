//! A publisher's trace goes with its event: into every line of its log, through a retry that seals it, and into
//! the outcome.

use serde_json::json;

use crate::harness::{Event, PATIENCE, World, checks::text, wait};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[tokio::test]
async fn a_trace_goes_all_the_way() {
    let world = World::new("traced").await;
    let mut worker = world.worker().set("REVOKER_ATTEMPTS", 1).start().await;
    let (_, token) = world.sandbox.seed_token().await;
    let fails_once = json!({"fault": "internal_server_error", "times": 1});
    world
        .sandbox
        .faults(&json!({"by_id": { &token: fails_once }}))
        .await;
    let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let event = Event::new(json!({ "session_token": token }))
        .headers([("traceparent", text(&traceparent))]);
    world.broker.publish_one(&event).await;
    wait::until("it is revoked", PATIENCE, async || {
        world.sandbox.revoked().await == 1
    })
    .await;
    worker.terminate().await;

    let lines = worker.log();
    let of_event = lines
        .iter()
        .filter(|line| line["event.id"] == event.id.as_str());
    let told: Vec<_> = of_event
        .map(|line| (line["message"].as_str().unwrap(), &line["trace_id"]))
        .collect();
    for message in ["event deferred", "event settled"] {
        assert!(told.iter().any(|(told, _)| *told == message), "{told:?}");
    }
    assert!(told.iter().all(|(_, trace)| *trace == TRACE), "{told:?}");
    let outcomes = world.broker.outcomes().await;
    let [outcome] = &outcomes[..] else {
        panic!("{outcomes:?}")
    };
    assert_eq!(outcome.body["trace_id"], TRACE);
}
