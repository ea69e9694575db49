//! A message with its headers, as a publisher of CloudEvents may send it, in whichever dialect.
//!
//! The input is text: a header a line, as `name: value`, an empty line, the body. The content type is the header
//! `content-type`. A value that starts with `#` is a number, with `@` a timestamp, with `!` bytes.

use revoker::{
    broker::headers::{read, write},
    event::{Event, Expectations, HeaderValue, Properties, Rejection, decode_message},
    settle::{Outgoing, To},
};
use serde_json::{Map, Value};

use super::{event, now, withheld};

pub(super) fn check(input: &[u8]) {
    let (properties, body) = message(input);
    for expect in event::workers() {
        let first = decoded(body, &properties, &expect);
        if let Err(rejection) = &first {
            event::refused(rejection);
            withheld::check(&rejection.to_string(), input);
            withheld::check(&rejection.to_string(), body);
        }
        // What is stored on the way is the same message.
        let again = decoded(body, &carried(&properties), &expect);
        assert_eq!(
            format!("{again:?}"),
            format!("{first:?}"),
            "another event after a retry"
        );
        if let Ok(taken) = &first {
            event::taken(taken, body, &expect);
            as_structured(body, &properties, &expect, taken);
        }
    }
}

fn decoded(
    body: &[u8],
    properties: &Properties,
    expect: &Expectations,
) -> Result<Event, Rejection> {
    decode_message(body, properties, expect, now())
}

fn message(input: &[u8]) -> (Properties, &[u8]) {
    let end = input.windows(2).position(|two| two == b"\n\n");
    let (head, body) = match end {
        Some(end) => (&input[..end], &input[end + 2..]),
        None => (&b""[..], input),
    };
    let mut properties = Properties::default();
    for line in String::from_utf8_lossy(head).lines() {
        let Some((name, value)) = line.split_once(": ") else {
            continue;
        };
        match name {
            "content-type" => properties.content_type = Some(value.to_owned()),
            // A table names a header once, and a name has a length that AMQP can write.
            _ if properties.headers.iter().any(|(known, _)| known == name) => {}
            _ if name.len() < 100 => properties.headers.push((name.to_owned(), header(value))),
            _ => {}
        }
    }
    properties.headers.sort_by(|one, other| one.0.cmp(&other.0));
    (carried(&properties), body)
}

fn header(value: &str) -> HeaderValue {
    let number = |digits: &str| digits.parse::<u64>().unwrap_or_default();
    match value.split_at_checked(1) {
        Some(("#", digits)) => HeaderValue::Int(number(digits) as i64),
        Some(("@", digits)) => HeaderValue::Timestamp(number(digits)),
        Some(("!", bytes)) => HeaderValue::Bytes(bytes.into()),
        _ => HeaderValue::Text(value.to_owned()),
    }
}

fn carried(properties: &Properties) -> Properties {
    let stored = Outgoing {
        to: To::Dead,
        routing_key: String::new(),
        body: "".into(),
        properties: properties.clone(),
        headers: Vec::new(),
    };
    let mut carried = read(&write(&stored), false).properties;
    carried.headers_dropped = 0;
    carried
}

/// What is taken as a binary CloudEvent is taken as a structured one, and is the same event.
fn as_structured(body: &[u8], properties: &Properties, expect: &Expectations, taken: &Event) {
    const PREFIXES: [&str; 3] = ["ce-", "cloudEvents_", "cloudEvents:"];
    let attributes = properties.headers.iter().filter_map(|(name, value)| {
        let name = PREFIXES.iter().find_map(|p| name.strip_prefix(p))?;
        let value = match value {
            HeaderValue::Text(text) => text.clone(),
            HeaderValue::Timestamp(seconds) => {
                let time = jiff::Timestamp::from_second(i64::try_from(*seconds).ok()?).ok()?;
                time.to_string()
            }
            _ => return None,
        };
        Some((name.to_owned(), Value::String(value)))
    });
    let attributes: Map<_, _> = attributes.collect();
    // Another dialect, or a body that is near the limit and would be over it.
    let text = std::str::from_utf8(body).unwrap_or_default();
    let is_binary = ["id", "type", "source", "specversion", "time"]
        .iter()
        .all(|name| attributes.contains_key(*name));
    if !is_binary || text.contains("specversion") || text.len() > 8 * 1024 {
        return;
    }
    let around = Value::Object(attributes).to_string();
    let structured = format!("{},\"data\":{text}}}", &around[..around.len() - 1]);
    let again = decode_message(structured.as_bytes(), &Properties::default(), expect, now());
    let again = again.unwrap_or_else(|rejection| panic!("binary, and not structured: {rejection}"));
    assert_eq!(event::encode(&again), event::encode(taken));
}
