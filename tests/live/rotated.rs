//! The key ring changes while sealed retries wait: what still opens, what does not, and how it comes back.

use std::process::Command;

use revoker::settle::seal::KeyRing;
use serde_json::json;

use crate::harness::{Event, PATIENCE, World, wait, worker::Settings};

/// Runs `revoker keygen FLAG FILE`.
fn keygen(flag: &str, file: &std::path::Path) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_revoker"));
    let done = command
        .args(["keygen", flag])
        .arg(file)
        .env_clear()
        .output();
    assert!(done.unwrap().status.success());
}

/// Workers that put a failing event into a delay queue at once, long enough to change the ring meanwhile.
fn worker<'w>(world: &'w World, ring: &std::path::Path) -> Settings<'w> {
    let settings = world.worker().set("REVOKER_SEAL_KEY_FILE", ring.display());
    settings
        .set("REVOKER_ATTEMPTS", 1)
        .set("REVOKER_RETRY_DELAYS", "10s")
}

/// Publishes an event with a token whose session fails, and ends the worker when it waits, sealed.
async fn leave_a_sealed_retry(world: &World, ring: &std::path::Path) -> String {
    let mut first = worker(world, ring).start().await;
    let (session, token) = world.sandbox.seed_token().await;
    world
        .sandbox
        .faults(&json!({ "by_id": { &token: "500" } }))
        .await;
    let event = Event::new(json!({ "session_token": token })).by("rotated");
    world.broker.publish_one(&event).await;
    wait::until("it waits in the delay queue", PATIENCE, async || {
        let metrics = first.metrics().await;
        metrics.sum("revoker_events_deferred_total", &[]) == 1.0
    })
    .await;
    assert!(first.terminate().await.0.success());
    world.sandbox.faults(&json!({})).await;
    session
}

async fn is_revoked(world: &World, session: &str) -> bool {
    world.sandbox.sessions().await[session]
        .revoked_at_ms
        .is_some()
}

#[tokio::test]
async fn what_was_sealed_before_a_rotation_is_done_after_it() {
    let world = World::new("rotated").await;
    let (path, _) = world.key_ring();
    let session = leave_a_sealed_retry(&world, &path).await;
    keygen("--rotate", &path);
    let mut second = worker(&world, &path).start().await;
    wait::until("it is revoked", PATIENCE, async || {
        is_revoked(&world, &session).await
    })
    .await;
    world.check_unharmed(&mut second).await;
    assert_eq!(world.broker.depth("dead").await, Some(0));
}

#[tokio::test]
async fn without_its_key_it_stays_sealed_and_comes_back_with_it() {
    let world = World::new("key-gone").await;
    let (path, old) = world.key_ring();
    let session = leave_a_sealed_retry(&world, &path).await;
    let other = world.file("other.keys");
    keygen("--output", &other);
    let mut without = worker(&world, &other).start().await;
    let letter = world.letter_of("rotated").await;
    assert_eq!(letter.ours("code"), "seal_key_unknown");
    let delayed = world.broker.name("urgent.retry.10s");
    assert_eq!(
        letter.ours("queue"),
        delayed,
        "it is bound to its delay queue still"
    );
    let wrong = KeyRing::parse(&std::fs::read_to_string(&other).unwrap()).unwrap();
    assert!(
        wrong
            .open(&delayed, letter.ours("event-id"), &letter.body)
            .is_err()
    );
    let (_, body) = letter.opened(&old);
    assert!(body.windows(13).any(|bytes| bytes == b"session_token"));
    assert!(!is_revoked(&world, &session).await);
    assert!(without.terminate().await.0.success());

    // The key comes back at the end of the file: it opens, and the newer one seals.
    let keys = [&other, &path].map(|file| std::fs::read_to_string(file).unwrap());
    std::fs::write(&other, keys.join("\n")).unwrap();
    let mut mended = worker(&world, &other).start().await;
    let mut taken = Vec::new();
    world
        .broker
        .take_dead_letters(1, |letter| taken.push(letter))
        .await;
    let letter = taken.remove(0);
    let again = Event::raw(letter.body)
        .by("rotated")
        .in_exchange("urgent.return")
        .with(|_| letter.properties);
    world.broker.publish_one(&again).await;
    wait::until("it is revoked", PATIENCE, async || {
        is_revoked(&world, &session).await
    })
    .await;
    world.check_unharmed(&mut mended).await;
    assert_eq!(world.broker.depth("dead").await, Some(0));
}
