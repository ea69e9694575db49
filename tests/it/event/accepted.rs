//! What is taken, and what becomes of it.

use revoker::event::{Initiator, REASONS, Request, Target};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::*;

fn accept(changes: Value) -> Event {
    decode(body(changes).as_bytes()).unwrap()
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

#[test]
fn the_five_lines_of_the_contract() {
    let event = accept(json!({}));
    assert_eq!(
        (event.id.as_str(), event.reason.as_str()),
        ("reset-1", "password_reset")
    );
    assert_eq!(event.occurred_at, at("2026-11-22T06:29:58Z"));
    assert!(matches!(event.request, Request::Revoke(Target::Session(id)) if id == SESSION));
    assert!(!event.occurred_in_future && !event.holds_credential && !event.unknown_id_format);
}

#[test]
fn every_optional_field() {
    let event = accept(json!({
        "initiated_by": "policy", "actor": "svc:login@eu#1", "campaign_id": "incident-2026.11",
        "project_id": PROJECT, "not_after": "2027-01-01T00:00:00+01:00", "note": "Grüße 👋", "id": "\u{41}:b._-",
        "ext": {"anything": [[[1e300, null, "\u{0}", "\u{10FFFF}"]]], "type": "session.revoke.v9"},
    }));
    assert_eq!(event.id, "A:b._-");
    assert_eq!(event.initiated_by, Some(Initiator::Policy));
    assert_eq!(event.actor.as_deref(), Some("svc:login@eu#1"));
    assert_eq!(event.campaign_id.as_deref(), Some("incident-2026.11"));
    assert_eq!(event.not_after, Some(at("2026-12-31T23:00:00Z")));
    assert_eq!(event.note.as_deref(), Some("Grüße 👋"));
}

#[test]
fn limits_are_inclusive() {
    let full = "a".repeat(128);
    let event = accept(
        json!({"id": full, "actor": full, "campaign_id": full[..64], "reason": full[..64], "note": "ä".repeat(256)}),
    );
    assert_eq!((event.id.len(), event.reason.len()), (128, 64));
    let small = body(json!({"ext": {"a": ""}}));
    let largest = body(json!({"ext": {"a": "x".repeat(16 * 1024 - small.len())}}));
    assert_eq!(largest.len(), 16 * 1024);
    assert!(decode(largest.as_bytes()).is_ok());
    assert!(decode(format!("{largest} ").as_bytes()).is_err());
}

#[test]
fn properties_that_say_json_or_nothing() {
    for content_type in [
        "application/json",
        "Application/JSON; charset=utf-8",
        "application/cloudevents+json",
        "",
    ] {
        for content_encoding in ["utf-8", "UTF-8", "identity", ""] {
            let event = event::decode(
                body(json!({})).as_bytes(),
                Some(content_type),
                Some(content_encoding),
                &live(),
                now(),
            );
            assert!(event.is_ok(), "{content_type} {content_encoding}");
        }
    }
    assert!(event::decode(body(json!({})).as_bytes(), None, None, &live(), now()).is_ok());
}

#[test]
fn a_token_is_a_secret_from_the_first_moment() {
    for token in [TOKEN, &"a".repeat(20), &"A=".repeat(256)] {
        let event = accept(json!({"session_id": null, "session_token": token}));
        assert!(event.holds_credential && !event.unknown_id_format);
        assert_withheld(&format!("{event:?} {event:#?}"), token);
        assert!(
            matches!(event.request, Request::Revoke(Target::Token(secret)) if secret.expose_secret() == token)
        );
    }
}

#[test]
fn a_jwt_becomes_its_session() {
    let claim = "https://stytch.com/session";
    let one = json!({"aud": PROJECT, "iss": "stytch.com/x", "roles": [[[{}]]], claim: {"id": SESSION, "factors": [{}]}});
    let many = json!({"aud": ["another", PROJECT], claim: {"id": SESSION}});
    for claims in [one, many] {
        let jwt = jwt(&claims);
        let event = accept(json!({"session_id": null, "session_jwt": jwt}));
        assert!(event.holds_credential && !event.unknown_id_format);
        assert_withheld(&format!("{event:?}"), &jwt);
        assert!(matches!(event.request, Request::Revoke(Target::Session(id)) if id == SESSION));
    }
}

/// The user's target of an event: cutoff, and the session to keep.
fn user(changes: Value) -> (Timestamp, Option<String>) {
    let mut all = json!({"session_id": null, "user_id": USER});
    all.as_object_mut()
        .unwrap()
        .extend(changes.as_object().unwrap().clone());
    match accept(all).request {
        Request::Revoke(Target::User {
            user_id,
            cutoff,
            keep_session_id,
        }) if user_id == USER => (cutoff, keep_session_id),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_users_cutoff() {
    assert_eq!(user(json!({})), (at("2026-11-22T06:29:58Z"), None));
    // As written: our clock may be the wrong one.
    let ahead = "2026-11-22T09:30:00Z";
    assert_eq!(user(json!({"occurred_at": ahead})), (at(ahead), None));
    assert_eq!(user(json!({"cutoff": ahead})), (at(ahead), None));
    assert_eq!(
        user(json!({"cutoff": "2026-11-22T06:30:00Z"})),
        (now(), None)
    );
    assert_eq!(
        user(json!({"cutoff": "2026-11-21T00:00:00Z", "keep_session_id": SESSION})),
        (at("2026-11-21T00:00:00Z"), Some(SESSION.into()))
    );
}

#[test]
fn a_publishers_fast_clock() {
    let event = accept(json!({"occurred_at": "2026-11-22T09:30:00Z"}));
    assert!(event.occurred_in_future);
    assert_eq!(event.occurred_at, now());
    assert!(!accept(json!({"occurred_at": "2026-11-22T06:30:00Z"})).occurred_in_future);

    let written = event::decode(
        body(json!({"occurred_at": "2026-11-22T09:30:00Z"})).as_bytes(),
        None,
        None,
        &live(),
        Timestamp::MAX,
    )
    .unwrap();
    let problem = event::decode::occurred_ahead(written.occurred_at, now()).unwrap();
    let wanted = "occurred_at is 3h0m ahead of this clock; the worker takes it as now; check the publisher's clock";
    assert_eq!(
        (problem.code.as_str(), problem.text.as_str()),
        ("time_in_future", wanted)
    );
    assert_eq!(event::decode::occurred_ahead(now(), now()), None);
}

#[test]
fn every_way_of_writing_a_time() {
    let rows = [
        (
            "2026-11-22T06:29:58.123456789Z",
            "2026-11-22T06:29:58.123456789Z",
        ),
        ("2026-11-22t06:29:58z", "2026-11-22T06:29:58Z"),
        ("2026-11-22T07:29:58.5+01:00", "2026-11-22T06:29:58.5Z"),
        ("2026-11-21T07:29:58-23:00", "2026-11-22T06:29:58Z"),
        ("2026-11-22T06:29:58-00:00", "2026-11-22T06:29:58Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
    ];
    for (written, meant) in rows {
        assert_eq!(
            accept(json!({"occurred_at": written})).occurred_at,
            at(meant),
            "{written}"
        );
    }
}

#[test]
fn ids_of_unknown_format_are_sent_and_flagged() {
    let upper = SESSION
        .to_uppercase()
        .replace("SESSION-LIVE", "session-live");
    for id in [
        "s-1",
        "tenant.7.session",
        "8D3C1B2A0F4E4C6D9A7B5E1F2A3B4C5D",
        "session-live-7",
        &upper,
        "8D3C1B2A-0F4E-4c6d-9a7b-5e1f2a3b4c5d",
        "!~",
        &"x".repeat(256),
    ] {
        let event = accept(json!({"session_id": id}));
        assert!(event.unknown_id_format, "{id}");
        assert!(matches!(event.request, Request::Revoke(Target::Session(sent)) if sent == id));
    }
    // External ids of users, as Auth0, Clerk, Firebase and Entra make them.
    for id in [
        "auth0|507f1f77bcf86cd799439011",
        "user_2NNEqL2nrIRdJ194ndJqAHwEfxC",
        "xYz12aBcD3eFgH4iJkL5mNoP6qR7",
        "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
        "jane.doe@example.org",
    ] {
        assert!(
            accept(json!({"session_id": null, "user_id": id})).unknown_id_format,
            "{id}"
        );
    }
    assert!(
        accept(json!({"session_id": null, "user_id": USER, "keep_session_id": "s-1"}))
            .unknown_id_format
    );
    assert!(accept(json!({"session_id": null, "session_jwt": jwt_of("s-1")})).unknown_id_format);
}

#[test]
fn a_verify_event_names_no_target() {
    let event = accept(
        json!({"type": "session.revoke.verify.v1", "session_id": null, "note": "hello world", "not_after": "2027-01-01T00:00:00Z"}),
    );
    assert!(matches!(event.request, Request::Verify));
}

#[test]
fn known_and_unknown_reasons_are_taken_as_written() {
    for reason in REASONS {
        assert_eq!(accept(json!({"reason": reason})).reason, reason);
    }
    assert_eq!(accept(json!({"reason": "because_2"})).reason, "because_2");
}
