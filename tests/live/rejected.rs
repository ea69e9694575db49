//! Every refusal of an event, through the whole worker: one dead letter each, with its code and text,
//! and what stood in the event is seen by nobody without the key.

#[path = "../it/event/fixture.rs"]
#[allow(dead_code, reason = "data of other tests, too")]
mod fixture;
#[path = "../it/event/promised.rs"]
mod promised;
#[path = "../it/event/refused.rs"]
mod refused;

use std::collections::{BTreeMap, BTreeSet};

use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable},
};
use revoker::event::Code;
use serde_json::json;

use crate::harness::{
    Event, PATIENCE, World,
    read::{DeadLetter, Outcome},
    secret::assert_withheld,
    wait,
};
use fixture::*;
use refused::{Refused, refused};

/// A refusal whose text holds how far a time is ahead of the clock: its own test has a fixed one.
const BY_CLOCK: Code = Code::TimeInFuture;

/// Codes that no table has.
fn further() -> Vec<Refused> {
    let by_jwt = |jwt: &str| body(json!({"session_id": null, "session_jwt": jwt}));
    vec![
        refused(
            body(json!({"note": "SECRET_CANARY\n"})),
            "control_character: note has a control character (at character 14); write it as one line of text",
        ),
        refused(
            body(json!({"project_id": CANARY})),
            "wrong_project: project_id is not the project that this worker serves; publish to that project's worker",
        ),
        refused(
            by_jwt(CANARY),
            "jwt_malformed: session_jwt is not three base64url parts (44 characters, value withheld); a session token goes in \"session_token\", an id in \"session_id\"",
        ),
        refused(
            by_jwt(&jwt(&json!({"aud": CANARY}))),
            "jwt_wrong_project: session_jwt was issued for another project than the one this worker serves; publish to that project's worker",
        ),
        refused(
            by_jwt(&jwt_of(CANARY)),
            "jwt_no_session: session_jwt names a session by something that is no session id; send the session_id instead",
        ),
    ]
}

fn all() -> Vec<Refused> {
    let groups = [
        refused::no_object(),
        refused::broken_json(),
        refused::properties(),
        refused::names(),
        refused::misleading_hints(),
        refused::wrong_types(),
        refused::unknown_types(),
        promised::bodies(),
        promised::names_and_targets(),
        promised::values(),
        further(),
    ];
    let rows: Vec<_> = groups.into_iter().flatten().collect();
    let seen: BTreeSet<_> = rows.iter().map(code).collect();
    let codes = Code::ALL.iter().filter(|code| **code != BY_CLOCK);
    assert_eq!(seen, codes.map(|code| code.as_str()).collect());
    rows
}

fn code(row: &Refused) -> &str {
    row.wanted.split(": ").next().unwrap_or_default()
}

/// The publisher of a row: the one thing of it that a dead letter and an outcome always show.
fn publisher(row: usize) -> String {
    format!("row-{row}")
}

/// The row as a message, with the secret wherever a publisher can put one.
fn event(at: usize, row: &Refused) -> Event {
    let mut headers = FieldTable::default();
    for name in ["tenant", "x-tenant", "revoker-text", CANARY] {
        headers.insert(name.into(), AMQPValue::LongString(CANARY.into()));
    }
    let copies = vec![AMQPValue::LongString(CANARY.into())];
    headers.insert("CC".into(), AMQPValue::FieldArray(copies.into()));
    let mut properties = BasicProperties::default()
        .with_headers(headers)
        .with_message_id(CANARY.into())
        .with_correlation_id(CANARY.into())
        .with_type(CANARY.into())
        .with_app_id(CANARY.into());
    if let Some(content_type) = row.content_type {
        properties = properties.with_content_type(content_type.into());
    }
    if let Some(content_encoding) = row.content_encoding {
        properties = properties.with_content_encoding(content_encoding.into());
    }
    Event::raw(row.body.clone())
        .by(&publisher(at))
        .in_exchange(lane(at))
        .with(|_| properties)
}

fn lane(at: usize) -> &'static str {
    if at.is_multiple_of(2) {
        "urgent"
    } else {
        "bulk"
    }
}

#[tokio::test]
async fn every_refusal_is_one_sealed_dead_letter_that_shows_nothing() {
    let rows = all();
    let world = World::with_sandbox("rejected", &["--project-id", PROJECT]).await;
    let (keys, ring) = world.key_ring();
    let mut worker = world
        .worker()
        .set("REVOKER_STYTCH_PROJECT_ID", PROJECT)
        .set("REVOKER_SEAL_KEY_FILE", keys.display())
        .set("REVOKER_LOG", "trace")
        .start()
        .await;
    let events: Vec<_> = rows
        .iter()
        .enumerate()
        .map(|(at, r)| event(at, r))
        .collect();
    world.broker.publish(&events).await;
    let dead = "revoker_dead_letters_total";
    wait::until("all are dead-lettered", PATIENCE, async || {
        worker.metrics().await.sum(dead, &[]) >= rows.len() as f64
    })
    .await;

    let letters = world.broker.dead_letters().await;
    let mut by_row: BTreeMap<String, &DeadLetter> = BTreeMap::new();
    for letter in &letters {
        let twice = by_row.insert(letter.routing_key.clone(), letter);
        assert!(twice.is_none(), "{} came twice", letter.routing_key);
    }
    assert_eq!(by_row.len(), rows.len());
    for (at, row) in rows.iter().enumerate() {
        let letter = by_row[&publisher(at)];
        check_letter(letter, at, row);
        let (properties, body) = letter.opened(&ring);
        assert_eq!(body, row.body);
        assert_eq!(properties.message_id.as_deref(), Some(CANARY));
        assert_eq!(properties.content_type.as_deref(), row.content_type);
        let kept: Vec<_> = properties.headers.iter().map(|(name, _)| name).collect();
        assert_eq!(kept, [CANARY, "tenant"], "nothing that steers a broker");
    }
    check_outcomes(&world.broker.outcomes().await, &rows);

    let metrics = worker.metrics().await;
    for code in rows.iter().map(code).collect::<BTreeSet<_>>() {
        let wanted = rows.iter().filter(|row| self::code(row) == code).count() as f64;
        let rejected = metrics.sum("revoker_events_rejected_total", &[("code", code)]);
        assert_eq!(rejected, wanted, "{code}");
        assert_eq!(metrics.sum(dead, &[("code", code)]), wanted, "{code}");
    }
    for secret in [CANARY, TOKEN] {
        worker.assert_withholds(secret).await;
    }
    let stats = world.sandbox.stats().await.to_string();
    assert_eq!(world.sandbox.revoked().await, 0, "{stats}");
    assert!(worker.terminate().await.0.success());
    assert_eq!(world.broker.queued().await, 0);
    assert_eq!(world.broker.depth("dead").await, Some(rows.len() as u32));
}

fn check_letter(letter: &DeadLetter, at: usize, row: &Refused) {
    assert_eq!(letter.ours("code"), code(row));
    assert_eq!(letter.ours("text"), row.wanted);
    assert_eq!(letter.ours("lane"), lane(at));
    assert_eq!(letter.ours("publisher"), publisher(at));
    // The broker adds the count itself, when it gives the letter out.
    let known = |name: &&String| name.starts_with("revoker-") || *name == "x-delivery-count";
    let strangers: Vec<_> = letter.headers.keys().filter(|name| !known(name)).collect();
    assert!(strangers.is_empty(), "{strangers:?}");
    for secret in [CANARY, TOKEN] {
        letter.assert_withholds(secret);
    }
}

fn check_outcomes(outcomes: &[Outcome], rows: &[Refused]) {
    assert_eq!(outcomes.len(), rows.len());
    for (at, row) in rows.iter().enumerate() {
        let key = format!("{}.dead_lettered.{}", lane(at), publisher(at));
        let mut own = outcomes.iter().filter(|outcome| outcome.routing_key == key);
        let outcome = own.next().expect("an outcome for each");
        assert_eq!(outcome.body["code"], code(row));
        for secret in [CANARY, TOKEN] {
            assert_withheld("an outcome", outcome.body.to_string(), secret);
        }
    }
}
