//! What a dead letter says: of ours, of a newer worker's, and of anything else that lies there.

use std::collections::BTreeSet;

use bytes::Bytes;
use lapin::BasicProperties;
use revoker::{
    broker::headers::{found, fresh, read},
    event::{HeaderValue, Lane, Properties},
    settle::{
        code::Code,
        letter::{Cause, Found, Letter, REPLAYS_MAX, Refusal, Seal},
        seal::{CONTENT_TYPE, KeyRing, OpenError, new_key_line},
    },
};
use serde_json::Value;

use crate::compat::wire;

const QUEUE: &str = "revocation.dead";

/// The dead letter that is read for ever.
fn stored() -> (Found, Bytes) {
    let stored: Value =
        serde_json::from_str(include_str!("../compat/dead-letter-v1.json")).unwrap();
    let body = stored["body"].as_str().unwrap().to_owned();
    (found(&wire(&stored), "accounts"), body.into())
}

/// The same with some headers of ours changed, or taken away.
fn with(changed: &[(&str, Option<HeaderValue>)]) -> Found {
    let (mut found, _) = stored();
    for (name, value) in changed {
        found.ours.retain(|(other, _)| other != name);
        let value = value.clone().map(|value| ((*name).to_owned(), value));
        found.ours.extend(value);
    }
    found
}

fn text(value: &str) -> Option<HeaderValue> {
    Some(HeaderValue::Text(value.into()))
}

fn int(value: i64) -> Option<HeaderValue> {
    Some(HeaderValue::Int(value))
}

fn sealed(found: Found) -> Found {
    let properties = Properties {
        content_type: Some(CONTENT_TYPE.into()),
        ..Properties::default()
    };
    Found {
        properties,
        ..found
    }
}

#[test]
fn a_letter_of_version_1_says_all_it_knows() {
    let (found, body) = stored();
    let letter = Letter::read(&found, &body, None);
    assert_eq!(letter.cause.as_str(), "invalid_session_id");
    assert_eq!(
        (letter.seal, letter.lane),
        (Seal::Clear, Some(Lane::Urgent))
    );
    assert_eq!(letter.publisher, "accounts");
    assert_eq!(letter.event_id.as_deref(), Some("e1"));
    assert_eq!(letter.target_kind.as_deref(), Some("session"));
    assert!(letter.target.unwrap().starts_with("session-test-"));
    let at = letter.dead_lettered_at.unwrap();
    assert_eq!(at.to_string(), "2026-11-22T06:30:00.05Z");
    assert_eq!(letter.request_id.as_deref(), Some("request-id-test-1"));
    assert_eq!(letter.error_type.as_deref(), Some("invalid_session_id"));
    assert!(letter.text.unwrap().starts_with("invalid_session_id: "));
    assert_eq!((letter.history.replays, letter.body_bytes), (0, body.len()));
}

/// What its headers are, and what the cause is.
#[test]
fn whatever_lies_there_is_a_letter() {
    let rows = [
        (with(&[]), "invalid_session_id"),
        (with(&[("revoker-version", int(2))]), "newer"),
        (with(&[("revoker-version", int(i64::MAX))]), "newer"),
        (with(&[("revoker-version", None)]), "unknown"),
        (with(&[("revoker-version", text("1"))]), "unknown"),
        (with(&[("revoker-code", None)]), "unknown"),
        (
            with(&[("revoker-code", text("of the next release"))]),
            "unknown",
        ),
        (with(&[("revoker-code", text("unknown"))]), "unknown"),
        (
            with(&[("revoker-code", Some(HeaderValue::Bytes(vec![0xff])))]),
            "unknown",
        ),
        (
            with(&[("revoker-dead-lettered-at", text("yesterday"))]),
            "invalid_session_id",
        ),
        (with(&[("revoker-attempts", int(-1))]), "invalid_session_id"),
        (Found::default(), "unknown"),
    ];
    for (found, cause) in rows {
        let letter = Letter::read(&found, b"", None);
        assert_eq!(letter.cause.as_str(), cause, "{found:?}");
    }
    let foreign = found(&BasicProperties::default(), "other");
    let letter = Letter::read(&foreign, b"\xff", None);
    assert_eq!((letter.publisher.as_str(), letter.lane), ("other", None));
    assert!(!letter.may_show(b"{}"), "nobody knows what it holds");
}

#[test]
fn a_sealed_body_says_how_it_can_be_opened() {
    let ring = KeyRing::parse(&new_key_line()).unwrap();
    let other = KeyRing::parse(&new_key_line()).unwrap();
    let found = sealed(with(&[("revoker-queue", text(QUEUE))]));
    let body = ring.seal(QUEUE, "e1", &Properties::default(), b"secret");
    let mut newer = body.clone();
    newer[0] = 2;
    let mut older = body.clone();
    older[0] = 0;
    for (body, ring, seal) in [
        (&body[..], None, Seal::Sealed),
        (&body, Some(&ring), Seal::Sealed),
        (&body, Some(&other), Seal::KeyUnknown),
        (&newer, Some(&ring), Seal::Newer),
        (&older, Some(&ring), Seal::Damaged),
        (&body[..30], None, Seal::Damaged),
        (&[], None, Seal::Damaged),
    ] {
        let letter = Letter::read(&found, body, ring);
        assert_eq!(letter.seal, seal);
        assert!(!letter.may_show(body), "{seal:?}");
        assert_eq!(
            letter.cause.as_str(),
            "invalid_session_id",
            "its headers are in clear"
        );
    }
    let letter = Letter::read(&found, &body, Some(&ring));
    assert_eq!(letter.open(&body, &ring).unwrap().1, "secret");
    assert_eq!(
        letter.open(&body, &other).unwrap_err(),
        OpenError::UnknownKey
    );
    let moved = Letter::read(&sealed(with(&[])), &body, None);
    assert_eq!(moved.open(&body, &ring).unwrap_err(), OpenError::Corrupt);
}

#[test]
fn only_what_a_worker_left_in_clear_is_shown() {
    let (found, body) = stored();
    let letter = Letter::read(&found, &body, None);
    assert!(letter.may_show(&body));
    for body in [
        &b"{\"session_token\":\"x\"}"[..],
        b"{\"session_jwt\":\"x\"}",
        b"\xff",
    ] {
        assert!(!letter.may_show(body), "{body:?}");
    }
}

/// As the worker reads it when it comes back: with its own properties, a fresh count, and one replay more.
#[test]
fn a_replay_begins_anew_under_the_same_id() {
    let history = [
        ("revoker-attempts", int(9)),
        ("revoker-retries", int(3)),
        ("revoker-queue", text(QUEUE)),
        ("revoker-on-trial", Some(HeaderValue::Bool(true))),
        ("revoker-replays", int(1)),
    ];
    let found = with(&history);
    let letter = Letter::read(&found, b"", None);
    let replay = letter.replay(&found, false).unwrap();
    assert_eq!(
        (replay.lane, replay.publisher.as_str()),
        (Lane::Urgent, "accounts")
    );
    let wire = fresh(&replay.properties, &replay.headers);
    let back = read(&wire, true);
    assert_eq!(back.properties.kind.as_deref(), Some("session.revoke.v1"));
    assert_eq!(back.properties.headers, found.properties.headers);
    let history = back.history;
    assert_eq!(
        (history.attempts, history.retries, history.replays),
        (0, 0, 2)
    );
    assert_eq!(history.event_id.as_deref(), Some("e1"));
    assert_eq!(
        history.queue.as_deref(),
        Some(QUEUE),
        "or the seal does not open"
    );
    assert!(history.on_trial && history.first_received_at.is_some());
    // What only says why it was dead stays behind.
    let headers = wire.headers().clone().unwrap();
    for name in [
        "revoker-code",
        "revoker-text",
        "revoker-target",
        "revoker-dead-lettered-at",
    ] {
        assert!(!headers.inner().contains_key(name), "{name}");
    }
    assert!(
        read(&wire, false).history.replays == 0,
        "from a publisher it is not believed"
    );
}

#[test]
fn what_cannot_go_back_stays() {
    let max = i64::from(REPLAYS_MAX);
    let rows = [
        (
            with(&[("revoker-lane", None)]),
            false,
            Some(Refusal::NoLane),
        ),
        (
            with(&[("revoker-lane", text("fast"))]),
            true,
            Some(Refusal::NoLane),
        ),
        (Found::default(), true, Some(Refusal::NoLane)),
        (
            with(&[("revoker-version", int(2))]),
            true,
            Some(Refusal::Newer),
        ),
        (with(&[("revoker-replays", int(max - 1))]), false, None),
        (
            with(&[("revoker-replays", int(max))]),
            false,
            Some(Refusal::TooOften),
        ),
        (with(&[("revoker-replays", int(max))]), true, None),
        (
            with(&[("revoker-code", text("of the next release"))]),
            false,
            None,
        ),
    ];
    for (found, force, refusal) in rows {
        let replay = Letter::read(&found, b"", None).replay(&found, force);
        assert_eq!(replay.err(), refusal, "{found:?}");
    }
    let newer = sealed(with(&[]));
    let replay = Letter::read(&newer, &[2; 60], None).replay(&newer, true);
    assert_eq!(replay.unwrap_err(), Refusal::Newer);
}

#[test]
fn every_cause_has_its_word_back() {
    for cause in Cause::all() {
        assert_eq!(Cause::named(cause.as_str()), Some(cause));
        assert!(!cause.explanation().is_empty());
    }
    assert_eq!(Cause::named("bored"), None);
    let sure = Code::all().filter(|code| code.comes_back());
    let sure: BTreeSet<&str> = sure.map(Code::as_str).collect();
    for (word, comes_back) in [
        ("malformed_json", true),
        ("target_missing", true),
        ("time_in_future", false),
        ("attempts_exhausted", false),
        ("invalid_session_id", false),
        ("expired", false),
    ] {
        assert_eq!(sure.contains(word), comes_back, "{word}");
    }
}
