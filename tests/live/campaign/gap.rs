//! What the audit stream no longer has: a report says so, whatever else is proven.

use std::fs;

use lapin::{
    options::{QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions},
    types::{AMQPValue, FieldTable},
};
use serde_json::json;

use super::given::{ID, manifest, outcome};
use crate::harness::{PATIENCE, World, wait};

/// The exit code of a broker that does not answer.
const EXIT_UNAVAILABLE: i32 = 69;

#[tokio::test]
async fn a_stream_that_was_made_anew_is_a_gap() {
    let world = World::with_campaign("report-anew", 1).await;
    // Its manifest speaks of entries that this stream has not reached.
    let anew = World::new("report-anew-too").await;
    anew.declare().await;
    anew.begin(manifest(1, 5_000)).await;
    let out = anew.path("out");
    let empty = anew.campaign(&["report", ID, "--out", &out]).await;
    assert_eq!(empty.code, 1, "{empty:?}");
    assert!(
        empty.out.contains("incomplete: no outcome is left"),
        "{empty:?}"
    );
    // Entry 0 is wanted, and it is there.
    let out = world.path("out");
    assert_eq!(world.campaign(&["report", ID, "--out", &out]).await.code, 0);
}

/// Puts a stream that soon forgets in the place of the audit stream.
async fn forgetful(world: &World) {
    let connection = world.broker.connect().await;
    let channel = connection.create_channel().await.unwrap();
    let (audit, outcomes) = (world.broker.name("audit"), world.broker.name("outcomes"));
    let options = QueueDeleteOptions::default();
    channel
        .queue_delete(audit.as_str().into(), options)
        .await
        .unwrap();
    let mut arguments = FieldTable::default();
    arguments.insert(
        "x-queue-type".into(),
        AMQPValue::LongString("stream".into()),
    );
    for (name, bytes) in [
        ("x-max-length-bytes", 20_000),
        ("x-stream-max-segment-size-bytes", 10_000),
    ] {
        arguments.insert(name.into(), AMQPValue::LongLongInt(bytes));
    }
    let durable = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    channel
        .queue_declare(audit.as_str().into(), durable, arguments)
        .await
        .unwrap();
    let options = QueueBindOptions::default();
    let bound = channel.queue_bind(
        audit.into(),
        outcomes.into(),
        "#".into(),
        options,
        FieldTable::default(),
    );
    bound.await.unwrap();
}

#[tokio::test]
async fn what_the_stream_forgot_is_a_gap() {
    let world = World::new("report-gap").await;
    world.declare().await;
    forgetful(&world).await;
    world.begin(manifest(1, 0)).await;
    let out = world.path("out");
    let forgotten = async || {
        let newer: Vec<_> = (1..=100)
            .map(|_| outcome(1, json!({"outcome": "duplicate"})))
            .collect();
        world.broker.publish(&newer).await;
        let ended = world
            .campaign(&["report", ID, "--out", &out, "--json"])
            .await;
        // A stream that forgets at this very moment may fall silent.
        let told = (ended.code != EXIT_UNAVAILABLE).then(|| ended.json())?;
        (!told["sums"]["gap"].is_null()).then_some((ended.code, told))
    };
    let (code, told) =
        wait::value("the stream forgets its beginning", 5 * PATIENCE, forgotten).await;
    // The target is proven, and still nobody knows what stood before.
    let sums = &told["sums"];
    assert_eq!(
        (code, &sums["proven"], &sums["complete"]),
        (1, &json!(1), &json!(false))
    );
    let gap = &sums["gap"];
    assert_eq!(
        (&gap["wanted"], &gap["since"]),
        (&json!(0), &json!("2026-11-28T10:10:00Z"))
    );
    assert!(gap["first"].as_u64().unwrap() > 0, "{gap}");
    let summary = fs::read_to_string(world.file("out").join("summary.md")).unwrap();
    assert!(
        summary.contains("incomplete since 2026-11-28T10:10:00Z"),
        "{summary}"
    );
    assert!(!summary.contains("100 %"), "{summary}");
    let verified = world.campaign(&["verify-report", &out]).await;
    assert_eq!(verified.code, 0, "{verified:?}");
}
