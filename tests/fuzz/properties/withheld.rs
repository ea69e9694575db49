//! No error text holds more than eight characters of what it complains about.
//!
//! Our own words are exempt: what stands in the source of the decoder is no value, whoever writes it. So
//! are names of fields, which a text may repeat between quotation marks.

use std::{collections::HashSet, sync::OnceLock};

use revoker::event::fields::Field;
use serde_json::Value;

/// So many bytes may be a coincidence.
const SHOWN_MAX: usize = 8;

/// Every text that the decoder can say, and more.
const SOURCES: &[&str] = &[
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
    WORDS.get_or_init(|| SOURCES.iter().flat_map(|s| pieces(s.as_bytes())).collect())
}

fn collect<'v>(value: &'v Value, strings: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => strings.push(text),
        Value::Array(values) => values.iter().for_each(|value| collect(value, strings)),
        Value::Object(values) => values.values().for_each(|value| collect(value, strings)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
