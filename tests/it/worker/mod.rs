//! Tests of worker: whole scenarios on a paused clock, between a pretend Stytch and a pretend broker.
//!
//! Every scenario tells its events and faults, and then what must be in the journal: calls,
//! publishes and acks in their order. No assertion depends on how fast the machine is.

mod attempts;
mod blocked;
mod broker;
mod clock;
mod cloud;
mod compat;
mod dedupe;
mod endings;
mod exposure;
mod faults;
mod flood;
mod followed;
mod journal;
mod ledger;
mod orders;
mod pace;
mod posted;
mod publishes;
mod routes;
mod series;
mod states;
mod stytch;
mod targets;
mod tell;
mod trial;
mod unknown;
mod users;
mod verdicts;
mod world;

use revoker::event::{History, Lane, Message, Properties, Route};
use serde_json::{Value, json};

use stytch::session;

/// Event `e<n>` on the urgent lane, for session number `n` unless the changes say otherwise;
/// `Value::Null` takes a field out.
fn event(n: u64, changes: Value) -> Message {
    let mut body = json!({
        "type": "session.revoke.v1", "id": format!("e{n}"), "occurred_at": "2026-11-22T06:29:58Z",
        "reason": "password_reset", "session_id": session(n),
    });
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(body.as_object_mut().unwrap().remove(name)),
            value => body[name] = value.clone(),
        }
    }
    message(&format!("e{n}"), body.to_string())
}

/// The same on the bulk lane.
fn bulk(n: u64) -> Message {
    Message {
        lane: Lane::Bulk,
        ..event(n, json!({}))
    }
}

/// Any body.
pub(crate) fn message(id: &str, body: impl Into<Vec<u8>>) -> Message {
    Message {
        lane: Lane::Urgent,
        publisher: "auth".into(),
        route: Route::Lane,
        publisher_verified: true,
        body: body.into().into(),
        properties: Properties {
            content_type: Some("application/json".into()),
            message_id: Some(id.into()),
            ..Properties::default()
        },
        history: History::default(),
        from_newer_worker: false,
        redelivered: false,
        delivery_count: 0,
    }
}
