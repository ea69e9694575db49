//! No error text holds more than eight characters of what it complains about.
//!
//! Our own words are exempt: what stands in the source of the decoder, and whatever it says of events that
//! are as wrong as can be, is no value, whoever writes it. (A fuzzer does: it sees what is compared.) So are
//! names of fields, which a text may repeat between quotation marks.

use std::{collections::HashSet, sync::OnceLock};

use revoker::event::{
    CLOUD_EVENT_TYPE, HeaderValue, Properties, decode, decode_message, fields::Field,
};
use serde_json::{Value, json};

use super::{event, now};

/// So many bytes may be a coincidence.
const SHOWN_MAX: usize = 8;

/// Every text that the decoder can say, and more.
const SOURCES: &[&str] = &[
    include_str!("../../../src/event/attributes.rs"),
    include_str!("../../../src/event/cloud.rs"),
    include_str!("../../../src/event/decode.rs"),
    include_str!("../../../src/event/envelope.rs"),
    include_str!("../../../src/event/fields.rs"),
    include_str!("../../../src/event/form.rs"),
    include_str!("../../../src/event/json.rs"),
    include_str!("../../../src/event/judge.rs"),
    include_str!("../../../src/event/jwt.rs"),
    include_str!("../../../src/event/mod.rs"),
    include_str!("../../../src/event/target.rs"),
    include_str!("../../../src/event/time.rs"),
    include_str!("../../../src/event/value.rs"),
];

/// A text gives nothing of the input away: neither as it stands there nor as JSON's strings in it read.
pub(super) fn check(text: &str, input: &[u8]) {
    let shown: HashSet<u64> = fragments(text)
        .flat_map(pieces)
        .filter(|piece| !our_words().contains(piece))
        .collect();
    if shown.is_empty() {
        return;
    }
    let (value, mut strings) = (
        serde_json::from_slice(input).unwrap_or_default(),
        Vec::new(),
    );
    collect(&value, &mut strings);
    let strings = strings.iter().map(|text| text.as_bytes());
    for piece in strings.chain([input]).flat_map(pieces) {
        assert!(
            !shown.contains(&piece),
            "it shows a piece of a value: {text}"
        );
    }
}

/// The text without what is not the input's own words: codes, the names of fields, numbers.
fn fragments(text: &str) -> impl Iterator<Item = &[u8]> {
    let is_name = |part: &str| {
        part.len() <= 32
            && part.starts_with(|c: char| c.is_ascii_lowercase())
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let parts = text.split('"').filter(move |part| !is_name(part));
    parts
        .flat_map(|part| part.split(" | "))
        .flat_map(|part| part.split(": "))
        .map(|part| match part.split_once(' ') {
            Some((first, rest)) if Field::named(first).is_some() => rest,
            _ => part,
        })
        .flat_map(|part| part.split(|c: char| c.is_ascii_digit()))
        .map(str::as_bytes)
}

/// Each run of bytes that would be one too long, as a hash: a fuzzer learns nothing from comparing those.
fn pieces(bytes: &[u8]) -> impl Iterator<Item = u64> {
    let hash = |piece: &[u8]| {
        piece.iter().fold(0xCBF2_9CE4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
        })
    };
    bytes.windows(SHOWN_MAX + 1).map(hash)
}

fn our_words() -> &'static HashSet<u64> {
    static WORDS: OnceLock<HashSet<u64>> = OnceLock::new();
    WORDS.get_or_init(|| {
        let said = probes().into_iter().flat_map(|text| {
            let pieces = fragments(&text).flat_map(pieces);
            pieces.collect::<Vec<_>>()
        });
        let written = SOURCES.iter().flat_map(|source| pieces(source.as_bytes()));
        written.chain(said).collect()
    })
}

/// What the decoder says of events in which one field is wrong, in every way that makes a difference.
fn probes() -> Vec<String> {
    const UUID: &str = "8d3c1b2a-0f4e-4c6d-9a7b-5e1f2a3b4c5d";
    let mut wrong = vec![
        json!(null),
        json!(true),
        json!(1),
        json!([]),
        json!({}),
        json!({"a": {"a": {"a": {"a": {}}}}}),
    ];
    let texts = [
        "",
        "x",
        "\u{1}",
        "2026-11-22T06:30:00",
        "2026-13-22T06:30:00Z",
        "eyJ.e30.e30",
    ];
    wrong.extend(texts.map(Value::from));
    wrong.extend(["a", "A", "aA", "a "].map(|text| json!(text.repeat(300))));
    for start in ["session-test-", "session-live-", "user-test-", "user-live-"] {
        wrong.extend([json!(start), json!(format!("{start}{UUID}"))]);
    }
    let mut said = Vec::new();
    for kind in ["session.revoke.v1", "session.revoke.verify.v1"] {
        let names = Field::ALL.iter().map(|field| field.as_str());
        for name in names.chain(["xyzzy", "sesion_id", "No name", "specversion"]) {
            for value in &wrong {
                for beside in ["id", "user_id"] {
                    let mut body = json!({ "type": kind, beside: "x" });
                    body[name] = value.clone();
                    said.extend(said_of(&body));
                }
            }
        }
    }
    let few = [json!(null), json!(1), json!({}), json!(""), json!("x")];
    said.extend(few.iter().flat_map(of_cloud_events));
    said.extend(of_headers());
    said
}

/// What is said of CloudEvents in which one attribute, or one field beside or in the data, is this value.
fn of_cloud_events(value: &Value) -> Vec<String> {
    let right = json!({"specversion": "1.0", "source": "/", "data": {"user_id": "x"}});
    let attributes = [
        "specversion",
        "source",
        "time",
        "datacontenttype",
        "data",
        "data_base64",
        "A",
    ];
    let fields = Field::ALL.iter().map(|field| field.as_str());
    let mut said = Vec::new();
    for name in attributes.into_iter().chain(fields) {
        let (mut beside, mut inside, mut without) = (right.clone(), right.clone(), right.clone());
        beside[name] = value.clone();
        inside["data"][name] = value.clone();
        without[name] = Value::Null;
        without
            .as_object_mut()
            .expect("it is an object")
            .remove(name);
        said.extend([beside, inside, without].iter().flat_map(said_of));
    }
    said
}

/// What is said of headers alone: of two spellings, and with a field among them.
fn of_headers() -> Vec<String> {
    let spellings = [
        ("ce-id", "cloudEvents:id"),
        ("ce-id", "ce-specversion"),
        ("ce-specversion", "ce-A"),
    ];
    let said = spellings.into_iter().flat_map(|(one, other)| {
        let header = |name: &str| (name.to_owned(), HeaderValue::Text("1.0".to_owned()));
        let properties = Properties {
            headers: vec![header(one), header(other), header("ce-reason")],
            ..Properties::default()
        };
        event::workers().into_iter().filter_map(move |expect| {
            let event = decode_message(b"{}", &properties, &expect, now());
            event.err().map(|rejection| rejection.to_string())
        })
    });
    said.collect()
}

fn said_of(body: &Value) -> Vec<String> {
    let text = body.to_string();
    let said = event::workers().into_iter().filter_map(|expect| {
        let event = decode(
            text.as_bytes(),
            Some(CLOUD_EVENT_TYPE),
            None,
            &expect,
            now(),
        );
        event.err().map(|rejection| rejection.to_string())
    });
    said.collect()
}

fn collect<'v>(value: &'v Value, strings: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => strings.push(text),
        Value::Array(values) => values.iter().for_each(|value| collect(value, strings)),
        Value::Object(values) => values.values().for_each(|value| collect(value, strings)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
