//! Tests of `deploy/contract`: the corpus, held to the decoder, to what is stored and to `revoker lint`; the
//! schemas, held to the code and to the corpus.
//!
//! What publishers have in hand is what the worker does, or a test fails. `UPDATE_CONTRACT=1` writes what
//! follows from the code: the schemas, and what becomes of a case that does not say it yet.

mod asyncapi;
mod corpus;
mod cost;
mod drift;
mod lint;
mod schema;
mod schemas;
mod stored;
mod told;

use std::{fs, path::PathBuf};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use revoker::event::{Environment, Expectations, HeaderValue, Properties};
use serde_json::{Value, json};

/// The project for which the corpus is written.
const PROJECT: &str = "project-live-3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f";

/// The time at which it is read.
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

/// A file of `deploy/contract`.
fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("deploy/contract")
        .join(name)
}

fn text_of(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap()
}

fn updates() -> bool {
    std::env::var_os("UPDATE_CONTRACT").is_some()
}

/// One message of the corpus.
struct Case {
    name: String,
    body: Vec<u8>,
    properties: Properties,
    /// The whole line.
    line: Value,
}

impl Case {
    fn read(line: &str) -> Self {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| line[name].as_str().map(str::to_owned);
        let body = match (&line["body"], &line["body_base64"]) {
            (Value::String(text), _) => text.clone().into_bytes(),
            (_, Value::String(encoded)) => BASE64_STANDARD.decode(encoded).unwrap(),
            _ => line["json"].to_string().into_bytes(),
        };
        let mut headers: Vec<_> = line["headers"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), header(value)))
            .collect();
        // As they come from a broker's table.
        headers.sort_by(|one, other| one.0.cmp(&other.0));
        Self {
            name: text("name").unwrap(),
            body,
            properties: Properties {
                content_type: text("content_type"),
                content_encoding: text("content_encoding"),
                headers,
                ..Properties::default()
            },
            line,
        }
    }
}

fn header(value: &Value) -> HeaderValue {
    match value {
        Value::String(text) => HeaderValue::Text(text.clone()),
        Value::Bool(value) => HeaderValue::Bool(*value),
        Value::Number(number) => HeaderValue::Int(number.as_i64().unwrap()),
        _ => match (value["timestamp"].as_u64(), value["base64"].as_str()) {
            (Some(seconds), _) => HeaderValue::Timestamp(seconds),
            (_, Some(encoded)) => HeaderValue::Bytes(BASE64_STANDARD.decode(encoded).unwrap()),
            _ => panic!("no header is written as {value}"),
        },
    }
}

/// The cases that are taken, or those that are refused.
fn cases(file: &str) -> Vec<Case> {
    let cases: Vec<_> = text_of(&format!("corpus/{file}.ndjson"))
        .lines()
        .map(Case::read)
        .collect();
    assert!(cases.len() > 40, "{file} has {} cases", cases.len());
    cases
}

/// All cases.
fn all() -> Vec<Case> {
    [cases("accepted"), cases("rejected")]
        .into_iter()
        .flatten()
        .collect()
}

/// What the decoder makes of a case: the event, or why it is none.
fn decoded(case: &Case) -> Value {
    match revoker::event::decode_message(&case.body, &case.properties, &live(), now()) {
        Ok(event) => json!({"event": told::event(&event)}),
        Err(rejection) => json!({"rejected": rejection.to_string()}),
    }
}
