//! One publisher floods the urgent lane: the others' urgent events and bulk keep moving.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::sleep;

use super::{form::form, row::Row};
use crate::harness::{Event, PATIENCE, World, ledger::Ledger};

/// Calls a second that the API allows, which nobody is told.
const LIMIT: &str = "200/s";
const BULK: usize = 100;
/// Bulk is done by this part of the flood's time: half of the flood was published before it.
const BULK_DONE_MAX: f64 = 0.8;
const OTHERS: usize = 20;
const OTHERS_EVERY: Duration = Duration::from_millis(500);

#[tokio::test]
async fn row_17_flood() {
    let flood = form(4_000, 10_000, 10_000);
    let mut row = Row::new(17, "flood");
    let arguments = ["--limit", LIMIT, "--window", "fixed", "--latency", "20ms"];
    let world = World::with_sandbox("flood", &arguments).await;
    let mut worker = world.worker().start().await;
    row.begins(&worker);
    row.faults += 1;
    let mut good = Vec::new();
    for id in world.sandbox.seed_sessions(flood).await {
        good.push((Event::session(&id).by("flood"), id));
    }
    for id in world.sandbox.seed_sessions(BULK).await {
        good.push((Event::session(&id).bulk(), id));
    }
    for (at, id) in world
        .sandbox
        .seed_sessions(OTHERS)
        .await
        .into_iter()
        .enumerate()
    {
        good.push((Event::session(&id).by(&format!("other-{at}")), id));
    }
    let ledger = Ledger::of(&world, good, Vec::new()).await;
    let (flooding, rest) = ledger.events.split_at(flood);
    let (bulk, others) = rest.split_at(BULK);
    world.broker.publish(&flooding[..flood / 2]).await;
    world.broker.publish(bulk).await;
    world.broker.publish(&flooding[flood / 2..]).await;
    let mut asked = Vec::new();
    for event in others {
        world.broker.publish_one(event).await;
        asked.push(Timestamp::now().as_millisecond());
        sleep(OTHERS_EVERY).await;
    }
    ledger.settled(&world, 4 * PATIENCE).await;
    row.ends(&worker);
    assert!(worker.terminate().await.0.success());
    row.judge(&ledger.tally(&world).await);
    check_moved(&world, &ledger, flood, &asked).await;
}

/// Bulk, and whoever was published behind the flood, was done before the flood was.
async fn check_moved(world: &World, ledger: &Ledger, flood: usize, asked_ms: &[i64]) {
    let sessions = world.sandbox.sessions().await;
    let at = |event: &Event| sessions[ledger.session_of(event)].revoked_at_ms.unwrap();
    let (flooding, rest) = ledger.events.split_at(flood);
    let (bulk, others) = rest.split_at(BULK);
    let [begun, ended] = {
        let times = || flooding.iter().map(at);
        [times().min().unwrap(), times().max().unwrap()]
    };
    let share = |event: &Event| (at(event) - begun) as f64 / (ended - begun) as f64;
    let bulk = bulk.iter().map(share).fold(0.0, f64::max);
    let others_done = others.iter().map(share).fold(0.0, f64::max);
    let waited_ms = others
        .iter()
        .zip(asked_ms)
        .map(|(event, asked)| at(event) - asked);
    eprintln!(
        "{flood} urgent of one publisher took {} ms; bulk was done after {bulk:.2} of it; others waited {} ms at most",
        ended - begun,
        waited_ms.max().unwrap(),
    );
    assert!(
        bulk <= BULK_DONE_MAX,
        "bulk waited for {bulk:.2} of the flood"
    );
    assert!(others_done <= 1.0, "others waited for all of the flood");
}
