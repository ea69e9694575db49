//! One event that can never be done comes first on an idle lane: it holds no other up.

use std::time::Duration;

use futures_util::future::join_all;
use revoker::gate::breaker::FAILURES_TO_PROBE;
use serde_json::json;

use super::row::Row;
use crate::harness::{Event, PATIENCE, World, ledger::Ledger, wait};

/// Good events behind the poison.
const GOOD: usize = 50;
/// They are promised to be done within this.
const GOOD_DONE_WITHIN: Duration = Duration::from_secs(15);
/// Attempts in memory, enough for the worker to ask itself whether the API is out; each of the two
/// delays adds one.
const ATTEMPTS: u32 = FAILURES_TO_PROBE + 1;

/// How it fails for ever, in which lane.
const POISONS: [(&str, &str, &str); 4] = [
    ("poison answered 500", "500", "urgent"),
    ("poison answered 500, bulk", "500", "bulk"),
    ("poison answered 429", "429", "urgent"),
    ("poison answered 429, bulk", "429", "bulk"),
];

#[tokio::test]
async fn row_17_poison_first() {
    join_all(POISONS.map(|(name, fault, lane)| check(name, fault, lane))).await;
}

async fn check(name: &'static str, fault: &str, lane: &str) {
    let mut row = Row::new(17, name);
    let world = World::new("poison").await;
    let ids = world.sandbox.seed_sessions(GOOD + 1).await.into_iter();
    let event = |id: String| (Event::session(&id).in_exchange(lane), id);
    let mut good: Vec<_> = ids.map(event).collect();
    let (poison, id) = good.pop().expect("one more than good ones");
    let poison = poison.by("poison");
    world
        .sandbox
        .faults(&json!({ "by_id": { &id: fault } }))
        .await;
    let worker = world.worker().set("REVOKER_ATTEMPTS", ATTEMPTS);
    let mut worker = worker.start().await;
    row.begins(&worker);
    row.faults += 1;
    world.broker.publish_one(&poison).await;
    let calls = async || world.sandbox.sessions().await[&id].revoke_calls;
    wait::until("the poison looks like an outage", PATIENCE, async || {
        calls().await >= FAILURES_TO_PROBE.into()
    })
    .await;
    let events: Vec<_> = good.iter().map(|(event, _)| event.clone()).collect();
    world.broker.publish(&events).await;
    let took = wait::until("the good ones are revoked", GOOD_DONE_WITHIN, async || {
        world.sandbox.revoked().await == GOOD as u64
    })
    .await;
    eprintln!("{name}: {GOOD} good ones behind it took {took:.1?}");

    let mut refused = 0;
    let ledger = if fault == "500" {
        let dead = vec![(poison.clone(), "attempts_exhausted")];
        Ledger::of(&world, good, dead).await
    } else {
        // Refused for the rate: it costs no attempt, and once it is let in it is done.
        assert_eq!(world.broker.depth("dead").await, Some(0));
        world.sandbox.faults(&json!({})).await;
        good.push((poison.clone(), id.clone()));
        Ledger::of(&world, good, Vec::new()).await
    };
    ledger.settled(&world, PATIENCE).await;
    row.ends(&worker);
    assert!(worker.terminate().await.0.success());
    if fault == "500" {
        assert_eq!(calls().await, u64::from(ATTEMPTS) + 2);
        check_letter(&world, &poison, lane).await;
    } else {
        refused = calls().await - 1;
    }
    let mut tally = ledger.tally(&world).await;
    // A call that failed as it was told to was not made for nothing.
    tally.calls -= refused;
    assert_eq!(row.judge(&tally), 0, "nothing is done twice for it");
}

/// The poison alone is dead-lettered, as it came, after all its attempts.
async fn check_letter(world: &World, poison: &Event, lane: &str) {
    let letter = world.letter_of("poison").await;
    assert_eq!(letter.ours("event-id"), poison.id);
    assert_eq!(letter.ours("attempts"), (ATTEMPTS + 2).to_string());
    assert_eq!(letter.ours("retries"), "2");
    assert_eq!(letter.ours("lane"), lane);
    assert_eq!(letter.body, poison.body);
    let outcomes = world.broker.outcomes().await;
    assert_eq!(outcomes.len(), GOOD + 1);
    let dead = outcomes.iter().filter(|o| o.outcome() == "dead_lettered");
    let dead: Vec<_> = dead
        .map(|o| (o.event_id(), o.body["code"].as_str()))
        .collect();
    assert_eq!(dead, [(poison.id.as_str(), Some("attempts_exhausted"))]);
}
