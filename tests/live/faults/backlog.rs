//! A million events wait, and then poison of every kind: memory stays as it is, each event has its one
//! end, and nothing shows what a publisher wrote.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::json;
use uuid::Uuid;

use super::{
    form::form,
    refused_kinds::{
        self as kinds, PROJECT_ID, Refused, SECRETS, check_letter, check_opened, check_outcome,
    },
    row::{Row, proc_kib},
};
use crate::harness::{Event, PATIENCE, World, wait, worker::Worker};

/// Memory of the worker, at any time.
const RSS_KIB_MAX: u64 = 64 << 10;
/// Events published at once: more need not be in the test's own memory.
const CHUNK: usize = 5_000;
/// Sessions in one request: the sandbox takes bodies of up to 64 KiB.
const SEED: usize = 1_000;
/// Outcomes that are read again, at most: all of them are in memory then.
const OUTCOMES_MAX: usize = 20_000;

#[tokio::test]
async fn row_13_backlog() {
    let events = form(6_000, 100_000, 1_000_000);
    let mut row = Row::new(13, "backlog");
    let world = World::new("backlog").await;
    world.declare().await;
    publish_backlog(&world, events).await;
    let worker = world.worker().set("REVOKER_START_RATE", "10000/s");
    // A line for each event would be a file of its own size.
    let worker = worker.set("REVOKER_LOG", "warn,revoker::cli=info");
    let mut worker = worker.start().await;
    row.begins(&worker);
    let revoked = async || world.sandbox.revoked().await as usize;
    for (part, name) in [(events / 2, "half"), (events, "all")] {
        wait::until(name, longest(events), async || revoked().await >= part).await;
        let (now, most) = check_memory(&worker);
        eprintln!("{name} of {events} done: {now} KiB, {most} at most");
    }
    row.ends(&worker);
    check_calm(&worker).await;
    assert!(worker.terminate().await.0.success());

    // Each session is named by one event: as many as events are all of them, and each once.
    let stats = world.sandbox.stats().await;
    let of = |end: &str| stats["revokes"][end].as_u64().unwrap();
    row.events += events as u64;
    row.faults += 1;
    row.lost += events as u64 - of("revoked");
    row.duplicated += of("gone");
    row.wrongly_dead_lettered += u64::from(world.broker.depth("dead").await.unwrap());
    assert_eq!((row.lost, row.wrongly_dead_lettered), (0, 0));
    assert_eq!(stats["sessions"]["live"], 0);
    assert_eq!(
        row.duplicated, 0,
        "nothing was killed: nothing is done twice"
    );
    assert_eq!(world.broker.queued().await, 0);
}

/// What a slow machine needs for so many.
fn longest(events: usize) -> Duration {
    PATIENCE + Duration::from_millis(events as u64 * 2)
}

async fn publish_backlog(world: &World, events: usize) {
    // Ids by number: a million of them need not be remembered.
    let first = Uuid::new_v4().as_u128();
    for from in (0..events).step_by(CHUNK) {
        let ids: Vec<_> = (from..events.min(from + CHUNK))
            .map(|at| {
                format!(
                    "session-test-{}",
                    Uuid::from_u128(first.wrapping_add(at as u128))
                )
            })
            .collect();
        for ids in ids.chunks(SEED) {
            world.sandbox.seed(&json!({ "session_ids": ids })).await;
        }
        let lane = |at: usize| {
            if at.is_multiple_of(10) {
                "urgent"
            } else {
                "bulk"
            }
        };
        let events = ids.iter().enumerate();
        let events = events.map(|(at, id)| Event::session(id).in_exchange(lane(at)));
        world.broker.publish(&events.collect::<Vec<_>>()).await;
    }
}

/// Memory now and at most, KiB.
fn check_memory(worker: &Worker) -> (u64, u64) {
    let figures = ["VmRSS:", "VmHWM:"].map(|figure| proc_kib(worker.process.pid(), figure));
    let [now, most] = figures;
    assert!(most <= RSS_KIB_MAX, "{most} KiB of memory, {now} now");
    (now, most)
}

/// It has neither ended nor lost its broker.
async fn check_calm(worker: &Worker) {
    let metrics = worker.metrics().await;
    for none in ["revoker_amqp_reconnects_total", "revoker_task_panics_total"] {
        assert_eq!(metrics.sum(none, &[]), 0.0, "{none}");
    }
}

#[tokio::test]
async fn row_13_poison() {
    let poison = form(2_000, 20_000, 200_000);
    let mut row = Row::new(13, "poison");
    let kinds = kinds::all();
    let world = World::with_sandbox("poison-flood", &["--project-id", PROJECT_ID]).await;
    let (keys, ring) = world.key_ring();
    let worker = world
        .worker()
        .set("REVOKER_STYTCH_PROJECT_ID", PROJECT_ID)
        .set("REVOKER_SEAL_KEY_FILE", keys.display())
        .set("REVOKER_LOG", form("trace", "debug", "info"));
    let mut worker = worker.start().await;
    row.begins(&worker);
    let mut seen = BTreeSet::new();
    let publishing = publish_poison(&world, &kinds, poison);
    let taking = world.broker.take_dead_letters(poison, |letter| {
        let at = kinds::place(&letter.routing_key);
        let kind = &kinds[at % kinds.len()];
        assert!(seen.insert(at), "message {at} came twice");
        check_letter(&letter, at, kind);
        if at < kinds.len() {
            check_opened(&letter, kind, &ring);
        }
    });
    let ((), ()) = tokio::join!(publishing, taking);
    row.ends(&worker);
    let (now, most) = check_memory(&worker);
    eprintln!(
        "{poison} messages of {} kinds: {now} KiB, {most} at most",
        kinds.len()
    );
    row.events += poison as u64;
    row.faults += poison as u64;
    row.lost += (poison - seen.len()) as u64;
    assert_eq!(row.lost, 0);

    check_told(&world, &worker, &kinds, poison).await;
    for secret in SECRETS {
        worker.assert_withholds(secret).await;
    }
    assert_eq!(world.sandbox.stats().await["calls"]["revoke"], 0);
    assert!(worker.terminate().await.0.success());
    assert_eq!(world.broker.queued().await, 0);
    assert_eq!(world.broker.depth("dead").await, Some(0), "some came twice");
}

async fn publish_poison(world: &World, kinds: &[Refused], poison: usize) {
    for from in (0..poison).step_by(CHUNK / 10) {
        let events = from..poison.min(from + CHUNK / 10);
        let events = events.map(|at| kinds::event(at, &kinds[at % kinds.len()]));
        world.broker.publish(&events.collect::<Vec<_>>()).await;
    }
}

/// Metrics and outcomes tell of each.
async fn check_told(world: &World, worker: &Worker, kinds: &[Refused], poison: usize) {
    let completed = "revoker_events_completed_total";
    wait::until("all are counted", PATIENCE, async || {
        worker.metrics().await.sum(completed, &[]) >= poison as f64
    })
    .await;
    check_calm(worker).await;
    let mut wanted = BTreeMap::new();
    for at in 0..poison {
        *wanted
            .entry(kinds::code(&kinds[at % kinds.len()]))
            .or_insert(0.0) += 1.0;
    }
    let metrics = worker.metrics().await;
    for (code, wanted) in wanted {
        for name in [
            "revoker_events_rejected_total",
            "revoker_dead_letters_total",
        ] {
            assert_eq!(
                metrics.sum(name, &[("code", code)]),
                wanted,
                "{name}, {code}"
            );
        }
    }
    let recorded = [("to", "outcome"), ("result", "ack")];
    let recorded = metrics.sum("revoker_amqp_publishes_total", &recorded);
    assert_eq!(recorded, poison as f64);
    if poison <= OUTCOMES_MAX {
        let outcomes = world.broker.outcomes().await;
        let told: BTreeSet<_> = outcomes
            .iter()
            .map(|o| o.body["publisher"].as_str())
            .collect();
        assert_eq!((outcomes.len(), told.len()), (poison, poison));
        outcomes
            .iter()
            .for_each(|outcome| check_outcome(outcome, kinds));
    }
}
