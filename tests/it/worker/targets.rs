//! Each kind of target, when all is well: which calls it takes, what is told, and that the ack is last.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    event,
    stytch::{session, token, user},
    world::{PROJECT, World},
};
use crate::event::fixture::jwt;

/// What lies before the event.
const OLD: &str = "2026-11-22T06:00:00Z";
/// What lies after it.
const NEW: &str = "2026-11-22T06:29:59Z";

/// An event with these changes, in a world where user 1 has the old sessions 1 and 2 and the new 3:
/// the journal, whatever members of its outcome are given here, and which sessions live on.
async fn check(changes: Value, journal: &[&str], told: Value, alive: &[u64]) {
    let world = World::plain();
    for (n, started_at) in [(1, OLD), (2, OLD), (3, NEW)] {
        world.stytch.open(n, 1, started_at);
    }
    world.publish(event(1, changes));
    world.settled(Duration::from_secs(5)).await;
    assert_eq!(world.journal.lines(), journal);
    let outcome = &world.broker.outcomes()[0];
    for (name, value) in told.as_object().unwrap() {
        assert_eq!(outcome[name], *value, "{name} of {outcome:#}");
    }
    assert!(!outcome.to_string().contains(&token(2)), "{outcome:#}");
    let living: Vec<u64> = (1..=3).filter(|n| world.stytch.is_alive(*n)).collect();
    assert_eq!(living, alive);
    let word = outcome["outcome"].as_str().unwrap();
    let labels = ["lane=\"urgent\"", &format!("outcome=\"{word}\"")];
    assert_eq!(world.total("revoker_events_completed_total", &labels), 1.0);
    assert_eq!(world.total("revoker_events_completed_total", &[]), 1.0);
    assert_eq!(world.total("revoker_dead_letters_total", &[]), 0.0);
    let calls = journal.iter().filter(|line| !line.contains(" e1")).count();
    assert_eq!(
        world.total("revoker_stytch_requests_total", &[]),
        calls as f64
    );
}

#[tokio::test(start_paused = true)]
async fn a_session_takes_one_call() {
    let told = json!({
        "outcome": "revoked", "target_kind": "session", "target": session(1), "attempts": 0,
        "publisher": "auth", "lane": "urgent", "request_id": "request-id-test-1",
    });
    let journal = ["revoke s1", "outcome urgent.revoked e1", "ack e1"];
    check(json!({}), &journal, told, &[2, 3]).await;
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_gone_is_told_as_such() {
    let journal = ["revoke s9", "outcome urgent.already_gone e1", "ack e1"];
    let told = json!({
        "outcome": "already_gone", "code": "session_not_found", "target": session(9),
    });
    check(
        json!({"session_id": session(9)}),
        &journal,
        told,
        &[1, 2, 3],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_token_is_called_with_and_told_by_its_hmac() {
    let journal = ["revoke token", "outcome urgent.revoked e1", "ack e1"];
    let changes = json!({"session_id": null, "session_token": token(2)});
    let told = json!({"outcome": "revoked", "target_kind": "token"});
    check(changes, &journal, told, &[1, 3]).await;
}

#[tokio::test(start_paused = true)]
async fn a_jwt_becomes_the_session_it_names() {
    let claims = json!({
        "aud": [PROJECT], "exp": 1, "https://stytch.com/session": {"id": session(2)},
    });
    let journal = ["revoke s2", "outcome urgent.revoked e1", "ack e1"];
    let changes = json!({"session_id": null, "session_jwt": jwt(&claims)});
    let told = json!({"outcome": "revoked", "target_kind": "session", "target": session(2)});
    check(changes, &journal, told, &[1, 3]).await;
}

#[tokio::test(start_paused = true)]
async fn a_user_is_listed_until_no_old_session_is_left() {
    let journal = [
        "list u1",
        "revoke s2",
        "revoke s1",
        "list u1",
        "outcome urgent.revoked e1",
        "ack e1",
    ];
    let changes = json!({"session_id": null, "user_id": user(1)});
    let told = json!({
        "outcome": "revoked", "target_kind": "user", "target": user(1), "sessions": 2,
        "sessions_newer": 1, "newest_started_at": NEW, "cutoff": "2026-11-22T06:29:58Z",
    });
    check(changes, &journal, told, &[3]).await;
}

#[tokio::test(start_paused = true)]
async fn a_user_may_keep_one_session() {
    let journal = [
        "list u1",
        "revoke s1",
        "list u1",
        "outcome urgent.revoked e1",
        "ack e1",
    ];
    let changes = json!({"session_id": null, "user_id": user(1), "keep_session_id": session(2)});
    check(changes, &journal, json!({"sessions": 1}), &[2, 3]).await;
}

#[tokio::test(start_paused = true)]
async fn a_user_nobody_knows_has_no_session() {
    let journal = ["list u7", "outcome urgent.already_gone e1", "ack e1"];
    let changes = json!({"session_id": null, "user_id": user(7)});
    let told = json!({"sessions": 0, "code": "user_not_found"});
    check(changes, &journal, told, &[1, 2, 3]).await;
}

/// Known, and already logged out: no code, or a mistyped user id would look the same.
#[tokio::test(start_paused = true)]
async fn a_user_without_an_old_session_is_told_apart_from_one_nobody_knows() {
    let journal = ["list u1", "outcome urgent.already_gone e1", "ack e1"];
    let cutoff = "2026-11-22T05:00:00Z";
    let changes = json!({"session_id": null, "user_id": user(1), "cutoff": cutoff});
    let told = json!({"sessions": 0, "sessions_newer": 3, "code": null});
    check(changes, &journal, told, &[1, 2, 3]).await;
}

#[tokio::test(start_paused = true)]
async fn a_verify_takes_no_call() {
    let journal = ["outcome urgent.verified e1", "ack e1"];
    let changes = json!({"type": "session.revoke.verify.v1", "session_id": null});
    check(
        changes,
        &journal,
        json!({"outcome": "verified"}),
        &[1, 2, 3],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_event_past_its_time_takes_no_call() {
    let journal = ["outcome urgent.obsolete e1", "ack e1"];
    let changes = json!({"not_after": "2026-11-22T06:29:59Z"});
    check(
        changes,
        &journal,
        json!({"outcome": "obsolete"}),
        &[1, 2, 3],
    )
    .await;
}
