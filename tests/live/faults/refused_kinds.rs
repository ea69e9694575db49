//! Every kind of message that is refused, as it is published, and as its dead letter and its outcome
//! must look: what stood in it is seen by nobody without the key.

#[path = "../../it/event/fixture.rs"]
#[allow(dead_code, reason = "data of other tests, too")]
mod fixture;
#[path = "../../it/event/promised.rs"]
mod promised;
#[path = "../../it/event/refused.rs"]
mod refused;

use std::collections::BTreeSet;

use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable},
};
use revoker::{event::Code, settle::seal::KeyRing};
use serde_json::json;

use crate::harness::{
    Event,
    read::{DeadLetter, Outcome},
    secret::assert_withheld,
};
use fixture::*;
pub(crate) use refused::Refused;
use refused::refused;

/// A refusal whose text holds how far a time is ahead of the clock: its own test has a fixed one.
const BY_CLOCK: Code = Code::TimeInFuture;
/// A refusal for the way that a message took: nothing of the message itself.
const BY_ROUTE: Code = Code::LaneMismatch;
/// What nobody may see a piece of.
pub(super) const SECRETS: [&str; 2] = [CANARY, TOKEN];
/// The project that these messages are about, or not.
pub(super) const PROJECT_ID: &str = PROJECT;
/// The longest body.
const BYTES_MAX: usize = 64 << 10;

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

/// Bodies meant to hurt, as large as may be. What is said of broken JSON depends on where it breaks.
fn large() -> Vec<Refused> {
    let too_large = "too_large: the body has 65536 bytes, the limit is 16384; one event names one target, send more events instead";
    let long = |byte: u8| vec![byte; BYTES_MAX];
    let deep = format!("{{\"ext\":{}", "[".repeat(8_000));
    vec![
        refused(long(b'['), too_large),
        refused(long(0xff), too_large),
        refused(
            format!("{CANARY}{}", " ".repeat(BYTES_MAX - CANARY.len())),
            too_large,
        ),
        refused(deep, "malformed_json: "),
        refused(vec![0xff; 16 << 10], "not_utf8: "),
        refused(vec![b'['; 16 << 10], "malformed_json: "),
    ]
}

/// All kinds, each code among them.
pub(super) fn all() -> Vec<Refused> {
    let groups = [
        refused::no_object(),
        refused::broken_json(),
        refused::properties(),
        refused::names(),
        refused::cloud_events(),
        refused::misleading_hints(),
        refused::wrong_types(),
        refused::unknown_types(),
        promised::bodies(),
        promised::names_and_targets(),
        promised::values(),
        further(),
        large(),
    ];
    let rows: Vec<_> = groups.into_iter().flatten().collect();
    let seen: BTreeSet<_> = rows.iter().map(code).collect();
    let codes = Code::ALL
        .iter()
        .filter(|code| ![BY_CLOCK, BY_ROUTE].contains(code));
    assert_eq!(seen, codes.map(|code| code.as_str()).collect());
    rows
}

/// What a kind is dead-lettered as.
pub(super) fn code(kind: &Refused) -> &str {
    kind.wanted.split(": ").next().unwrap_or_default()
}

/// The publisher of a message: the one thing of it that a dead letter and an outcome always show.
fn publisher(at: usize) -> String {
    format!("poison-{at}")
}

/// Which message has that publisher.
pub(super) fn place(publisher: &str) -> usize {
    let place = publisher.strip_prefix("poison-").map(str::parse);
    place.expect("it is one of ours").unwrap()
}

fn lane(at: usize) -> &'static str {
    if at.is_multiple_of(2) {
        "urgent"
    } else {
        "bulk"
    }
}

/// A message of this kind, with the secret wherever a publisher can put one.
pub(super) fn event(at: usize, kind: &Refused) -> Event {
    let mut headers = FieldTable::default();
    for name in ["tenant", "x-tenant", "revoker-text", CANARY] {
        headers.insert(name.into(), AMQPValue::LongString(CANARY.into()));
    }
    for (name, value) in &kind.headers {
        headers.insert((*name).into(), AMQPValue::LongString((*value).into()));
    }
    let copies = vec![AMQPValue::LongString(CANARY.into())];
    headers.insert("CC".into(), AMQPValue::FieldArray(copies.into()));
    let mut properties = BasicProperties::default()
        .with_delivery_mode(2)
        .with_headers(headers)
        .with_message_id(CANARY.into())
        .with_correlation_id(CANARY.into())
        .with_type(CANARY.into())
        .with_app_id(CANARY.into());
    if let Some(content_type) = kind.content_type {
        properties = properties.with_content_type(content_type.into());
    }
    if let Some(content_encoding) = kind.content_encoding {
        properties = properties.with_content_encoding(content_encoding.into());
    }
    Event::raw(kind.body.clone())
        .by(&publisher(at))
        .in_exchange(lane(at))
        .with(|_| properties)
}

/// The dead letter of a message.
pub(super) fn check_letter(letter: &DeadLetter, at: usize, kind: &Refused) {
    assert_eq!(letter.ours("code"), code(kind));
    let text = letter.ours("text");
    let is_whole = !kind.wanted.ends_with(": ");
    assert!(
        text == kind.wanted || !is_whole && text.starts_with(&kind.wanted),
        "{text}"
    );
    assert_eq!(letter.ours("lane"), lane(at));
    assert_eq!(letter.ours("publisher"), publisher(at));
    // The broker adds the count itself, when it gives the letter out.
    let known = |name: &&String| name.starts_with("revoker-") || *name == "x-delivery-count";
    let strangers: Vec<_> = letter.headers.keys().filter(|name| !known(name)).collect();
    assert!(strangers.is_empty(), "{strangers:?}");
    for secret in SECRETS {
        letter.assert_withholds(secret);
    }
}

/// With the key, a dead letter is what was published, but for what steers a broker.
pub(super) fn check_opened(letter: &DeadLetter, kind: &Refused, ring: &KeyRing) {
    let (properties, body) = letter.opened(ring);
    assert_eq!(body, kind.body);
    assert_eq!(properties.message_id.as_deref(), Some(CANARY));
    assert_eq!(properties.content_type.as_deref(), kind.content_type);
    let kept: Vec<_> = properties.headers.iter().map(|(name, _)| name).collect();
    // Those of a CloudEvent come first, whatever their names.
    let own = kind.headers.iter().map(|(name, _)| *name);
    let wanted: Vec<_> = own.chain([CANARY, "tenant"]).collect();
    assert_eq!(kept, wanted);
}

/// The outcome of a message.
pub(super) fn check_outcome(outcome: &Outcome, kinds: &[Refused]) {
    let (lane_and_end, publisher) = outcome.routing_key.rsplit_once('.').unwrap();
    let at = place(publisher);
    assert_eq!(lane_and_end, format!("{}.dead_lettered", lane(at)));
    assert_eq!(outcome.body["code"], code(&kinds[at % kinds.len()]));
    for secret in SECRETS {
        assert_withheld("an outcome", outcome.body.to_string(), secret);
    }
}
