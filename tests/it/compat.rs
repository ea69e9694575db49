//! Every format that is stored or sent has a version, and each version a fixture in `compat/`, for ever.
//!
//! Here: that none lacks. What must come of each is told where the format is: `broker::compat` and `seal`
//! for the format itself, `settle::report` for outcomes, `campaign::control` for what operators and workers
//! say of campaigns, `worker::compat` for the whole worker.

use std::{collections::BTreeSet, fs, path::Path};

use lapin::{BasicProperties, types::AMQPValue};
use revoker::{
    campaign,
    event::{Lane, Message, Properties, Route, decode::EventType},
    settle::{
        outcome::Outcome,
        report::{self, Facts, HEADERS_VERSION},
        seal::{KeyRing, new_key_line},
    },
};
use serde_json::Value;

use crate::worker::message;

/// The properties of a stored message, as a fixture tells them: typed headers among them.
pub(crate) fn wire(stored: &Value) -> BasicProperties {
    let short = |field: &str| stored[field].as_str().map(Into::into);
    let mut headers = lapin::types::FieldTable::default();
    for (name, value) in stored["headers"].as_object().unwrap() {
        let value = match (value["text"].as_str(), value["int"].as_i64()) {
            _ if value["bool"].is_boolean() => AMQPValue::Boolean(value["bool"] == true),
            (Some(value), None) => AMQPValue::LongString(value.into()),
            (None, Some(value)) => AMQPValue::LongLongInt(value),
            _ => panic!("{name} has no type that we write"),
        };
        headers.insert(name.as_str().into(), value);
    }
    let mut properties = BasicProperties::default()
        .with_headers(headers)
        .with_delivery_mode(2);
    if let Some(value) = short("content_type") {
        properties = properties.with_content_type(value);
    }
    if let Some(value) = short("type") {
        properties = properties.with_type(value);
    }
    if let Some(value) = short("message_id") {
        properties = properties.with_message_id(value);
    }
    if let Some(value) = short("app_id") {
        properties = properties.with_app_id(value);
    }
    if let Some(value) = stored["timestamp"].as_u64() {
        properties = properties.with_timestamp(value);
    }
    properties
}

/// Whether there is a fixture of every version up to this one.
fn check(format: &str, version: u64, ending: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/compat");
    for version in 1..=version {
        let name = format!("{format}-v{version}.{ending}");
        let fixture = fs::read(folder.join(&name)).unwrap_or_default();
        assert!(
            !fixture.is_empty(),
            "{name} is missing: a version lasts for ever"
        );
    }
}

/// `session.revoke.v1` is version 1.
fn version(word: &str) -> u64 {
    let (_, version) = word.rsplit_once(".v").expect("every type has its version");
    version.parse().unwrap()
}

#[test]
fn every_version_of_every_format_has_its_fixture() {
    check("headers", HEADERS_VERSION as u64, "json");
    check("dead-letter", HEADERS_VERSION as u64, "json");
    let ring = KeyRing::parse(&new_key_line()).unwrap();
    let seal = ring.seal("a queue", "", &Properties::default(), b"")[0].into();
    check("sealed", seal, "bin");
    check("sealed-retry", seal, "bin");
    let outcome = report::outcome(
        &message("e1", "{}"),
        &Facts::default(),
        Outcome::Verified,
        None,
        jiff::Timestamp::UNIX_EPOCH,
    );
    let body: Value = serde_json::from_slice(&outcome.body).unwrap();
    check("outcome", version(body["type"].as_str().unwrap()), "json");
    check("control", version(campaign::control::TYPE), "jsonl");
    let state = version(campaign::worker_state::TYPE);
    check("worker-state", state, "json");

    let events: Value = serde_json::from_str(include_str!("compat/event-v1.json")).unwrap();
    let text = |row: &Value| match row["text"].as_str() {
        Some(text) => serde_json::from_str(text).unwrap(),
        None => row["body"].clone(),
    };
    let rows = events["events"].as_array().unwrap();
    let types: BTreeSet<String> = rows
        .iter()
        // Of a binary CloudEvent the type is a header.
        .filter(|row| row["headers"].is_null())
        .map(|row| text(row)["type"].as_str().unwrap().to_owned())
        .collect();
    let taken = EventType::ALL.iter().map(|known| known.as_str().to_owned());
    assert_eq!(types, taken.collect(), "a type that is taken has a fixture");
    for known in EventType::ALL {
        check("event", version(known.as_str()), "json");
    }
}

/// They are in the names of queues and in stored headers.
#[test]
fn lanes_keep_their_names() {
    let names: Vec<&str> = Lane::ALL.iter().map(|lane| lane.as_str()).collect();
    assert_eq!(names, ["urgent", "bulk"], "they are called so for ever");
}

/// A stored message as it is delivered: `back` through our own exchange, or as a publisher's.
pub(crate) fn delivered(stored: &Value, body: impl Into<Vec<u8>>, back: bool) -> Message {
    let read = revoker::broker::headers::read(&wire(stored), back);
    Message {
        route: Route::Lane,
        publisher_verified: read.publisher_verified,
        properties: read.properties,
        history: read.history,
        from_newer_worker: read.newer,
        ..message("", body)
    }
}
