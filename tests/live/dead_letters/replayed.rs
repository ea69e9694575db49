//! What is sent back: after the cause is mended exactly that is done, before that next to nothing is sent.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Crafted, LONGEST};
use crate::harness::{Event, PATIENCE, World, once::Ended, wait, worker::Worker};

/// Dead letters of events that a fault of the pretend API has refused, with this word.
async fn refused(world: &World, sessions: &[String], word: &str) -> Vec<Event> {
    let by_id: serde_json::Map<_, _> = sessions
        .iter()
        .map(|id| (id.clone(), json!(word)))
        .collect();
    world.sandbox.faults(&json!({ "by_id": by_id })).await;
    let before = world.broker.depth("dead").await.unwrap();
    let events: Vec<_> = sessions.iter().map(|id| Event::session(id)).collect();
    world.broker.publish(&events).await;
    let wanted = before + u32::try_from(events.len()).unwrap();
    wait::until("all are dead", PATIENCE, async || {
        world.broker.depth("dead").await >= Some(wanted)
    })
    .await;
    events
}

async fn revoked(world: &World) -> BTreeSet<String> {
    let sessions = world.sandbox.sessions().await.into_values();
    let revoked = sessions.filter(|session| session.revoked_at_ms.is_some());
    revoked.map(|session| session.session_id).collect()
}

async fn replay(world: &World, arguments: &[&str]) -> Ended {
    let replay = [
        "replay",
        "--yes",
        "--why",
        "it is mended",
        "--by",
        "alice",
        "--json",
    ];
    world.dead_letters(&[&replay[..], arguments].concat()).await
}

async fn end(world: &World, worker: &mut Worker) {
    assert!(worker.terminate().await.0.success());
    assert_eq!(world.broker.queued().await, 0);
}

/// Who did it, why and how many: once before, once after.
async fn check_recorded(world: &World) {
    let records = world.records().await;
    let [before, after] = &records[..] else {
        panic!("{records:?}")
    };
    for (record, done) in [(before, false), (after, true)] {
        let (kind, by, why, letters) = record;
        assert_eq!(
            (kind.as_str(), by.as_str()),
            ("dead_letters_replayed", "alice")
        );
        assert_eq!(why.as_deref(), Some("it is mended"));
        assert_eq!((letters.done, letters.letters), (done, 21));
        assert_eq!(letters.filter, "--code invalid_session_id");
        assert_eq!(letters.codes["invalid_session_id"], 21);
    }
    assert_eq!(before.3.deed_id, after.3.deed_id);
}

#[tokio::test]
async fn one_cause_after_its_mending_revokes_exactly_those() {
    let world = World::new("replayed").await;
    let (keys, _) = world.key_ring();
    let keys = keys.display().to_string();
    let mut worker = world
        .worker()
        .set("REVOKER_SEAL_KEY_FILE", keys)
        .start()
        .await;
    let mended = world.sandbox.seed_sessions(20).await;
    let others = world.sandbox.seed_sessions(5).await;
    let (of_token, token) = world.sandbox.seed_token().await;
    refused(&world, &mended, "invalid_session_id").await;
    refused(&world, &others, "invalid_user_id").await;
    world
        .sandbox
        .faults(&json!({"by_id": {&token: "invalid_session_id"}}))
        .await;
    world
        .broker
        .publish_one(&Event::new(json!({ "session_token": token })).bulk())
        .await;
    world.until_dead(26).await;
    world.sandbox.faults(&json!({})).await;
    assert_eq!(world.sandbox.revoked().await, 0);

    let plan = world
        .dead_letters_json(&["replay", "--code", "invalid_session_id"])
        .await;
    assert_eq!(
        (&plan["would_replay"], &plan["replayed"]),
        (&21.into(), &0.into()),
        "{plan}"
    );
    let outcomes = world.broker.outcomes().await.len();
    let ended = replay(&world, &["--code", "invalid_session_id", "--rate", "1000"]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    let result = ended.json();
    assert_eq!(
        (&result["replayed"], &result["done"], &result["stopped"]),
        (&21.into(), &21.into(), &Value::Null)
    );
    let wanted: BTreeSet<_> = mended.into_iter().chain([of_token]).collect();
    assert_eq!(
        revoked(&world).await,
        wanted,
        "the sealed one too, and no other"
    );
    world.until_dead(5).await;
    let told = world.broker.outcomes().await.split_off(outcomes);
    assert!(
        told.iter()
            .all(|o| o.outcome() == "revoked" && o.body["attempts"] == 0)
    );

    check_recorded(&world).await;
    end(&world, &mut worker).await;
}

#[tokio::test]
async fn a_cause_that_is_not_mended_stops_it_at_once() {
    let world = World::new("not-mended").await;
    let mut worker = world.worker().start().await;
    let sessions = world.sandbox.seed_sessions(30).await;
    refused(&world, &sessions, "invalid_session_id").await;
    let oldest = world.broker.dead_letters().await.remove(0);
    let ended = replay(&world, &["--rate", "1000"]).await;
    assert_eq!(ended.code, 1, "{ended:?}");
    let result = ended.json();
    assert_eq!(
        (&result["replayed"], &result["stopped"]),
        (&1.into(), &"comes_back".into())
    );
    world.until_dead(30).await;
    // The count of replays goes round with the event, and somebody has to insist in the end.
    let id = oldest.ours("event-id");
    for round in 2..=3 {
        assert_eq!(replay(&world, &["--event-id", id]).await.code, 1);
        let shown = world.dead_letters_json(&["show", id]).await;
        assert_eq!(
            (&shown["replays"], &shown["attempts"]),
            (&round.into(), &0.into()),
            "{shown}"
        );
    }
    let ended = replay(&world, &["--event-id", id]).await;
    assert_eq!(
        (ended.code, &ended.json()["refused"]["too_often"]),
        (0, &1.into()),
        "{ended:?}"
    );
    world.sandbox.faults(&json!({})).await;
    let ended = replay(&world, &["--event-id", id, "--force"]).await;
    assert_eq!(
        (ended.code, &ended.json()["done"]),
        (0, &1.into()),
        "{ended:?}"
    );
    assert_eq!(
        revoked(&world).await,
        BTreeSet::from([oldest.ours("target").to_owned()])
    );
    end(&world, &mut worker).await;
}

#[tokio::test]
async fn an_interrupted_one_leaves_the_rest() {
    let world = World::new("interrupted").await;
    let mut worker = world.worker().start().await;
    let sessions = world.sandbox.seed_sessions(40).await;
    let letters = sessions
        .iter()
        .map(|id| Crafted::new("attempts_exhausted", id).event(None));
    world.broker.publish(&letters.collect::<Vec<_>>()).await;
    let arguments = [
        "dead-letters",
        "replay",
        "--yes",
        "--why",
        "x",
        "--rate",
        "2",
        "--json",
    ];
    let mut process = world.worker().spawn_of(&arguments);
    wait::until("some are revoked", PATIENCE, async || {
        world.sandbox.revoked().await >= 3
    })
    .await;
    process.signal("INT");
    assert_eq!(
        process.exit(LONGEST).await.code(),
        Some(1),
        "{}",
        process.log()
    );
    let log = process.log();
    let result: Value = log
        .lines()
        .find_map(|line| serde_json::from_str(line).ok())
        .unwrap();
    assert_eq!(result["stopped"], "interrupted", "{log}");
    end(&world, &mut worker).await;
    let (revoked, dead) = (revoked(&world).await.len(), world.dead_ids().await.len());
    assert_eq!(
        (revoked + dead, result["replayed"].as_u64()),
        (40, Some(revoked as u64))
    );
    assert_eq!(world.records().await.len(), 2, "what was done is recorded");
}

/// Without any tool of ours.
#[tokio::test]
async fn a_plain_shovel_is_a_replay_of_what_is_in_clear() {
    let world = World::new("shovelled").await;
    let mut worker = world.worker().start().await;
    let sessions = world.sandbox.seed_sessions(6).await;
    let events = refused(&world, &sessions, "invalid_session_id").await;
    world.sandbox.faults(&json!({})).await;
    let mut shovelled = Vec::new();
    world
        .broker
        .take_dead_letters(6, |letter| {
            let mut event = Event::raw(letter.body.clone()).by(&letter.routing_key);
            event.properties = letter.properties.clone();
            event = event.in_exchange(letter.ours("lane"));
            shovelled.push(event);
        })
        .await;
    world.broker.publish(&shovelled).await;
    wait::until("all are revoked", PATIENCE, async || {
        world.sandbox.revoked().await == 6
    })
    .await;
    end(&world, &mut worker).await;
    let outcomes = world.broker.outcomes().await;
    for event in events {
        let of_event = outcomes.iter().filter(|o| o.event_id() == event.id);
        let told: Vec<_> = of_event.map(|o| o.outcome()).collect();
        assert_eq!(told, ["dead_lettered", "revoked"]);
    }
    world.until_dead(0).await;
}
