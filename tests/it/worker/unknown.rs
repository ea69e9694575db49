//! Stytch refuses with an error type that nobody knows: one event, one publisher's, everybody's.

use std::time::Duration;

use revoker::{
    event::Message,
    telemetry::{Why, state::State},
};
use serde_json::json;
use tokio::time::sleep;

use super::{
    event,
    stytch::{Answer, Asked},
    world::World,
};

const OLD: &str = "2026-11-22T06:00:00Z";
const SECOND: Duration = Duration::from_secs(1);
const NEW: Answer = Answer::Says(403, "something_new");

fn from(publisher: &str, n: u64) -> Message {
    let mut message = event(n, json!({}));
    message.publisher = publisher.into();
    message
}

/// Events 1 to `events`, one after another, each of the next publisher.
async fn publish(world: &World, publishers: &[&str], events: std::ops::RangeInclusive<u64>) {
    for (n, publisher) in events.zip(publishers.iter().cycle()) {
        world.stytch.open(n, n, OLD);
        world.publish(from(publisher, n));
        sleep(SECOND / 5).await;
    }
}

fn is_message(asked: &Asked<'_>) -> bool {
    asked.call.starts_with("revoke")
}

fn paused(world: &World) -> bool {
    let shown = world.worker.board.snapshot();
    shown.why == Why::UnknownRefusal
}

#[tokio::test(start_paused = true)]
async fn what_meets_everybody_pauses_and_dead_letters_no_more() {
    let world = World::plain();
    let over = SECOND * 1000;
    world
        .stytch
        .fault(move |asked| (is_message(asked) && asked.now < over).then_some(NEW));
    publish(&world, &["a", "b"], 1..=60).await;
    assert!(paused(&world));
    sleep(over - world.journal.now()).await;
    assert_eq!(world.broker.dead().len(), 19);
    let tries = world.journal.count("revoke") as u64;
    let counted = world.total("revoker_stytch_unknown_error_types_total", &[]);
    assert_eq!(counted as u64, tries, "each answer had the unknown word");
    assert!(tries < 19 + 41 * 40, "{tries}: each asks every half minute");
    assert_eq!(world.worker.board.snapshot().state, State::Credentials);

    world.settled(SECOND * 200).await;
    assert_eq!(world.broker.dead().len(), 19);
    let revoked = (1..=60).filter(|n| !world.stytch.is_alive(*n)).count();
    assert_eq!(revoked, 41);
    let outcomes = world.broker.outcomes();
    assert!(outcomes.iter().all(|outcome| outcome["attempts"] == 0));
    let cause = ["cause=\"unknown_error\""];
    assert!(world.total("revoker_retries_total", &cause) >= 41.0);
    sleep(SECOND).await;
    assert_eq!(world.worker.board.snapshot().state, State::Running);
}

/// The events are at fault after all: others that come later must not wait for them.
#[tokio::test(start_paused = true)]
async fn a_pause_ends_when_somebody_gets_through() {
    let world = World::plain();
    world.stytch.fault(|asked| {
        let number = asked.call.strip_prefix("revoke s")?.parse::<u64>().ok()?;
        (number <= 40).then_some(NEW)
    });
    publish(&world, &["a", "b"], 1..=40).await;
    assert!(paused(&world));
    publish(&world, &["c"], 41..=50).await;
    let healthy = |world: &World| (41..=50).all(|n| !world.stytch.is_alive(n));
    world
        .until(SECOND * 35, "the healthy revoked", healthy)
        .await;
    // An answer has ended the row: its events are believed again, until the next twenty.
    sleep(SECOND * 100).await;
    assert_eq!(world.broker.dead().len(), 38);
    assert!(paused(&world));
    publish(&world, &["c"], 51..=60).await;
    world.settled(SECOND * 100).await;
    assert_eq!(world.broker.dead().len(), 40);
    sleep(SECOND).await;
    assert_eq!(world.worker.board.snapshot().state, State::Running);
}

#[tokio::test(start_paused = true)]
async fn of_one_publisher_only_its_own_events_wait() {
    let world = World::plain();
    world.stytch.fault(|asked| {
        let number = asked.call.strip_prefix("revoke s")?.parse::<u64>().ok()?;
        (number <= 30 && asked.now < SECOND * 30).then_some(NEW)
    });
    publish(&world, &["a"], 1..=30).await;
    assert_eq!(world.broker.dead().len(), 19);
    assert_eq!(world.journal.count("retry 60s"), 11);
    assert_eq!(world.worker.board.snapshot().state, State::Running);
    publish(&world, &["b"], 31..=31).await;
    assert!(!world.stytch.is_alive(31), "at once");
    world.settled(SECOND * 70).await;
    assert_eq!(world.broker.dead().len(), 19);
    assert_eq!(world.journal.count("outcome urgent.revoked"), 12);
}

/// Its events go the way of every retry, and it ends.
#[tokio::test(start_paused = true)]
async fn one_publishers_events_do_not_wait_for_ever() {
    let world = World::plain();
    world.stytch.fault(|asked| is_message(asked).then_some(NEW));
    publish(&world, &["a"], 1..=21).await;
    world.settled(SECOND * 3600).await;
    assert_eq!(world.journal.count("dead api_other"), 21);
    assert_eq!(world.journal.count("retry"), 2 * 3);
}

#[tokio::test(start_paused = true)]
async fn answers_between_them_let_them_be_believed() {
    let world = World::plain();
    world.stytch.fault(|asked| {
        let number = asked.call.strip_prefix("revoke s")?.parse::<u64>().ok()?;
        (number % 10 != 0).then_some(NEW)
    });
    publish(&world, &["a", "b"], 1..=100).await;
    world.settled(SECOND * 5).await;
    assert_eq!(world.journal.count("dead api_other"), 90);
    assert_eq!(world.journal.count("canary"), 0);
}
