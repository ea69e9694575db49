//! A publisher that forges our headers, or lets its events expire: the first is not believed, the second
//! ends in the dead letters, where it can be seen.

use jiff::Timestamp;
use lapin::{BasicProperties, types::AMQPValue};
use serde_json::json;

use super::row::Row;
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
async fn row_17_forged_headers() {
    let mut row = Row::new(17, "forged headers");
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
    (row.events, row.faults) = (events.len() as u64, events.len() as u64);

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
async fn row_17_expiration() {
    let mut row = Row::new(17, "expiration");
    let world = World::new("expired").await;
    let (keys, ring) = world.key_ring();
    world.declare().await;
    let secret = "SECRET_CANARY_Xq7bV0pLdE3sN-h9Tz";
    let body = json!({ "session_token": secret });
    for lane in ["urgent", "bulk"] {
        let event = Event::new(body.clone()).by(lane).in_exchange(lane);
        let short: BasicProperties = event.properties.clone().with_expiration("1".into());
        world.broker.publish_one(&event.with(|_| short)).await;
        (row.events, row.faults) = (row.events + 1, row.faults + 1);
    }
    wait::until("the broker dead-letters both", PATIENCE, async || {
        world.broker.depth("unhandled").await == Some(2)
    })
    .await;

    let keys = keys.display().to_string();
    let mut worker = world
        .worker()
        .set("REVOKER_SEAL_KEY_FILE", keys)
        .start()
        .await;
    for lane in ["urgent", "bulk"] {
        let letter = world.letter_of(lane).await;
        assert_eq!(letter.ours("code"), "expired");
        assert_eq!(letter.ours("lane"), lane);
        assert!(letter.ours("text").starts_with("expired: "), "{letter:?}");
        assert!(letter.properties.expiration().is_none());
        letter.assert_withholds(secret);
        let (_, body) = letter.opened(&ring);
        assert!(String::from_utf8(body).unwrap().contains(secret));
    }
    let dead = worker
        .metrics()
        .await
        .sum("revoker_dead_letters_total", &[("code", "expired")]);
    assert_eq!(dead, 2.0);
    worker.assert_withholds(secret).await;
    assert_eq!(world.sandbox.revoked().await, 0);
    world.check_unharmed(&mut worker).await;
}
