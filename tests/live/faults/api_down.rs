//! The API is down for an hour of the worker's own waits: it refuses, fails, resets, or says nothing.
//!
//! What a worker does about an outage follows from its hold limit. At a sixtieth of the default, 10
//! seconds, a minute is an hour.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{
    form::form,
    row::{Row, rss_kib},
};
use crate::harness::{
    Event, PATIENCE, World, door::Door, ledger::Ledger, metrics::Metrics, wait, worker::Worker,
};

const HOLD_LIMIT: &str = "10s";
/// Calls a second that the API allows when it lives, which nobody is told.
const LIMIT: u64 = 50;
/// Urgent events, and as many publishers: none of them is over its allowance.
const URGENT: usize = 40;
const BULK: usize = 200;
/// Bulk events that may be done before the last urgent one: those that went while the urgent lane was
/// being taken in again.
const BULK_FIRST_MAX: usize = BULK / 10;
/// A canary goes each 5 s, less a fifth.
const PROBE_EVERY: Duration = Duration::from_secs(4);
/// The worker's memory may grow by so much while it waits.
const RSS_KIB_GROWTH_MAX: u64 = 2 << 10;
/// The share of calls that may be answered 429 when all is done afterwards.
const WASTED_MAX: f64 = 0.1;

/// Ways to be down: the port is closed, or this fault of the pretend API.
const WAYS: [(&str, Option<&str>); 5] = [
    ("API refuses", None),
    ("API answers 500", Some("500")),
    ("API answers 503", Some("503")),
    ("API resets", Some("reset")),
    ("API says nothing", Some("hang")),
];

#[tokio::test]
async fn row_08_api_down() {
    let lasts = Duration::from_secs(form(12, 30, 60));
    join_all(WAYS.map(|(name, fault)| check(name, fault, lasts))).await;
}

async fn check(name: &'static str, fault: Option<&str>, lasts: Duration) {
    let mut row = Row::new(8, name);
    let world = World::new("api-down").await;
    world.sandbox.faults(&plan(None)).await;
    let mut door = Door::before(&world.sandbox.url);
    let worker = world.worker().set("REVOKER_STYTCH_BASE_URL", &door.url);
    let worker = worker.set("REVOKER_HOLD_LIMIT", HOLD_LIMIT);
    let mut worker = worker.set("REVOKER_CALL_TIMEOUT", "1s").start().await;
    let ledger = ledger(&world).await;
    let (before, behind) = ledger.events.split_at(ledger.events.len() / 4);

    world.broker.publish(before).await;
    wait::until("the work is on its way", PATIENCE, async || {
        world.sandbox.revoked().await > 5
    })
    .await;
    row.begins(&worker);
    row.faults += 1;
    match fault {
        None => door.close().await,
        fault => world.sandbox.faults(&plan(fault)).await,
    }
    world.broker.publish(behind).await;
    outlast(&mut row, &worker, lasts).await;
    assert!(worker.process.ended().is_none(), "the worker has ended");

    let ended_at = jiff::Timestamp::now().as_second();
    match fault {
        None => door.open(),
        Some(_) => world.sandbox.faults(&plan(None)).await,
    }
    ledger.settled(&world, 2 * PATIENCE).await;
    row.ends(&worker);
    assert!(worker.terminate().await.0.success());
    row.judge(&ledger.tally(&world).await);
    check_urgent_first(&world, &ledger, behind).await;
    check_no_storm(&world, ended_at).await;
}

/// All well, or this fault in place of every answer.
fn plan(fault: Option<&str>) -> Value {
    json!({ "limit": { "per_second": LIMIT, "window": "fixed" }, "answer_all": fault })
}

async fn ledger(world: &World) -> Ledger {
    let ids = world.sandbox.seed_sessions(URGENT + BULK).await;
    let mut events: Vec<_> = ids.into_iter().enumerate().map(event).collect();
    fastrand::shuffle(&mut events);
    Ledger::of(world, events, Vec::new()).await
}

fn event((at, id): (usize, String)) -> (Event, String) {
    let event = Event::session(&id);
    match at < URGENT {
        true => (event.by(&format!("urgent-{at}")), id),
        false => (event.bulk(), id),
    }
}

/// Nothing goes but canaries, nothing grows, and nothing is done while there is nothing to do.
async fn outlast(row: &mut Row, worker: &Worker, lasts: Duration) {
    wait::until("all is given back", PATIENCE, async || {
        let metrics = worker.metrics().await;
        metrics.state() == "outage" && metrics.sum("revoker_inflight_events", &[]) == 0.0
    })
    .await;
    let (before, rss_before) = (worker.metrics().await, rss_kib(worker.process.pid()));
    row.waits(worker, lasts).await;
    let (after, rss_after) = (worker.metrics().await, rss_kib(worker.process.pid()));
    assert_eq!(after.state(), "outage");
    assert_eq!(after.sum("revoker_dead_letters_total", &[]), 0.0);
    let calls = |call: &str| requests(&after, call) - requests(&before, call);
    let probes = calls("probe");
    assert!(probes >= 1.0, "nobody looks whether the API lives");
    let probes_max = lasts.as_secs_f64() / PROBE_EVERY.as_secs_f64() + 2.0;
    assert!(probes <= probes_max, "{probes} canaries in {lasts:?}");
    assert_eq!(calls("revoke"), 0.0, "calls of messages in an outage");
    assert!(
        rss_after <= rss_before + RSS_KIB_GROWTH_MAX,
        "memory grew from {rss_before} to {rss_after} KiB in {lasts:?}"
    );
}

fn requests(metrics: &Metrics, call: &str) -> f64 {
    metrics.sum("revoker_stytch_requests_total", &[("call", call)])
}

/// Of what was published during the outage, urgent was done before bulk.
async fn check_urgent_first(world: &World, ledger: &Ledger, events: &[Event]) {
    let sessions = world.sandbox.sessions().await;
    let at = |event: &Event| sessions[ledger.session_of(event)].revoked_at_ms;
    let (urgent, bulk): (Vec<_>, Vec<_>) = events.iter().partition(|e| e.exchange == "urgent");
    let last_urgent = urgent.into_iter().map(at).max().flatten();
    let first: usize = bulk.iter().filter(|e| at(e) < last_urgent).count();
    let all = bulk.len();
    eprintln!("{first} of {all} bulk events were done before the last urgent one");
    assert!(first <= BULK_FIRST_MAX, "{first} bulk events went first");
}

/// The limit was felt for, not run against.
async fn check_no_storm(world: &World, ended_at: i64) {
    let (mut taken, mut refused) = (0, 0);
    let stats = world.sandbox.stats().await;
    for (second, calls) in stats["seconds"].as_object().expect("they are by second") {
        if second.parse::<i64>().unwrap() >= ended_at {
            taken += calls["revoke"]["taken"].as_u64().unwrap();
            refused += calls["revoke"]["refused"].as_u64().unwrap();
        }
    }
    let wasted = refused as f64 / (taken + refused) as f64;
    eprintln!(
        "{refused} of {} calls after the outage were refused",
        taken + refused
    );
    assert!(
        wasted <= WASTED_MAX,
        "{wasted:.3} of the calls were refused"
    );
}
