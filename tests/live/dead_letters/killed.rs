//! A replay that is killed: every event is dead, queued or done afterwards, and the next replay does the rest.

use std::collections::BTreeSet;

use lapin::options::ExchangeDeleteOptions;

use super::Crafted;
use crate::harness::{Event, PATIENCE, World, wait};

const SENT: usize = 300;
const OTHERS: usize = 50;

/// What was confirmed and not yet removed is both: revoked once, and dead as well.
async fn check_ledger(world: &World, letters: &[Event], sessions: &[String]) {
    assert_eq!(world.broker.queued().await, 0);
    let (dead, found) = (world.dead_ids().await, world.sandbox.sessions().await);
    let mut revoked = BTreeSet::new();
    for (letter, session) in letters.iter().zip(sessions) {
        let is_revoked = found[session].revoked_at_ms.is_some();
        assert!(
            is_revoked || dead.contains_key(&letter.id),
            "{} is lost",
            letter.id
        );
        revoked.extend(is_revoked.then(|| letter.id.clone()));
    }
    assert!(dead.values().all(|count| *count == 1), "{dead:?}");
    let both = revoked.iter().filter(|id| dead.contains_key(*id)).count();
    assert!(
        both <= 3,
        "{both} were sent and not removed by three that were killed"
    );
    assert!(revoked.len() < SENT, "nothing was left for the next");
}

#[tokio::test]
async fn loses_none() {
    let world = World::new("replay-killed").await;
    let mut worker = world.worker().start().await;
    let sessions = world.sandbox.seed_sessions(SENT + OTHERS).await;
    let letters: Vec<_> = sessions
        .iter()
        .enumerate()
        .map(|(n, id)| match n % 7 {
            6 => Crafted::new("expired", id).event(None),
            _ => Crafted::new("attempts_exhausted", id).event(None),
        })
        .collect();
    world.broker.publish(&letters).await;
    let arguments = [
        "dead-letters",
        "replay",
        "--code",
        "attempts_exhausted",
        "--yes",
        "--why",
        "mended",
        "--rate",
        "100",
    ];
    for wanted in [5, 40, 120] {
        let mut replay = world.worker().spawn_of(&arguments);
        wait::until("some are revoked", PATIENCE, async || {
            world.sandbox.revoked().await >= wanted || replay.ended().is_some()
        })
        .await;
        replay.kill9();
        wait::until("what it held is back", PATIENCE, async || {
            // A replay holds at least the others that it passed.
            let ids = world.dead_ids().await.len() as u64;
            ids + world.sandbox.revoked().await >= letters.len() as u64
        })
        .await;
    }
    assert!(worker.terminate().await.0.success());
    check_ledger(&world, &letters, &sessions).await;

    let mut worker = world.worker().start().await;
    let ended = world.worker().once(&arguments).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(worker.terminate().await.0.success());
    let expired = letters.len() / 7;
    assert_eq!(world.dead_ids().await.len(), expired);
    assert_eq!(
        world.sandbox.revoked().await,
        (letters.len() - expired) as u64
    );
}

/// What is not confirmed is not removed.
#[tokio::test]
async fn what_no_queue_takes_stays() {
    let world = World::new("no-way-back").await;
    world.declare().await;
    let letters = (0..3).map(|n| Crafted::new("expired", format!("session-{n}")).event(None));
    world.broker.publish(&letters.collect::<Vec<_>>()).await;
    let connection = world.broker.connect().await;
    let channel = connection.create_channel().await.unwrap();
    let back = world.broker.name("urgent.return");
    channel
        .exchange_delete(back.clone().into(), ExchangeDeleteOptions::default())
        .await
        .unwrap();
    let replay = ["replay", "--yes", "--why", "x"];
    let ended = world.dead_letters(&replay).await;
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.err.contains(&back), "{ended:?}");
    assert_eq!(world.dead_ids().await.len(), 3);
    let records = world.records().await;
    let done: Vec<_> = records
        .iter()
        .map(|(.., letters)| (letters.done, letters.letters))
        .collect();
    assert_eq!(
        done,
        [(false, 3), (true, 0)],
        "it was tried, and came to nothing"
    );
}
