//! The broker runs short of memory or disk and blocks whoever publishes.
//!
//! With a broker of the test's own: the alarm blocks every publisher there is.

use std::time::Duration;

use tokio::time::sleep;

use super::{form::form, row::Row};
use crate::harness::{Event, PATIENCE, World, ledger::Ledger, wait, worker::Worker};

/// Calls on the wire at once; the prefetch is twice as much, for each lane.
const SLOTS: u64 = 20;
/// Calls a second, so that the work outlasts the alarms.
const RATE: &str = "50/s";
/// How long the worker is watched while it waits.
const WATCHED: Duration = Duration::from_secs(5);
/// What raises an alarm, and what ends it.
const ALARMS: [[[&str; 3]; 2]; 2] = [
    [
        ["set_vm_memory_high_watermark", "absolute", "1MB"],
        ["set_vm_memory_high_watermark", "absolute", "1GB"],
    ],
    [
        ["set_disk_free_limit", "1000000GB", ""],
        ["set_disk_free_limit", "50MB", ""],
    ],
];

async fn ctl(world: &World, arguments: [&str; 3]) {
    let given = arguments.iter().filter(|argument| !argument.is_empty());
    world.node().ctl(&given.copied().collect::<Vec<_>>()).await;
}

async fn until_blocked(worker: &Worker, times: usize) {
    wait::until("the worker is blocked", PATIENCE, async || {
        worker.logged("the broker blocks publishing").len() >= times
    })
    .await;
}

#[tokio::test]
async fn row_06_broker_alarm() {
    // Longer than a confirm may take while nothing blocks it.
    let (events, alarms, lasts) = form((1_000, 1, 14), (2_000, 2, 40), (4_000, 4, 60));
    let mut row = Row::new(6, "broker blocks publishers");
    let world = World::with_own_node("alarm").await;
    let settings = world.worker().set("REVOKER_SLOTS", SLOTS);
    let mut worker = settings.paced(RATE).start().await;
    row.begins(&worker);
    let ledger = Ledger::new(&world, events).await;
    world.broker.publish(&ledger.events).await;

    for (n, [raise, end]) in ALARMS.into_iter().cycle().take(alarms).enumerate() {
        let before = world.sandbox.revoked().await;
        wait::until("the work is on its way", PATIENCE, async || {
            world.sandbox.revoked().await >= before + 100
        })
        .await;
        ctl(&world, raise).await;
        row.faults += 1;
        until_blocked(&worker, n + 1).await;
        sleep(Duration::from_secs(lasts) - WATCHED).await;
        row.waits(&worker, WATCHED).await;
        assert!(worker.process.ended().is_none());
        ctl(&world, end).await;
    }
    ledger.settled(&world, 3 * PATIENCE).await;
    row.ends(&worker);
    let metrics = worker.metrics().await;
    assert_eq!(metrics.sum("revoker_amqp_reconnects_total", &[]), 0.0);
    let late = metrics.sum("revoker_amqp_publishes_total", &[("result", "timeout")]);
    assert_eq!(late, 0.0, "a blocked publish is not one that failed");
    assert!(worker.terminate().await.0.success());
    // What was under way when the alarm came is confirmed after it, and not published again.
    assert_eq!(row.judge(&ledger.tally(&world).await), 0, "done twice");
}

/// What needs no publishing goes on, acks included: they have a connection of their own.
#[tokio::test]
async fn row_06_acks_pass_an_alarm() {
    let events = form(200, 200, 1_000);
    let mut row = Row::new(6, "acks pass the alarm");
    let world = World::with_own_node("acks").await;
    world.declare().await;
    let settings = || {
        let settings = world.worker().set("REVOKER_OUTCOMES", "off");
        settings.set("REVOKER_SLOTS", SLOTS)
    };
    let [raise, end] = ALARMS[0];
    // Its dead letter makes the worker one whom the broker blocks.
    world.broker.publish_one(&Event::raw("{").by("wrong")).await;
    let ids = world.sandbox.seed_sessions(events).await;
    let good: Vec<_> = ids.iter().map(|id| Event::session(id)).collect();
    world.broker.publish(&good).await;
    ctl(&world, raise).await;
    row.faults += 1;

    let mut worker = settings().launch().await;
    row.begins(&worker);
    wait::until("all are revoked and acked", PATIENCE, async || {
        let completed = worker.metrics().await;
        completed.sum("revoker_events_completed_total", &[]) == events as f64
    })
    .await;
    until_blocked(&worker, 1).await;
    // Acks are seen by what comes again after a crash.
    sleep(Duration::from_secs(1)).await;
    row.ends(&worker);
    worker.kill9();
    wait::until("the rest comes again", PATIENCE, async || {
        world.broker.depth("urgent").await == Some(1)
    })
    .await;
    ctl(&world, end).await;
    let mut worker = settings().start().await;
    wait::until("the rest is settled", PATIENCE, async || {
        let completed = worker.metrics().await;
        completed.sum("revoker_events_completed_total", &[]) == 1.0
    })
    .await;
    assert!(worker.terminate().await.0.success());
    let letters = world.broker.dead_letters().await;
    assert!(letters.iter().all(|l| l.routing_key == "wrong"));
    row.events += events as u64 + 1;
    // The publish that was blocked when the worker was killed may have arrived, too.
    row.duplicated += letters.len() as u64 - 1;
    assert!(row.duplicated <= 1, "{} dead letters", letters.len());
    assert_eq!(world.broker.queued().await, 0);
}
