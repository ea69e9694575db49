//! AMQP properties to ours and back.
//!
//! Pure. Our own `revoker-*` headers are believed only in what came through our return exchange;
//! from anybody else they are dropped, as is everything a publisher could steer the broker with
//! (CC, BCC, `x-*`). `x-death` is never read for attempts: anyone can forge it.

use jiff::Timestamp;
use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable, ShortString},
};

use crate::{
    event::{HeaderValue, History, Properties, cloud},
    settle::{Outgoing, letter::Found, report::headers_version},
};

/// AMQP 0-9-1: delivery mode 2 is persistent.
pub(super) const PERSISTENT: u8 = 2;

/// What a delivery's properties hold for us.
#[derive(Debug, Default, PartialEq)]
pub struct Read {
    /// The publisher's own, as far as they are carried on.
    pub properties: Properties,
    /// Our own, all zero unless `trusted`.
    pub history: History,
    /// The broker's `x-delivery-count`.
    pub delivery_count: u64,
    /// The lane from which the broker dead-lettered it (`x-first-death-queue`); only ever used as a label.
    pub first_death_queue: Option<String>,
    /// The exchange that such a message was published to (`x-first-death-exchange`); as little worth.
    pub first_death_exchange: Option<String>,
    /// Whether the broker had checked the publisher's `user_id` when the event first came; never
    /// true unless `trusted`.
    pub publisher_verified: bool,
    /// Whether our headers are of a version that this worker does not know yet. Such a version may use no
    /// value that [`HeaderValue`] does not have: an older worker, which carries its messages on, would lose it.
    pub newer: bool,
}

/// Reads a delivery's properties. `trusted`: it came through our return exchange.
pub fn read(from: &BasicProperties, trusted: bool) -> Read {
    let text = |value: &Option<ShortString>| value.as_ref().map(|v| v.as_str().to_owned());
    let mut read = Read {
        properties: Properties {
            content_type: text(from.content_type()),
            content_encoding: text(from.content_encoding()),
            message_id: text(from.message_id()),
            correlation_id: text(from.correlation_id()),
            kind: text(from.kind()),
            app_id: text(from.app_id()),
            timestamp: *from.timestamp(),
            ..Properties::default()
        },
        ..Read::default()
    };
    read.history.returned = trusted;
    let Some(headers) = from.headers() else {
        return read;
    };
    read.newer = trusted
        && headers
            .inner()
            .get("revoker-version")
            .and_then(int)
            .is_some_and(|v| v > headers_version());
    let mut room = Properties::HEADER_BYTES_MAX;
    let mut newer = Vec::new();
    // Without its attributes a CloudEvent is none: no other header may take their room.
    let (attributes, others): (Vec<_>, Vec<_>) = headers
        .inner()
        .iter()
        .map(|(name, value)| (name.as_str(), value))
        .partition(|(name, _)| cloud::is_header(name));
    for (name, value) in attributes.into_iter().chain(others) {
        match (name, value) {
            ("x-delivery-count", value) => {
                read.delivery_count = int(value).and_then(|n| n.try_into().ok()).unwrap_or(0)
            }
            ("x-first-death-queue", value) => read.first_death_queue = string(value),
            ("x-first-death-exchange", value) => read.first_death_exchange = string(value),
            ("revoker-publisher-verified", AMQPValue::Boolean(verified))
                if trusted && !read.newer =>
            {
                read.publisher_verified = *verified
            }
            // A newer worker's headers stay as they are: it will know what they mean.
            _ if name.starts_with("revoker-") && read.newer => newer.push((name, value)),
            _ if name.starts_with("revoker-") && trusted => own(&mut read.history, name, value),
            _ if name.starts_with("revoker-") => {}
            _ if name.starts_with("x-") || matches!(name, "CC" | "BCC") => {}
            _ => keep(&mut read.properties, &mut room, name, value),
        }
    }
    // Beside the publisher's room: without these that worker could not read its own message.
    for (name, value) in newer {
        match header_value(value) {
            Some(value) => read.properties.headers.push((name.to_owned(), value)),
            None => read.properties.headers_dropped += 1,
        }
    }
    read
}

/// Takes in one header of ours.
fn own(history: &mut History, name: &str, value: &AMQPValue) {
    let count = |value| int(value).and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    match name {
        "revoker-attempts" => history.attempts = count(value),
        "revoker-retries" => history.retries = count(value),
        "revoker-first-received-at" => {
            history.first_received_at =
                string(value).and_then(|text| text.parse::<Timestamp>().ok());
        }
        "revoker-event-id" => history.event_id = string(value),
        "revoker-queue" => history.queue = string(value),
        "revoker-on-trial" => history.on_trial = *value == AMQPValue::Boolean(true),
        "revoker-replays" => history.replays = count(value),
        _ => {}
    }
}

fn keep(properties: &mut Properties, room: &mut usize, name: &str, value: &AMQPValue) {
    let kept = header_value(value).map(|value| (name.len() + size(&value), value));
    match kept {
        Some((bytes, value))
            if bytes <= *room && properties.headers.len() < Properties::HEADERS_MAX =>
        {
            *room -= bytes;
            properties.headers.push((name.to_owned(), value));
        }
        _ => properties.headers_dropped += 1,
    }
}

fn size(value: &HeaderValue) -> usize {
    match value {
        HeaderValue::Text(text) => text.len(),
        HeaderValue::Bytes(bytes) => bytes.len(),
        HeaderValue::Int(_)
        | HeaderValue::Float(_)
        | HeaderValue::Bool(_)
        | HeaderValue::Timestamp(_) => 8,
    }
}

/// Nested tables and arrays are not carried on: they count as dropped.
fn header_value(value: &AMQPValue) -> Option<HeaderValue> {
    Some(match value {
        AMQPValue::Boolean(value) => HeaderValue::Bool(*value),
        AMQPValue::Float(value) => HeaderValue::Float((*value).into()),
        AMQPValue::Double(value) => HeaderValue::Float(*value),
        AMQPValue::Timestamp(value) => HeaderValue::Timestamp(*value),
        AMQPValue::ByteArray(value) => HeaderValue::Bytes(value.as_slice().to_vec()),
        AMQPValue::LongString(value) => match std::str::from_utf8(value.as_bytes()) {
            Ok(text) => HeaderValue::Text(text.to_owned()),
            Err(_) => HeaderValue::Bytes(value.as_bytes().to_vec()),
        },
        AMQPValue::ShortString(value) => HeaderValue::Text(value.as_str().to_owned()),
        other => HeaderValue::Int(int(other)?),
    })
}

fn int(value: &AMQPValue) -> Option<i64> {
    Some(match value {
        AMQPValue::ShortShortInt(n) => (*n).into(),
        AMQPValue::ShortShortUInt(n) => (*n).into(),
        AMQPValue::ShortInt(n) => (*n).into(),
        AMQPValue::ShortUInt(n) => (*n).into(),
        AMQPValue::LongInt(n) => (*n).into(),
        AMQPValue::LongUInt(n) => (*n).into(),
        AMQPValue::LongLongInt(n) => *n,
        _ => return None,
    })
}

fn string(value: &AMQPValue) -> Option<String> {
    match header_value(value)? {
        HeaderValue::Text(text) => Some(text),
        _ => None,
    }
}

/// A dead letter's properties, as far as they say something: the publisher's own, and ours beside them.
pub fn found(from: &BasicProperties, routing_key: &str) -> Found {
    let read = read(from, false);
    let headers = from.headers().iter().flat_map(|headers| headers.inner());
    let ours = headers
        .filter(|(name, _)| name.as_str().starts_with("revoker-"))
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), header_value(value)?)));
    Found {
        routing_key: routing_key.to_owned(),
        ours: ours.collect(),
        properties: read.properties,
        delivery_count: read.delivery_count,
    }
}

/// The properties of a message of ours: see [`fresh`].
pub fn write(message: &Outgoing) -> BasicProperties {
    fresh(&message.properties, &message.headers)
}

/// Properties with headers of ours: fresh, persistent, without anything that steers the broker
/// (`user_id` of somebody else would be refused, an `expiration` would lose the message).
pub fn fresh(from: &Properties, ours: &[(&'static str, HeaderValue)]) -> BasicProperties {
    let mut headers = FieldTable::default();
    for (name, value) in &from.headers {
        if let Ok(name) = ShortString::try_new(name.as_str()) {
            headers.insert(name, amqp_value(value));
        }
    }
    for (name, value) in ours {
        headers.insert((*name).into(), amqp_value(value));
    }
    let mut to = BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_headers(headers);
    let short =
        |value: &Option<String>| value.as_deref().and_then(|v| ShortString::try_new(v).ok());
    if let Some(value) = short(&from.content_type) {
        to = to.with_content_type(value);
    }
    if let Some(value) = short(&from.content_encoding) {
        to = to.with_content_encoding(value);
    }
    if let Some(value) = short(&from.message_id) {
        to = to.with_message_id(value);
    }
    if let Some(value) = short(&from.correlation_id) {
        to = to.with_correlation_id(value);
    }
    if let Some(value) = short(&from.kind) {
        to = to.with_type(value);
    }
    if let Some(value) = short(&from.app_id) {
        to = to.with_app_id(value);
    }
    if let Some(value) = from.timestamp {
        to = to.with_timestamp(value);
    }
    to
}

fn amqp_value(value: &HeaderValue) -> AMQPValue {
    match value {
        HeaderValue::Text(text) => AMQPValue::LongString(text.as_str().into()),
        HeaderValue::Int(n) => AMQPValue::LongLongInt(*n),
        HeaderValue::Float(n) => AMQPValue::Double(*n),
        HeaderValue::Bool(b) => AMQPValue::Boolean(*b),
        HeaderValue::Timestamp(t) => AMQPValue::Timestamp(*t),
        HeaderValue::Bytes(bytes) => AMQPValue::ByteArray(bytes.as_slice().into()),
    }
}
