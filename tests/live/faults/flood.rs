//! One publisher floods the urgent lane: the others' urgent events and bulk keep moving.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::sleep;

use super::{form::form, row::Row};
use crate::harness::{Event, PATIENCE, World, ledger::Ledger};

/// Calls a second that the API allows, which nobody is told.
const LIMIT: &str = "200/s";
const BULK: usize = 100;
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
    let sessions = world.sandbox.sessions().await;
    let at = |event: &Event| sessions[ledger.session_of(event)].revoked_at_ms.unwrap();
    let waited: Vec<_> = others
        .iter()
        .zip(asked)
        .map(|(event, asked)| at(event) - asked)
        .collect();
    let start = flooding.iter().map(at).min().unwrap();
    let end = flooding.iter().map(at).max().unwrap() - start;
    let b: Vec<_> = bulk.iter().map(|e| at(e) - start).collect();
    eprintln!(
        "waited {waited:?}, bulk {:?}..{:?}, flood {end}",
        b.iter().min(),
        b.iter().max()
    );
}
