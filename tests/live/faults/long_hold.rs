//! The API is out, or refuses us for our rate, three times as long as the broker lets anybody hold a
//! delivery: what cannot be done is given back in time, and the channel is never closed on us.

use std::{collections::BTreeSet, time::Duration};

use futures_util::StreamExt;
use lapin::{
    options::{BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use serde_json::json;
use tokio::time::{sleep, timeout};

use super::{form::form, row::Row};
use crate::harness::{Event, PATIENCE, World, ledger::Ledger, wait, worker::Worker};

/// Events of each lane.
const EVENTS: usize = 60;
/// What the node says when it closes a channel over a delivery that was held for too long.
const COMPLAINT: &str = "has timed out waiting for";
/// How often a node looks at its channels; it reads this when a channel is opened.
const LOOKS_EVERY_MS: u64 = 1_000;

/// What the API answers to everything, and what the worker calls it.
const FAULTS: [(&str, &str, &str); 2] = [
    ("outage longer than the consumer timeout", "500", "outage"),
    (
        "rate block longer than the consumer timeout",
        "429",
        "throttled",
    ),
];

#[tokio::test]
async fn row_16_long_hold() {
    let (held_s, hold_limit) = form((15, "10s"), (30, "10s"), (60, "20s"));
    let configuration = format!("consumer_timeout = {}\n", held_s * 1_000);
    let world = World::with_configured_node("held", &configuration).await;
    let look = format!("application:set_env(rabbit, channel_tick_interval, {LOOKS_EVERY_MS}).");
    world.node().ctl(&["eval", &look]).await;
    let lasts = Duration::from_secs(3 * held_s);
    let faults = FAULTS.map(|fault| check(&world, fault, hold_limit, lasts));
    tokio::join!(
        futures_util::future::join_all(faults),
        check_node_minds(&world, Duration::from_secs(held_s)),
    );
    // Only the one who held a delivery for too long was told so, once or until its channel was closed.
    let log = world.node().log();
    let complaints = log.lines().filter_map(|line| line.split_once(COMPLAINT));
    let channels: BTreeSet<_> = complaints.map(|(by, _)| by.rsplit("] <").next()).collect();
    assert_eq!(channels.len(), 1, "{channels:?}");
}

async fn check(
    beside: &World,
    fault: (&'static str, &str, &str),
    hold_limit: &str,
    lasts: Duration,
) {
    let (name, answer, state) = fault;
    let mut row = Row::new(16, name);
    let world = beside.beside(state).await;
    let worker = world.worker().set("REVOKER_HOLD_LIMIT", hold_limit);
    let mut worker = worker.start().await;
    row.begins(&worker);
    row.faults += 1;
    world.sandbox.faults(&json!({ "answer_all": answer })).await;
    let ledger = Ledger::of_good(&world, 2 * EVENTS).await;
    world.broker.publish(&ledger.events).await;
    wait::until(
        &format!("{answer} is shown as {state}"),
        PATIENCE,
        async || worker.metrics().await.state() == state,
    )
    .await;
    if state == "outage" {
        for lane in ["urgent", "bulk"] {
            wait::until(&format!("{lane} is given back"), PATIENCE, async || {
                world.broker.depth(lane).await == Some(EVENTS as u32)
            })
            .await;
        }
        let in_hand = worker.metrics().await.sum("revoker_inflight_events", &[]);
        assert_eq!(in_hand, 0.0);
        row.waits(&worker, lasts).await;
    } else {
        // With so short a hold limit the lane is taken in again and again, to see whether it is over.
        sleep(lasts).await;
    }
    let metrics = worker.metrics().await;
    assert_eq!(metrics.state(), state);
    assert_eq!(world.sandbox.revoked().await, 0);
    check_calm(&worker).await;
    world.sandbox.faults(&json!({})).await;
    ledger.settled(&world, PATIENCE).await;
    row.ends(&worker);
    check_calm(&worker).await;
    assert!(worker.terminate().await.0.success());
    row.judge(&ledger.tally(&world).await);
}

/// Neither a channel nor a dead letter was lost.
async fn check_calm(worker: &Worker) {
    let metrics = worker.metrics().await;
    for none in [
        "revoker_dead_letters_total",
        "revoker_amqp_reconnects_total",
        "revoker_amqp_consumer_cancels_total",
    ] {
        assert_eq!(metrics.sum(none, &[]), 0.0, "{none}");
    }
}

/// Whoever does hold a delivery for so long loses its channel: otherwise nothing is tested here.
async fn check_node_minds(beside: &World, held: Duration) {
    let world = beside.beside("holder").await;
    world.declare().await;
    world.broker.publish_one(&Event::verify()).await;
    let connection = world.broker.connect().await;
    let channel = connection.create_channel().await.unwrap();
    let qos = BasicQosOptions { global: false };
    channel.basic_qos(1, qos).await.unwrap();
    let (queue, options) = (world.broker.name("urgent"), BasicConsumeOptions::default());
    let consumed = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default());
    let mut deliveries = consumed.await.unwrap();
    let _held = deliveries.next().await.expect("it is delivered").unwrap();
    let end = timeout(held + PATIENCE, deliveries.next()).await;
    let end = end.expect("the node minds");
    assert!(!matches!(end, Some(Ok(_))), "{end:?}");
}
