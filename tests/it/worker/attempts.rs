//! One event that fails by itself: how often and when it is tried, and that it harms no other.

use std::time::Duration;

use revoker::{
    revoke::outcome::Failure,
    settle::delay::{self, STEP_MAX},
};
use serde_json::json;
use tokio::time::sleep;

use super::{
    event,
    posted::header,
    stytch::{Answer, LATENCY},
    world::{Setup, World},
};

/// A turn may take this much longer than the event's own wait.
const SLACK: Duration = Duration::from_millis(500);
/// Long enough for every retry delay.
const LONG: Duration = Duration::from_secs(3600);
const OLD: &str = "2026-11-22T06:00:00Z";
const SERVER_ERROR: Answer = Answer::Says(500, "internal_server_error");

/// Event 1 gets this answer for ever; nothing else is wrong.
fn poisoned(setup: &Setup, seed: u64, answer: Answer) -> World {
    let world = World::new(setup, seed);
    world
        .stytch
        .fault(move |asked| (asked.call == "revoke s1").then_some(answer));
    world.publish(event(1, json!({})));
    world
}

/// The waits between the calls for event 1.
fn gaps(world: &World) -> Vec<Duration> {
    let calls = world.journal.times("revoke s1");
    calls.windows(2).map(|two| two[1] - two[0]).collect()
}

#[tokio::test(start_paused = true)]
async fn six_attempts_in_memory_then_each_delay_then_the_dead_letter() {
    let failures = [
        (SERVER_ERROR, "server_error"),
        (Answer::Says(503, ""), "server_error"),
        (Answer::Fails(Failure::Timeout), "timeout"),
        (Answer::Fails(Failure::Network), "network"),
        (Answer::Fails(Failure::InvalidResponse), "invalid_response"),
    ];
    for (seed, (failure, cause)) in (1..).zip(failures) {
        let world = poisoned(&Setup::default(), seed, failure);
        world.settled(LONG).await;
        let gaps = gaps(&world);
        assert_eq!(gaps.len(), 8, "nine calls");
        for (attempt, gap) in (1..).zip(&gaps[..5]) {
            let max = LATENCY + delay::step(attempt) + SLACK;
            assert!(
                (LATENCY..max).contains(gap),
                "after attempt {attempt}: {gap:?}"
            );
        }
        for (delay, gap) in [60, 600, 600].into_iter().zip(&gaps[5..]) {
            let delay = Duration::from_secs(delay);
            assert!(
                (delay..delay + SLACK).contains(gap),
                "{gap:?} for {delay:?}"
            );
        }
        let ours = world
            .journal
            .lines()
            .into_iter()
            .filter(|line| line.ends_with("e1"));
        let wanted = [
            "retry 60s e1",
            "ack e1",
            "retry 600s e1",
            "ack e1",
            "retry 600s e1",
            "ack e1",
            "dead attempts_exhausted e1",
            "outcome urgent.dead_lettered e1",
            "ack e1",
        ];
        assert_eq!(ours.collect::<Vec<_>>(), wanted);
        let letter = &world.broker.dead()[0];
        assert_eq!(header(letter, "revoker-attempts").as_deref(), Some("9"));
        assert_eq!(header(letter, "revoker-retries").as_deref(), Some("3"));
        let first = header(letter, "revoker-first-received-at").unwrap();
        assert_eq!(first, "2026-11-22T06:30:00Z");
        let cause = format!("cause=\"{cause}\"");
        assert_eq!(world.total("revoker_retries_total", &[&cause]), 8.0);
        let received = |delivery| world.total("revoker_events_received_total", &[delivery]);
        assert_eq!(received("delivery=\"first\""), 1.0);
        assert_eq!(received("delivery=\"retry\""), 3.0);
    }
}

#[tokio::test(start_paused = true)]
async fn without_delays_the_dead_letter_follows_the_last_attempt() {
    let mut setup = Setup::default();
    setup.settle.retry_delays.clear();
    let world = poisoned(&setup, 1, SERVER_ERROR);
    world.settled(Duration::from_secs(60)).await;
    assert_eq!(world.journal.count("revoke s1"), 6);
    assert_eq!(world.journal.count("dead attempts_exhausted e1"), 1);
}

#[tokio::test(start_paused = true)]
async fn the_steps_of_the_wait_end_at_fifteen_seconds() {
    let mut setup = Setup::default();
    setup.settle.attempts = 20;
    setup.settle.retry_delays.clear();
    let world = poisoned(&setup, 7, SERVER_ERROR);
    world.settled(LONG).await;
    let gaps = gaps(&world);
    assert_eq!(gaps.len(), 19);
    assert!(
        gaps.iter().all(|gap| *gap < LATENCY + STEP_MAX + SLACK),
        "{gaps:?}"
    );
    assert!(
        gaps.iter().any(|gap| *gap > STEP_MAX / 2),
        "no long wait: {gaps:?}"
    );
}

/// One event first that gets this answer for ever, then 50 good ones: those are done in 15 s.
async fn check_poison(answer: Answer) -> World {
    let world = poisoned(&Setup::default(), 3, answer);
    // Alone at first: the poison is all that is known of the API when the others come.
    sleep(Duration::from_secs(1)).await;
    for n in 2..=51 {
        world.stytch.open(n, 1, OLD);
        world.publish(event(n, json!({})));
    }
    let done = |world: &World| world.journal.count("outcome urgent.revoked") == 50;
    world.until(Duration::from_secs(15), "done", done).await;
    assert_eq!(world.total("revoker_dead_letters_total", &[]), 0.0);
    world
}

#[tokio::test(start_paused = true)]
async fn a_poison_that_always_fails_holds_up_no_other() {
    let world = check_poison(SERVER_ERROR).await;
    world.settled(LONG).await;
    assert_eq!(world.journal.count("dead attempts_exhausted e1"), 1);
    assert_eq!(world.broker.dead().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_poison_with_a_429_of_its_own_holds_up_no_other() {
    check_poison(Answer::Says(429, "too_many_requests")).await;
}

#[tokio::test(start_paused = true)]
async fn a_poison_on_an_idle_lane_is_told_from_an_outage_by_a_canary() {
    let world = poisoned(&Setup::default(), 1, SERVER_ERROR);
    world.settled(LONG).await;
    assert!(world.journal.count("canary") >= 1);
    let probing = ["to=\"probing\""];
    let paused = ["to=\"paused\""];
    assert!(world.total("revoker_breaker_transitions_total", &probing) >= 1.0);
    assert_eq!(
        world.total("revoker_breaker_transitions_total", &paused),
        0.0
    );
}

#[tokio::test(start_paused = true)]
async fn the_classic_rule_counts_every_failure() {
    for answer in [Answer::Says(429, "too_many_requests"), SERVER_ERROR] {
        let mut setup = Setup::classic();
        setup.settle.retry_delays.clear();
        let world = World::new(&setup, 1);
        world.stytch.fault(move |_| Some(answer));
        for n in 1..=10 {
            world.publish(event(n, json!({})));
        }
        world.settled(LONG).await;
        assert_eq!(world.journal.count("dead attempts_exhausted"), 10);
        assert_eq!(world.journal.count("revoke"), 60, "six attempts each");
        assert_eq!(world.journal.count("canary"), 0);
        assert_eq!(world.total("revoker_retries_total", &[]), 50.0);
    }
}
