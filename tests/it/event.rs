//! Tests of event: what publishers may send, what they are told, and what must never come out.

#![expect(clippy::unwrap_used, reason = "in a test an unwrap is an assertion")]

mod accepted;
mod contract;
pub(crate) mod fixture;
mod hostile;
mod jwts;
mod promised;
mod refused;
mod rejected;
mod targets;
mod traces;
mod values;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use revoker::event::{self, Environment, Event, Expectations, Rejection};
use serde_json::Value;

use fixture::*;

fn now() -> Timestamp {
    "2026-11-22T06:30:00Z".parse().unwrap()
}

fn live() -> Expectations {
    Expectations {
        project_id: PROJECT.into(),
        environment: Environment::Live,
        strict_ids: false,
    }
}

fn decode(body: &[u8]) -> Result<Event, Rejection> {
    event::decode(body, Some("application/json"), None, &live(), now())
}

/// No piece of eight characters of `secret` is in `text`.
fn assert_withheld(text: &str, secret: &str) {
    for start in 0..secret.len().saturating_sub(7) {
        let piece = &secret.as_bytes()[start..start + 8];
        assert!(
            !text.as_bytes().windows(8).any(|window| window == piece),
            "{text}"
        );
    }
}

/// A valid event with these changes is refused with this one problem, which gives nothing away.
fn check_change(changes: Value, wanted: &str) {
    let rejection = decode(body(changes).as_bytes()).expect_err(wanted);
    assert_eq!(rejection.to_string(), wanted);
    for secret in [CANARY, TOKEN, &jwt_of(SESSION), &jwt_of(CANARY)] {
        assert_withheld(wanted, secret);
    }
}
