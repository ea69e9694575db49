//! One event that can never be done holds no other up.

use std::time::Duration;

use revoker::gate::breaker::FAILURES_TO_PROBE;
use serde_json::json;

use crate::harness::{Event, PATIENCE, World, wait, worker::Worker};

/// Good events behind the poison.
const GOOD: usize = 50;
/// They are promised to be done within this.
const GOOD_DONE_WITHIN: Duration = Duration::from_secs(15);
/// Attempts in memory, enough for the worker to ask itself whether the API is out; each of the two
/// delays adds one.
const ATTEMPTS: u32 = FAILURES_TO_PROBE + 1;

#[tokio::test]
async fn one_that_fails_for_ever_is_dead_lettered_alone() {
    for lane in ["urgent", "bulk"] {
        let (world, _worker, poison) = good_ones_are_done_behind(lane, "500").await;
        wait::until("the poison is dead-lettered", PATIENCE, async || {
            world.broker.depth("dead").await == Some(1)
        })
        .await;
        let letter = &world.broker.dead_letters().await[0];
        let attempts = (ATTEMPTS + 2).to_string();
        assert_eq!(letter.ours("event-id"), poison.id);
        assert_eq!(letter.ours("code"), "attempts_exhausted");
        assert_eq!(letter.ours("attempts"), attempts);
        assert_eq!(letter.ours("retries"), "2");
        assert_eq!(letter.ours("lane"), lane);
        assert_eq!(letter.body, poison.body);
        let outcomes = world.broker.outcomes().await;
        let dead: Vec<_> = outcomes
            .iter()
            .filter(|o| o.outcome() == "dead_lettered")
            .collect();
        assert_eq!(outcomes.len(), GOOD + 1);
        assert_eq!(dead.len(), 1);
        assert_eq!(dead[0].event_id(), poison.id);
        assert_eq!(dead[0].body["code"], "attempts_exhausted");
    }
}

#[tokio::test]
async fn one_that_is_refused_for_the_rate_for_ever_stays_alone() {
    let (world, _worker, _) = good_ones_are_done_behind("urgent", "429").await;
    assert_eq!(world.broker.depth("dead").await, Some(0));
}

/// The poison is published first, on an idle lane; returns when all the good ones are done.
async fn good_ones_are_done_behind(lane: &str, fault: &str) -> (World, Worker, Event) {
    let world = World::new("poison").await;
    let ids = world.sandbox.seed_sessions(GOOD + 1).await;
    world
        .sandbox
        .faults(&json!({ "by_id": { &ids[0]: fault } }))
        .await;
    let worker = world
        .worker()
        .set("REVOKER_ATTEMPTS", ATTEMPTS)
        .start()
        .await;
    let poison = Event::session(&ids[0]).in_exchange(lane);
    world.broker.publish_one(&poison).await;
    wait::until("the poison looks like an outage", PATIENCE, async || {
        world.sandbox.sessions().await[&ids[0]].revoke_calls >= FAILURES_TO_PROBE.into()
    })
    .await;
    let good: Vec<_> = ids[1..]
        .iter()
        .map(|id| Event::session(id).in_exchange(lane))
        .collect();
    world.broker.publish(&good).await;
    let took = wait::until("the good ones are revoked", GOOD_DONE_WITHIN, async || {
        world.sandbox.revoked().await == GOOD as u64
    })
    .await;
    eprintln!("{lane}, {fault}: {GOOD} behind the poison took {took:.1?}");
    (world, worker, poison)
}
