//! What follows from an event cannot be stored: the event stays where it is, unacked, until it can.

use lapin::options::QueuePurgeOptions;

use crate::harness::{
    Event, PATIENCE, World,
    user::{User, ctl},
    wait,
    worker::Worker,
};

/// Letters that fill the queue.
const LETTERS_MAX: usize = 5;
const PUBLISHES: &str = "revoker_amqp_publishes_total";

/// Publishes what must be dead-lettered, and waits until that has failed more than once.
async fn check_unsaved(world: &World, worker: &Worker) {
    world.broker.publish_one(&Event::raw("{").by("wrong")).await;
    let refused = [("to", "dead"), ("result", "nack")];
    wait::until(
        "the dead letter is refused again and again",
        PATIENCE,
        async || worker.metrics().await.sum(PUBLISHES, &refused) >= 3.0,
    )
    .await;
    let metrics = worker.metrics().await;
    assert_eq!(metrics.sum("revoker_dead_letters_total", &[]), 0.0);
    assert_eq!(metrics.sum("revoker_events_completed_total", &[]), 0.0);
    assert_eq!(metrics.sum("revoker_inflight_events", &[]), 1.0);
    let warned = worker.log().into_iter().find(|line| {
        let message = line["message"].as_str().unwrap_or_default();
        message.starts_with("publish failed: ")
    });
    let warned = warned.expect("it is said");
    assert_eq!(warned["next"], "publish again, the event stays unacked");
}

/// The dead letter comes, once.
async fn check_saved(world: &World, worker: &mut Worker) {
    let letter = world.letter_of("wrong").await;
    assert_eq!(letter.ours("code"), "malformed_json");
    wait::until("its outcome is recorded", PATIENCE, async || {
        world.broker.outcomes().await.len() == 1
    })
    .await;
    world.check_unharmed(worker).await;
}

#[tokio::test]
async fn the_right_to_write_dead_letters_is_taken() {
    let world = World::new("forbidden").await;
    let user = User::new("worker").await;
    let url = user.of(&world.broker).url;
    let worker = world.worker().set("REVOKER_AMQP_URL", url);
    let mut worker = worker.start().await;
    user.permit("^(?!.*\\.dead$)").await;
    check_unsaved(&world, &worker).await;
    user.permit(".*").await;
    check_saved(&world, &mut worker).await;
}

#[tokio::test]
async fn the_dead_letter_queue_is_full() {
    let world = World::new("full").await;
    let mut worker = world.worker().start().await;
    let filler = Event::raw("x").in_exchange("dead").by("filler");
    world.broker.publish(&vec![filler; LETTERS_MAX + 1]).await;
    let queue = format!("^{}$", world.broker.name("dead").replace('.', "\\."));
    let name = &world.broker.prefix;
    let full = format!(r#"{{"max-length":{LETTERS_MAX},"overflow":"reject-publish"}}"#);
    ctl(&["set_policy", name, &queue, &full, "--apply-to", "queues"]).await;
    check_unsaved(&world, &worker).await;

    let connection = world.broker.connect().await;
    let channel = connection.create_channel().await.unwrap();
    let dead = world.broker.name("dead").into();
    let purged = channel.queue_purge(dead, QueuePurgeOptions::default());
    purged.await.unwrap();
    check_saved(&world, &mut worker).await;
    ctl(&["clear_policy", name]).await;
}
