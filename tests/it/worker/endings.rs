//! Lives that are cut short: the link falls, the worker stops, a message brings it to panic.

use std::time::Duration;

use revoker::{telemetry::state::State, worker::End};
use serde_json::json;
use tokio::time::sleep;

use super::{
    event,
    posted::{Fate, Posted},
    stytch::Answer,
    world::{Setup, World},
};

const OLD: &str = "2026-11-22T06:00:00Z";
const SECOND: Duration = Duration::from_secs(1);
const DRAIN: Duration = Duration::from_secs(25);

/// A world in which these sessions are open and their events are published.
fn begin(setup: &Setup, events: u64) -> World {
    let world = World::new(setup, 1);
    for n in 1..=events {
        world.stytch.open(n, 1, OLD);
        world.publish(event(n, json!({})));
    }
    world
}

/// One call at a time, for all lanes.
fn one_slot() -> Setup {
    let mut setup = Setup::default();
    (setup.gate.slots, setup.gate.slots_urgent_only) = (1, 0);
    setup
}

fn received(world: &World, delivery: &str) -> f64 {
    let delivery = format!("delivery=\"{delivery}\"");
    world.total("revoker_events_received_total", &[&delivery])
}

#[tokio::test(start_paused = true)]
async fn a_link_that_falls_during_a_call_brings_the_event_again() {
    let mut world = begin(&Setup::default(), 1);
    world
        .stytch
        .fault(|asked| (asked.nth == 1).then_some(Answer::Slow(SECOND * 4)));
    sleep(SECOND).await;
    world.reconnect().await;
    world.settled(SECOND * 10).await;
    // The second delivery waits for the first one's call; the first can tell and ack nothing any more.
    let wanted = ["revoke s1", "outcome urgent.revoked e1", "ack e1"];
    assert_eq!(world.journal.lines(), wanted);
    sleep(SECOND * 5).await;
    assert_eq!(
        world.journal.lines(),
        wanted,
        "nothing more was published or acked"
    );
    assert_eq!(
        (received(&world, "first"), received(&world, "redelivered")),
        (1.0, 1.0)
    );
    assert_eq!(world.total("revoker_events_returned_total", &[]), 1.0);
    assert_eq!(world.total("revoker_events_completed_total", &[]), 1.0);
    assert_eq!(world.total("revoker_inflight_events", &[]), 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_link_that_falls_ends_every_wait_at_once() {
    let mut world = begin(&one_slot(), 5);
    // Event 1 waits for its next attempt, 2 is on the wire, the others wait for its slot.
    world.stytch.fault(|asked| match (asked.call, asked.nth) {
        ("revoke s1", 1) => Some(Answer::Says(429, "user_lock_limit_reached")),
        ("revoke s2", 1) => Some(Answer::Slow(SECOND * 6)),
        _ => None,
    });
    sleep(Duration::from_millis(60)).await;
    world.broker.cut();
    sleep(Duration::from_millis(10)).await;
    assert_eq!(
        world.total("revoker_inflight_events", &[]),
        1.0,
        "only the call on the wire"
    );
    assert_eq!(world.total("revoker_events_returned_total", &[]), 4.0);
    world.connect();
    world.settled(SECOND * 20).await;
    assert_eq!(world.journal.count("ack e"), 5);
    assert_eq!(world.journal.count("stale"), 0);
    assert_eq!(received(&world, "redelivered"), 5.0);
}

/// The link falls with the first publish: nothing is acked, and the event comes again.
async fn check_cut(fate: Fate, wanted: &[&str]) {
    let mut world = begin(&Setup::default(), 1);
    let mut first = true;
    let fates = move |_: &Posted<'_>| std::mem::take(&mut first).then_some(fate);
    world.broker.fault(fates);
    sleep(SECOND).await;
    assert_eq!(world.broker.left(), [1, 0, 0], "{fate:?}");
    assert_eq!(
        world.total("revoker_events_returned_total", &[]),
        1.0,
        "{fate:?}"
    );
    assert_eq!(
        world.total("revoker_events_completed_total", &[]),
        0.0,
        "{fate:?}"
    );
    world.connect();
    world.settled(SECOND * 10).await;
    assert_eq!(world.journal.lines(), wanted);
    assert_eq!(
        world.total("revoker_events_completed_total", &[]),
        1.0,
        "{fate:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_link_that_falls_before_the_ack_brings_the_event_again() {
    // No second call is needed, and the outcome is the event's own, not that of a duplicate.
    let (revoked, ack) = ("outcome urgent.revoked e1", "ack e1");
    let kept = ["revoke s1", revoked, "stale ack e1", revoked, ack];
    check_cut(Fate::KeptAndCut, &kept).await;
    let failed = "failed outcome urgent.revoked e1: LinkDown";
    check_cut(Fate::LostAndCut, &["revoke s1", failed, revoked, ack]).await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_wait_for_the_next_attempt() {
    let mut setup = Setup::default();
    setup.settle.attempts = 20;
    let world = begin(&setup, 1);
    world
        .stytch
        .fault(|_| Some(Answer::Says(429, "user_lock_limit_reached")));
    let tenth = |world: &World| world.journal.count("revoke s1") == 10;
    world
        .until(SECOND * 200, "at its tenth attempt", tenth)
        .await;
    sleep(Duration::from_millis(200)).await;
    let began = world.journal.now();
    assert_eq!(world.shut_down(DRAIN).await, End::Drained);
    assert!(world.journal.now() - began < Duration::from_millis(10));
    assert_eq!(world.total("revoker_events_returned_total", &[]), 1.0);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_dead_letter_of_its_event_alone() {
    let world = begin(&one_slot(), 5);
    world
        .stytch
        .fault(|asked| (asked.call == "revoke s2").then_some(Answer::Panics));
    world.settled(SECOND * 10).await;
    assert_eq!(world.journal.count("dead internal_error e2"), 1);
    assert_eq!(world.journal.count("outcome urgent.dead_lettered e2"), 1);
    assert_eq!(world.journal.count("outcome urgent.revoked"), 4);
    assert_eq!(world.broker.dead().len(), 1);
    assert_eq!(world.total("revoker_task_panics_total", &[]), 1.0);
    let labels = ["lane=\"urgent\"", "code=\"internal_error\""];
    assert_eq!(world.total("revoker_dead_letters_total", &labels), 1.0);
    assert_eq!(world.total("revoker_inflight_events", &[]), 0.0);
    assert_eq!(world.stytch.on_wire_max(), 1, "one slot, one call");
}

#[tokio::test(start_paused = true)]
async fn a_stop_finishes_what_is_on_the_wire_and_returns_what_waits() {
    let mut world = begin(&one_slot(), 4);
    world.stytch.fault(|asked| match (asked.call, asked.nth) {
        ("revoke s1", 1) => Some(Answer::Says(429, "user_lock_limit_reached")),
        ("revoke s2", _) => Some(Answer::Slow(SECOND * 6)),
        _ => None,
    });
    sleep(Duration::from_millis(60)).await;
    let began = world.journal.now();
    let end = world.shut_down(DRAIN).await;
    assert_eq!(end, End::Drained);
    assert!(
        world.journal.now() - began < SECOND * 7,
        "no longer than the call takes"
    );
    assert_eq!(world.worker.board.snapshot().state, State::Draining);
    assert!(!world.worker.board.snapshot().ready());
    let wanted = [
        "revoke s1",
        "revoke s2",
        "outcome urgent.revoked e2",
        "ack e2",
    ];
    assert_eq!(world.journal.lines(), wanted);
    assert_eq!(world.total("revoker_events_completed_total", &[]), 1.0);
    assert_eq!(world.total("revoker_events_returned_total", &[]), 3.0);
    assert_eq!(world.total("revoker_inflight_events", &[]), 0.0);
    world.assert_conserved();

    world.publish(event(5, json!({})));
    world.start_again(&Setup::default());
    world.settled(SECOND * 10).await;
    assert_eq!(
        (received(&world, "first"), received(&world, "redelivered")),
        (1.0, 3.0)
    );
    assert_eq!(world.journal.count("ack e"), 5);
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_a_pause() {
    let world = World::plain();
    world
        .stytch
        .fault(|_| Some(Answer::Says(401, "unauthorized_credentials")));
    for n in 1..=20 {
        world.publish(event(n, json!({})));
    }
    sleep(SECOND).await;
    let began = world.journal.now();
    assert_eq!(world.shut_down(DRAIN).await, End::Drained);
    assert!(world.journal.now() - began < SECOND);
    assert_eq!(world.total("revoker_events_returned_total", &[]), 20.0);
    assert_eq!(world.journal.count("ack"), 0);
    assert_eq!(world.broker.left(), [20, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_has_a_deadline() {
    let mut world = begin(&Setup::default(), 3);
    let endless = Answer::Slow(Duration::from_secs(600));
    world
        .stytch
        .fault(move |asked| (asked.nth == 1 && asked.call != "revoke s3").then_some(endless));
    sleep(SECOND).await;
    let began = world.journal.now();
    assert_eq!(world.shut_down(DRAIN).await, End::DeadlinePassed(2));
    assert_eq!(world.journal.now() - began, DRAIN);
    assert_eq!(world.total("revoker_inflight_events", &[]), 2.0);
    world.assert_conserved();
    world.start_again(&Setup::default());
    world.settled(SECOND * 10).await;
    assert_eq!(world.journal.count("ack e"), 3);
}

#[tokio::test(start_paused = true)]
async fn a_stopped_worker_takes_nothing_more() {
    let world = World::plain();
    assert_eq!(world.shut_down(DRAIN).await, End::Drained);
    world.publish(event(1, json!({})));
    sleep(SECOND).await;
    assert_eq!(world.total("revoker_events_received_total", &[]), 0.0);
    assert!(world.journal.lines().is_empty());
}
