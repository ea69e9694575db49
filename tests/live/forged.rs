//! Messages that pass for our own: what only we write is believed only where only we can write.

use jiff::Timestamp;
use lapin::types::AMQPValue;
use revoker::settle::seal;
use serde_json::json;

use crate::harness::{Event, PATIENCE, World, checks::text, wait};

/// Headers as only we write them, which say that the event is nearly given up, and for a newer worker.
fn forged() -> Vec<(String, AMQPValue)> {
    let number = AMQPValue::LongLongInt;
    [
        ("revoker-version", number(99)),
        ("revoker-attempts", number(99)),
        ("revoker-retries", number(99)),
        ("revoker-first-received-at", text("2001-01-01T00:00:00Z")),
        ("revoker-event-id", text("forged")),
        ("revoker-queue", text("forged")),
        ("revoker-code", text("forged")),
        ("revoker-campaign-id", text("forged")),
        ("x-delivery-count", number(1_000_000)),
        ("x-first-death-queue", text("forged")),
        ("x-first-death-reason", text("forged")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

#[tokio::test]
async fn headers_of_ours_are_not_believed() {
    let world = World::new("believed").await;
    let began = Timestamp::now();
    // With one attempt more than the pretend API fails: believed, 99 attempts would be the last.
    let mut worker = world.worker().set("REVOKER_ATTEMPTS", 2).start().await;
    let ids = world.sandbox.seed_sessions(2).await;
    let faults = json!({"by_id": {
        &ids[0]: {"fault": "500", "times": 1},
        &ids[1]: "invalid_session_id",
    }});
    world.sandbox.faults(&faults).await;
    let events = [
        Event::session(&ids[0]).by("done").headers(forged()),
        Event::session(&ids[1]).by("refused").headers(forged()),
        Event::raw("x").by("wrong").headers(forged()),
    ];
    world.broker.publish(&events).await;

    let refused = world.letter_of("refused").await;
    let wrong = world.letter_of("wrong").await;
    assert_eq!(refused.ours("event-id"), events[1].id);
    assert_eq!(wrong.ours("event-id"), "");
    for letter in [&refused, &wrong] {
        let visible = format!("{:?}", letter.headers);
        assert!(!visible.contains("forged"), "{visible}");
        for (name, value) in [("version", "1"), ("attempts", "0"), ("retries", "0")] {
            assert_eq!(letter.ours(name), value, "{name}");
        }
        let received: Timestamp = letter.ours("first-received-at").parse().unwrap();
        assert!(received >= began, "{received}");
    }
    let outcomes = wait::value("an outcome for each", PATIENCE, async || {
        let outcomes = world.broker.outcomes().await;
        (outcomes.len() == events.len()).then_some(outcomes)
    })
    .await;
    let done = outcomes
        .iter()
        .find(|o| o.event_id() == events[0].id)
        .unwrap();
    assert_eq!(
        (done.outcome(), &done.body["attempts"]),
        ("revoked", &json!(1))
    );
    let metrics = worker.metrics().await;
    assert_eq!(metrics.sum("revoker_events_deferred_total", &[]), 0.0);
    assert_eq!(
        metrics.sum("revoker_events_received_total", &[("delivery", "retry")]),
        0.0
    );
    world.check_unharmed(&mut worker).await;
}

#[tokio::test]
async fn a_sealed_body_from_a_publisher_is_not_opened() {
    let world = World::new("fake-seal").await;
    let (keys, ring) = world.key_ring();
    let keys = keys.display().to_string();
    let mut worker = world
        .worker()
        .set("REVOKER_SEAL_KEY_FILE", keys)
        .start()
        .await;
    let id = world.sandbox.seed_sessions(1).await.remove(0);
    let event = Event::session(&id).by("fake");
    // Sealed with our own key for the very queue it is published to: a copy of what we wrote.
    let queue = world.broker.name("urgent");
    let body = ring.seal(
        &queue,
        &event.id,
        &revoker::event::Properties::default(),
        &event.body,
    );
    let headers = [
        ("revoker-version", AMQPValue::LongLongInt(1)),
        ("revoker-queue", text(&queue)),
        ("revoker-event-id", text(&event.id)),
    ];
    let mut event = event.headers(headers);
    event.body = body.clone();
    let event = event.with(|p| p.with_content_type(seal::CONTENT_TYPE.into()));
    world.broker.publish_one(&event).await;

    let letter = world.letter_of("fake").await;
    assert_eq!(letter.ours("code"), "unsupported_content_type");
    let (properties, opened) = letter.opened(&ring);
    assert_eq!(opened, body);
    assert_eq!(properties.content_type.as_deref(), Some(seal::CONTENT_TYPE));
    assert_eq!(world.sandbox.revoked().await, 0);
    world.check_unharmed(&mut worker).await;
}
