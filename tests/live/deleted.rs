//! Queues deleted under a running worker: nothing that was confirmed to us depends on them, and the
//! worker says which is missing until it is back.

use lapin::{
    options::{QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions},
    types::{AMQPValue, FieldTable},
};
use revoker::broker::topology::{Argument, topology};

use crate::harness::{Event, PATIENCE, World, sandbox::PROJECT_ID, wait, worker::Worker};

/// `DELETE` of a queue, whatever is in it.
async fn delete(world: &World, queue: &str) {
    let connection = world.broker.connect().await;
    let channel = connection.create_channel().await.unwrap();
    let name = world.broker.name(queue);
    let deleted = channel.queue_delete(name.into(), QueueDeleteOptions::default());
    deleted.await.unwrap();
}

/// Declares a queue again, as whoever repairs the broker does.
async fn restore(world: &World, queue: &str) {
    let name = world.broker.name(queue);
    let topology = topology(&world.broker.prefix, PROJECT_ID, &[]);
    let queue = topology.queues.iter().find(|queue| queue.name == name);
    let queue = queue.expect("it is one of ours");
    let mut arguments = FieldTable::default();
    for (name, value) in &queue.arguments {
        let value = match value {
            Argument::Text(text) => AMQPValue::LongString(text.as_str().into()),
            Argument::Int(number) => AMQPValue::LongLongInt(*number),
        };
        arguments.insert((*name).into(), value);
    }
    let connection = world.broker.connect().await;
    let channel = connection.create_channel().await.unwrap();
    let durable = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    let declared = channel.queue_declare(name.as_str().into(), durable, arguments);
    declared.await.unwrap();
    for exchange in &queue.bound_to {
        let (queue, exchange) = (name.as_str().into(), exchange.as_str().into());
        let options = QueueBindOptions::default();
        let bound = channel.queue_bind(queue, exchange, "#".into(), options, FieldTable::default());
        bound.await.unwrap();
    }
}

/// The worker is not ready, and says that the topology lacks this queue.
async fn check_misses(world: &World, worker: &mut Worker, queue: &str) {
    let name = format!("'{}'", world.broker.name(queue));
    wait::until("the worker misses the queue", PATIENCE, async || {
        let log = worker.log();
        let mut messages = log.iter().filter_map(|line| line["message"].as_str());
        messages.any(|m| m.starts_with("no session with the broker: ") && m.contains(&name))
    })
    .await;
    assert!(worker.process.ended().is_none());
    assert!(!worker.is_ready().await);
    assert_eq!(worker.metrics().await.state(), "broker");
}

#[tokio::test]
async fn lanes_deleted_under_a_declaring_worker() {
    let world = World::new("deleted-lane").await;
    let mut worker = world.worker().start().await;
    for (round, lane) in ["urgent", "bulk"].into_iter().enumerate() {
        delete(&world, lane).await;
        let name = "revoker_amqp_consumer_cancels_total";
        wait::until("the cancel is counted", PATIENCE, async || {
            worker.metrics().await.sum(name, &[("lane", lane)]) == 1.0
        })
        .await;
        wait::until("the worker declared it again", PATIENCE, async || {
            world.broker.depth(lane).await.is_some() && worker.is_ready().await
        })
        .await;
        world.check_works().await;
        let reconnects = worker
            .metrics()
            .await
            .sum("revoker_amqp_reconnects_total", &[]);
        assert_eq!(reconnects, (round + 1) as f64);
    }
    assert!(worker.terminate().await.0.success());
    assert_eq!(world.broker.queued().await, 0);
}

/// The worker may not declare: it waits until somebody does.
#[tokio::test]
async fn a_lane_deleted_under_a_verifying_worker() {
    let world = World::new("deleted-verify").await;
    world.declare().await;
    let worker = world.worker().set("REVOKER_TOPOLOGY", "verify");
    let mut worker = worker.start().await;
    delete(&world, "urgent").await;
    check_misses(&world, &mut worker, "urgent").await;
    restore(&world, "urgent").await;
    worker.until_ready().await;
    world.check_works().await;
    assert!(worker.terminate().await.0.success());
    assert_eq!(world.broker.queued().await, 0);
}

/// What should become a dead letter stays in its lane, unacked, for as long as it cannot.
#[tokio::test]
async fn the_dead_letter_queue_deleted() {
    let world = World::new("deleted-dead").await;
    world.declare().await;
    let worker = world.worker().set("REVOKER_TOPOLOGY", "verify");
    let mut worker = worker.start().await;
    delete(&world, "dead").await;
    let wrong = Event::raw("{").by("wrong");
    world.broker.publish_one(&wrong).await;

    let returned = [("to", "dead"), ("result", "returned")];
    let publishes = "revoker_amqp_publishes_total";
    wait::until("the failure is counted", PATIENCE, async || {
        worker.metrics().await.sum(publishes, &returned) >= 1.0
    })
    .await;
    check_misses(&world, &mut worker, "dead").await;
    assert_eq!(world.broker.depth("urgent").await, Some(1), "it was acked");
    let metrics = worker.metrics().await;
    assert_eq!(metrics.sum("revoker_dead_letters_total", &[]), 0.0);
    assert_eq!(metrics.sum("revoker_events_completed_total", &[]), 0.0);

    restore(&world, "dead").await;
    let letter = world.letter_of("wrong").await;
    assert_eq!(letter.ours("code"), "malformed_json");
    wait::until("its outcome is recorded", PATIENCE, async || {
        world.broker.outcomes().await.len() == 1
    })
    .await;
    world.check_works().await;
    assert!(worker.terminate().await.0.success());
    assert_eq!(world.broker.queued().await, 0);
    assert_eq!(world.broker.depth("dead").await, Some(1));
}

/// A worker that may declare repairs it by itself.
#[tokio::test]
async fn the_delay_queue_deleted() {
    let world = World::new("deleted-retry").await;
    let worker = world.worker().set("REVOKER_ATTEMPTS", 1);
    let mut worker = worker.set("REVOKER_RETRY_DELAYS", "1s").start().await;
    delete(&world, "urgent.retry.1s").await;
    let id = world.sandbox.seed_sessions(1).await.remove(0);
    // Once for the delivery whose retry finds no queue, once for the next.
    let faults = serde_json::json!({"by_id": { &id: {"fault": "500", "times": 2} }});
    world.sandbox.faults(&faults).await;
    world.broker.publish_one(&Event::session(&id)).await;
    wait::until("it is revoked at last", PATIENCE, async || {
        world.sandbox.revoked().await == 1
    })
    .await;
    let metrics = worker.metrics().await;
    let returned = [("to", "retry"), ("result", "returned")];
    assert_eq!(metrics.sum("revoker_amqp_publishes_total", &returned), 1.0);
    assert_eq!(metrics.sum("revoker_dead_letters_total", &[]), 0.0);
    assert!(worker.terminate().await.0.success());
    assert_eq!(world.broker.queued().await, 0);
}
