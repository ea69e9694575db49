//! The worker's wall clock jumps by an hour and by a day, forth and back, while it works.
//!
//! libfaketime stands between the worker and the C library: the wall clock is what a file says, the
//! monotonic one stays as it is, as when somebody sets the clock of a machine.

use std::{path::Path, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{form::form, row::Row};
use crate::harness::{
    Event, PATIENCE, World,
    certificates::libfaketime,
    ledger::{BYSTANDERS, Ledger},
    wait,
    worker::Worker,
};

/// What the clock is wrong by, one after the other: hours.
const JUMPS: [i64; 8] = [1, 0, -1, 0, 24, -24, 24, 0];
/// Seconds for which libfaketime may not see that the file has changed.
const CACHED_S: u64 = 1;
/// Events in a burst at each jump, beside one of a user; every third fails at first.
const BURST: usize = 12;
/// Fails so often: attempts in memory and the first delay in the broker are used.
const FAILS: u32 = 3;
/// A user's sessions are older than the largest jump: which are to be revoked is a matter of clocks.
const USER_SESSIONS: usize = 2;
const SESSION_AGE_H: i64 = 72;
/// The longest that nothing may be revoked, on a busy machine: what waits, waits for a second or two.
const GAP_MAX: Duration = Duration::from_secs(20);
/// Between two clocks of one machine that are read one after the other.
const CLOCK_S: f64 = 30.0;
/// What a jump may not move.
const NONE_OF: [&str; 4] = [
    "revoker_events_rejected_total",
    "revoker_dead_letters_total",
    "revoker_amqp_reconnects_total",
    "revoker_task_panics_total",
];

#[tokio::test]
async fn row_11_clock_jumps() {
    let (rounds, stays_s) = form((1, 4), (2, 6), (6, 10));
    let mut row = Row::new(11, "clock jumps");
    let world = World::new("clock").await;
    let mut bursts = Vec::new();
    for _ in 0..rounds * JUMPS.len() {
        bursts.push(burst(&world).await);
    }
    let ledger = Ledger::of(&world, bursts.concat(), Vec::new()).await;
    let failing = ledger
        .events
        .iter()
        .filter(|event| event.publisher == "failing");
    let fault = json!({ "fault": "500", "times": FAILS });
    let faults = failing.map(|event| (ledger.session_of(event).to_owned(), fault.clone()));
    let faults: serde_json::Map<_, _> = faults.collect();
    let failing = faults.len();
    world.sandbox.faults(&json!({ "by_id": faults })).await;

    let clock = world.file("clock");
    set(&clock, 0);
    let mut worker = start(&world, &clock).await;
    row.begins(&worker);
    for (hours, burst) in JUMPS.iter().cycle().zip(&bursts) {
        row.faults += 1;
        set(&clock, *hours);
        let until = Instant::now() + Duration::from_secs(stays_s);
        sleep(Duration::from_secs(CACHED_S)).await;
        let events: Vec<_> = burst.iter().map(|(event, _)| event.clone()).collect();
        world.broker.publish(&events).await;
        check_clock(&worker, *hours).await;
        tokio::time::sleep_until(until).await;
        assert!(worker.is_ready().await, "not ready at {hours} h");
    }
    ledger.settled(&world, PATIENCE).await;
    row.ends(&worker);
    let metrics = worker.metrics().await;
    for none in NONE_OF {
        assert_eq!(metrics.sum(none, &[]), 0.0, "{none}");
    }
    assert!(worker.terminate().await.0.success());
    let mut tally = ledger.tally(&world).await;
    // A call that failed as it was told to was not made for nothing.
    tally.calls -= failing as u64 * u64::from(FAILS);
    assert_eq!(row.judge(&tally), 0, "nothing is done twice for it");
    let gap = tally.longest_gap;
    assert!(gap <= GAP_MAX, "{gap:?} without a revocation");
    let live = world.sandbox.stats().await["sessions"]["live"].clone();
    assert_eq!(live, BYSTANDERS, "sessions of users that are left");
}

/// The wall clock is wrong by so many hours from now on.
fn set(clock: &Path, hours: i64) {
    // Whole or not at all: it is read at any time.
    let new = clock.with_extension("new");
    std::fs::write(&new, format!("{:+}", hours * 3600)).unwrap();
    std::fs::rename(&new, clock).unwrap();
}

/// A worker whose wall clock that file sets.
async fn start(world: &World, clock: &Path) -> Worker {
    let worker = world.worker().set("REVOKER_ATTEMPTS", 2);
    worker
        .set("LD_PRELOAD", libfaketime().display())
        .set("FAKETIME_TIMESTAMP_FILE", clock.display())
        .set("FAKETIME_CACHE_DURATION", CACHED_S)
        .set("FAKETIME_DONT_FAKE_MONOTONIC", 1)
        .start()
        .await
}

async fn burst(world: &World) -> Vec<(Event, String)> {
    let ids = world.sandbox.seed_sessions(BURST).await.into_iter();
    let event = |(at, id): (usize, String)| {
        let event = Event::session(&id);
        let event = if at % 2 == 0 { event } else { event.bulk() };
        let by = if at % 3 == 0 { "failing" } else { "good" };
        (event.by(by), id)
    };
    let mut events: Vec<_> = ids.enumerate().map(event).collect();
    let started_at = Timestamp::now() - SignedDuration::from_hours(SESSION_AGE_H);
    let (user, mut sessions) = world.sandbox.seed_user(USER_SESSIONS, started_at).await;
    events.push((Event::user(&user), sessions.remove(0)));
    events
}

/// The worker lives in that time: the last event it took in tells.
async fn check_clock(worker: &Worker, hours: i64) {
    let last = "revoker_last_received_event_timestamp_seconds";
    let now = || Timestamp::now().as_second() as f64 + hours as f64 * 3600.0;
    wait::until("the worker's clock has jumped", PATIENCE, async || {
        let metrics = worker.metrics().await;
        let at = |lane| metrics.sum(last, &[("lane", lane)]);
        (at("urgent") - now()).abs() < CLOCK_S && (at("bulk") - now()).abs() < CLOCK_S
    })
    .await;
}
