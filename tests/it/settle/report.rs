//! What is written about an event: outcomes field by field, dead letters and retries as they are stored.

use std::collections::BTreeSet;

use revoker::{
    event::{self, HeaderValue, History, Lane, Message, Properties, Route},
    revoke::outcome::ApiCode,
    settle::{
        Outgoing, To,
        code::Code,
        outcome::Outcome,
        report::{DeadLetter, Facts, Stored, dead_letter, outcome, retry},
        seal,
    },
};
use serde_json::Value;

use super::time;

pub(super) const FIXTURE: &str = include_str!("../compat/outcome-v1.json");
pub(super) const FROZEN: &str = "\
publishers read outcomes of version 1 today: a field may be added (here too), none renamed, dropped or \
given another meaning; that needs another version beside this one";
/// The contract's fields.
const FIELDS: &[&str] = &[
    "type",
    "event_id",
    "campaign_id",
    "publisher",
    "lane",
    "outcome",
    "target_kind",
    "target",
    "sessions",
    "sessions_newer",
    "newest_started_at",
    "cutoff",
    "publisher_verified",
    "attempts",
    "request_id",
    "trace_id",
    "occurred_at",
    "completed_at",
    "exposure_seconds",
    "safe_at",
    "code",
];
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
pub(super) const OCCURRED: &str = "2026-11-22T06:30:00Z";
pub(super) const COMPLETED: &str = "2026-11-22T06:30:02.25Z";

pub(super) fn message(lane: Lane, publisher_verified: bool) -> Message {
    Message {
        lane,
        publisher: "accounts".into(),
        publisher_verified,
        body: "the publisher's own body".into(),
        properties: Properties {
            content_type: Some("application/json".into()),
            message_id: Some("m-1".into()),
            headers: vec![("tenant".into(), HeaderValue::Text("eu".into()))],
            ..Properties::default()
        },
        history: History::default(),
        route: Route::Lane,
        from_newer_worker: false,
        redelivered: false,
        delivery_count: 0,
    }
}

fn full() -> Facts {
    Facts {
        event_id: Some("reset-1".into()),
        campaign_id: Some("incident-7".into()),
        target_kind: Some("user"),
        target: Some("user-test-1".into()),
        occurred_at: Some(time(OCCURRED)),
        cutoff: Some(time(OCCURRED)),
        sessions: Some(3),
        sessions_newer: Some(1),
        newest_started_at: Some(time("2026-11-22T06:30:01.5Z")),
        attempts: 2,
        traceparent: Some(TRACEPARENT.into()),
        request_id: Some("request-id-test-1".into()),
        error_type: Some("not_for_outcomes".into()),
    }
}

pub(super) fn token() -> Facts {
    Facts {
        event_id: Some("reset-2".into()),
        target_kind: Some("token"),
        target: Some("hmac:fa12e7e493bd61697cf86d1738ee70d1".into()),
        occurred_at: Some(time(OCCURRED)),
        request_id: Some("request-id-test-2".into()),
        error_type: Some("invalid_session_token".into()),
        ..Facts::default()
    }
}

fn verify() -> Facts {
    Facts {
        event_id: Some("hello-1".into()),
        occurred_at: Some(time(OCCURRED)),
        ..Facts::default()
    }
}

#[test]
fn outcomes_are_what_publishers_were_promised() {
    let refused = Code::Api(ApiCode::InvalidSessionToken);
    let broken = Code::Rejected(event::Code::MalformedJson);
    let (urgent, bulk) = (message(Lane::Urgent, true), message(Lane::Bulk, false));
    let dead = Outcome::DeadLettered;
    let rows = [
        ("user_revoked", &urgent, full(), Outcome::Revoked, None),
        ("token_dead_lettered", &bulk, token(), dead, Some(refused)),
        ("undecodable", &bulk, Facts::default(), dead, Some(broken)),
        ("verified", &bulk, verify(), Outcome::Verified, None),
    ];
    let fixture: Value = serde_json::from_str(FIXTURE).unwrap();
    let mut fields = BTreeSet::new();
    for (name, message, facts, how, code) in rows {
        let sent = outcome(message, &facts, how, code, time(COMPLETED));
        let body: Value = serde_json::from_slice(&sent.body).unwrap();
        for (field, wanted) in fixture[name].as_object().unwrap() {
            assert_eq!(body[field], *wanted, "{name}.{field}: {FROZEN}");
        }
        assert_eq!(body, fixture[name], "{name}: {FROZEN}");
        fields.extend(body.as_object().unwrap().keys().cloned());
    }
    let promised: BTreeSet<String> = FIELDS.iter().map(|f| (*f).to_owned()).collect();
    assert_eq!(fields, promised, "{FROZEN}");
}

#[test]
fn an_outcome_goes_where_its_publisher_looks() {
    for lane in Lane::ALL {
        for how in Outcome::ALL {
            let sent = outcome(&message(*lane, true), &full(), *how, None, time(COMPLETED));
            let key = format!("{}.{}.accounts", lane.as_str(), how.as_str());
            assert_eq!((sent.to, sent.routing_key), (To::Outcome, key));
            let traced = Properties {
                content_type: Some("application/json".into()),
                headers: vec![("traceparent".into(), HeaderValue::Text(TRACEPARENT.into()))],
                ..Properties::default()
            };
            assert_eq!(sent.properties, traced, "nothing else of the publisher's");
            let version = vec![("revoker-version", HeaderValue::Int(1))];
            assert_eq!(sent.headers, version);
        }
    }
}

/// Only a session that ended has an end of its exposure; a JWT of it can validate 5 minutes more.
#[test]
fn exposure_is_told_only_when_it_ended() {
    for how in Outcome::ALL {
        let message = message(Lane::Urgent, true);
        let sent = outcome(&message, &full(), *how, None, time(COMPLETED));
        let body: Value = serde_json::from_slice(&sent.body).unwrap();
        let ended = matches!(how.as_str(), "revoked" | "already_gone" | "duplicate");
        for field in ["exposure_seconds", "safe_at"] {
            assert_eq!(body.get(field).is_some(), ended, "{field} of {how:?}");
        }
    }
    // Clocks differ: an exposure is never less than none.
    let (early, message) = (time("2026-11-22T06:29:00Z"), message(Lane::Urgent, true));
    let sent = outcome(&message, &full(), Outcome::Revoked, None, early);
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!(body["exposure_seconds"], 0.0);
}

/// A routing key is a short string of AMQP: at most 255 bytes, and whole characters.
#[test]
fn a_long_publishers_key_is_cut() {
    for name in ["a".repeat(255), "ü".repeat(127)] {
        let mut message = message(Lane::Urgent, true);
        message.publisher = name.clone();
        let dead = Outcome::DeadLettered;
        let sent = outcome(&message, &full(), dead, None, time(COMPLETED));
        let key = sent.routing_key;
        assert!((254..=255).contains(&key.len()), "{key}");
        let whole = format!("urgent.dead_lettered.{name}");
        assert!(whole.starts_with(&key), "{key}");
        let body: Value = serde_json::from_slice(&sent.body).unwrap();
        assert_eq!(body["publisher"], name.as_str(), "whole in the body");
    }
}

fn in_clear(message: &Message) -> Stored {
    Stored {
        body: message.body.clone(),
        properties: message.properties.clone(),
    }
}

fn sealed() -> Stored {
    Stored {
        body: "sealed bytes".into(),
        properties: Properties {
            content_type: Some(seal::CONTENT_TYPE.into()),
            ..Properties::default()
        },
    }
}

fn header<'a>(sent: &'a Outgoing, name: &str) -> Option<&'a HeaderValue> {
    let mut found = sent.headers.iter().filter(|(n, _)| *n == name);
    let value = found.next().map(|(_, value)| value);
    assert!(found.next().is_none(), "{name} twice");
    value
}

fn dead(message: &Message, stored: Stored, text: &str, queue: Option<&str>) -> Outgoing {
    let code = Code::AttemptsExhausted;
    let why = DeadLetter { code, text, queue };
    dead_letter(message, &full(), why, stored, time(COMPLETED))
}

/// So that a plain shovel back to the lane is a valid replay.
#[test]
fn a_dead_letter_in_clear_is_the_event_as_it_came() {
    let message = message(Lane::Bulk, true);
    let sent = dead(&message, in_clear(&message), "why in words", None);
    assert_eq!((sent.to, sent.routing_key.as_str()), (To::Dead, "accounts"));
    assert_eq!(sent.body, message.body);
    assert_eq!(sent.properties, message.properties);
    for name in ["revoker-queue", "revoker-headers-dropped"] {
        assert_eq!(header(&sent, name), None, "{name}");
    }
    let text = |name| match header(&sent, name) {
        Some(HeaderValue::Text(text)) => text.as_str(),
        other => panic!("{name} is {other:?}"),
    };
    assert_eq!(text("revoker-code"), "attempts_exhausted");
    assert_eq!(text("revoker-error-type"), "not_for_outcomes");
    assert_eq!(text("revoker-dead-lettered-at"), COMPLETED);
    assert_eq!(
        header(&sent, "revoker-attempts"),
        Some(&HeaderValue::Int(2))
    );
}

#[test]
fn a_sealed_dead_letter_shows_nothing_of_the_event_but_our_headers() {
    let mut message = message(Lane::Urgent, true);
    message.properties.headers_dropped = 7;
    message.history.queue = Some("revocation.urgent.retry.1m".into());
    let why = "why in words";
    let sent = dead(&message, sealed(), why, Some("revocation.dead"));
    assert_eq!(sent.body, sealed().body);
    assert_eq!(sent.properties, sealed().properties);
    let text = |text: &str| Some(HeaderValue::Text(text.into()));
    for (name, wanted) in [
        // Where it can be opened, not where it was sealed before.
        ("revoker-queue", text("revocation.dead")),
        ("revoker-text", text("why in words")),
        ("revoker-headers-dropped", Some(HeaderValue::Int(7))),
    ] {
        assert_eq!(header(&sent, name), wanted.as_ref(), "{name}");
    }
}

#[test]
fn a_retry_goes_to_its_lanes_delay_with_its_history() {
    let delay = std::time::Duration::from_secs(600);
    for lane in Lane::ALL {
        let message = message(*lane, true);
        let history = History {
            attempts: 6,
            retries: 1,
            ..History::default()
        };
        let sent = retry(&message, &history, delay, in_clear(&message));
        assert_eq!(sent.to, To::Retry(*lane, delay));
        assert_eq!(sent.routing_key, "accounts");
        assert_eq!(
            (&sent.body, &sent.properties),
            (&message.body, &message.properties)
        );
        let int = HeaderValue::Int;
        let wanted = [
            ("revoker-version", int(1)),
            ("revoker-attempts", int(6)),
            ("revoker-retries", int(1)),
            // Of the broker's check, which a republish cannot go through again.
            ("revoker-publisher-verified", HeaderValue::Bool(true)),
        ];
        assert_eq!(sent.headers, wanted);
        let unverified = Message {
            route: Route::Lane,
            publisher_verified: false,
            ..message
        };
        let sent = retry(&unverified, &history, delay, sealed());
        assert_eq!(sent.headers, wanted[..3]);
    }
}
