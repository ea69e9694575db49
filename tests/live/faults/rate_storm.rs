//! The API answers 429 to everything for a while, with `Retry-After` and without, as it allowed more before.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{form::form, row::Row};
use crate::harness::{PATIENCE, World, ledger::Ledger, wait, worker::Worker};

const EVENTS: usize = 120;
/// Seconds that the API asks to wait for, where it does.
const RETRY_AFTER_S: u64 = 3;
/// Time for the holds to grow, and for urgent to have tried its best.
const GROWS: Duration = Duration::from_secs(4);
/// Calls a second, once they have grown: each lane tries now and then whether it is over.
const CALLS_PER_SECOND_MAX: f64 = 1.0;

/// After a long block the rate begins near nothing: as much as got through in all that time.
const SETTLES_WITHIN: Duration = Duration::from_secs(240);

/// What goes with the 429s.
const WAYS: [(&str, Option<u64>, bool); 3] = [
    ("429", None, false),
    ("429 with seconds", Some(RETRY_AFTER_S), false),
    ("429 with a date", Some(RETRY_AFTER_S), true),
];

#[tokio::test]
async fn row_09_rate_storm() {
    let lasts = Duration::from_secs(form(8, 20, 60));
    join_all(WAYS.map(|(name, after, date)| check(name, after, date, lasts))).await;
}

async fn check(name: &'static str, after: Option<u64>, date: bool, lasts: Duration) {
    let mut row = Row::new(9, name);
    let world = World::new("storm").await;
    let mut worker = world.worker().start().await;
    let ledger = Ledger::of_good(&world, EVENTS).await;
    let (before, behind) = ledger.events.split_at(EVENTS / 4);
    world.broker.publish(before).await;
    wait::until("the work is on its way", PATIENCE, async || {
        world.sandbox.revoked().await > 5
    })
    .await;
    row.begins(&worker);
    row.faults += 1;
    let storm = json!({"answer_all": "429", "retry_after": after, "retry_after_date": date});
    world.sandbox.faults(&storm).await;
    world.broker.publish(behind).await;
    outlast(&mut row, &world, &worker, lasts).await;

    world.sandbox.faults(&json!({})).await;
    let over = Instant::now();
    ledger.settled(&world, SETTLES_WITHIN).await;
    eprintln!(
        "{name}: all was done {:.1?} after the storm",
        over.elapsed()
    );
    wait::until("the worker is at full speed again", PATIENCE, async || {
        worker.metrics().await.state() == "running"
    })
    .await;
    row.ends(&worker);
    assert!(worker.terminate().await.0.success());
    row.judge(&ledger.tally(&world).await);
    for outcome in world.broker.outcomes().await {
        let attempts = &outcome.body["attempts"];
        // To be told to slow down is no event's failure.
        assert_eq!((outcome.outcome(), attempts), ("revoked", &json!(0)));
    }
}

/// Next to nothing goes, and nothing is done while there is nothing to do.
async fn outlast(row: &mut Row, world: &World, worker: &Worker, lasts: Duration) {
    wait::until("the worker says so", PATIENCE, async || {
        worker.metrics().await.state() == "throttled"
    })
    .await;
    sleep(GROWS).await;
    let (revoked, before, since) = (
        world.sandbox.revoked().await,
        calls(world).await,
        Instant::now(),
    );
    row.waits(worker, lasts).await;
    let calls = calls(world).await - before;
    let waited = since.elapsed();
    eprintln!("{calls} calls in {waited:.1?} of a storm");
    assert!(calls >= 1, "nobody looks whether it is over");
    assert!(calls as f64 <= waited.as_secs_f64() * CALLS_PER_SECOND_MAX);
    assert_eq!(world.sandbox.revoked().await, revoked);
    let metrics = worker.metrics().await;
    assert_eq!(metrics.state(), "throttled");
    assert_eq!(metrics.sum("revoker_dead_letters_total", &[]), 0.0);
}

async fn calls(world: &World) -> u64 {
    let stats: Value = world.sandbox.stats().await;
    stats["calls"]["revoke"].as_u64().unwrap()
}
