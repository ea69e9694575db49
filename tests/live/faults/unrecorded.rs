//! Outcomes cannot be stored: urgent waits for half a minute and goes on without; bulk waits, since a
//! campaign's proof must be whole.

use std::time::Duration;

use lapin::{options::QueueBindOptions, types::FieldTable};

use super::row::Row;
use crate::harness::{Event, PATIENCE, World, user::User, wait, worker::Worker};

/// How long the worker is watched while bulk waits.
const WATCHED: Duration = Duration::from_secs(5);
const COMPLETED: &str = "revoker_events_completed_total";

/// Urgent goes on without a record, bulk does not, and the worker says why.
async fn check_broken(world: &World, worker: &Worker, result: &str, row: &mut Row) {
    let events = [Event::verify(), Event::verify().bulk()];
    world.broker.publish(&events).await;
    wait::until("urgent goes on", PATIENCE, async || {
        worker.metrics().await.sum(COMPLETED, &[("lane", "urgent")]) == 1.0
    })
    .await;
    wait::until("the state says why", PATIENCE, async || {
        worker.metrics().await.state() == "audit"
    })
    .await;
    row.waits(worker, WATCHED).await;
    let metrics = worker.metrics().await;
    assert_eq!(metrics.sum(COMPLETED, &[("lane", "bulk")]), 0.0);
    assert_eq!(metrics.sum("revoker_outcomes_unrecorded_total", &[]), 1.0);
    let failed = [("to", "outcome"), ("result", result)];
    assert!(metrics.sum("revoker_amqp_publishes_total", &failed) > 1.0);
    assert!(worker.is_ready().await);

    // The dead letters have a channel of their own.
    world.broker.publish_one(&Event::raw("{").by("wrong")).await;
    world.letter_of("wrong").await;
}

/// Bulk goes on, and its outcome is there.
async fn check_repaired(world: &World, worker: &mut Worker, row: &mut Row) {
    wait::until("bulk goes on", PATIENCE, async || {
        worker.metrics().await.sum(COMPLETED, &[("lane", "bulk")]) == 1.0
    })
    .await;
    let outcomes = world.broker.outcomes().await;
    let of_bulk = |key: &str| key == "bulk.verified.live-test";
    assert!(outcomes.iter().any(|outcome| of_bulk(&outcome.routing_key)));
    wait::until("all is well again", PATIENCE, async || {
        worker.metrics().await.state() == "running"
    })
    .await;
    row.events += 3;
    row.faults += 1;
    row.ends(worker);
    world.check_unharmed(worker).await;
}

#[tokio::test]
async fn row_07_outcomes_are_returned() {
    let mut row = Row::new(7, "outcomes are returned");
    let world = World::new("unbound").await;
    let mut worker = world.worker().start().await;
    row.begins(&worker);
    let connection = world.broker.connect().await;
    let channel = connection.create_channel().await.unwrap();
    let [audit, outcomes] = ["audit", "outcomes"].map(|name| world.broker.name(name));
    let (queue, exchange) = (audit.as_str().into(), outcomes.as_str().into());
    let unbound = channel.queue_unbind(queue, exchange, "#".into(), FieldTable::default());
    unbound.await.unwrap();
    check_broken(&world, &worker, "returned", &mut row).await;

    let (queue, exchange) = (audit.as_str().into(), outcomes.as_str().into());
    let options = QueueBindOptions::default();
    let bound = channel.queue_bind(queue, exchange, "#".into(), options, FieldTable::default());
    bound.await.unwrap();
    check_repaired(&world, &mut worker, &mut row).await;
}

/// The broker closes the channel of outcomes at every try: no other channel may go with it.
#[tokio::test]
async fn row_07_outcomes_are_forbidden() {
    let mut row = Row::new(7, "outcomes are forbidden");
    let world = World::new("mute").await;
    let user = User::new("worker").await;
    let url = user.of(&world.broker).url;
    let worker = world.worker().set("REVOKER_AMQP_URL", url);
    let mut worker = worker.start().await;
    row.begins(&worker);
    user.permit("^(?!.*\\.outcomes$)").await;
    check_broken(&world, &worker, "nack", &mut row).await;
    user.permit(".*").await;
    check_repaired(&world, &mut worker, &mut row).await;
}
