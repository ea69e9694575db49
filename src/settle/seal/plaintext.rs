//! What is inside a sealed body: the publisher's properties as one line of JSON, then the body itself.
//!
//! A form of its own beside [`Properties`], because this one is stored: it may grow by new members
//! (readers ignore what they do not know) but never change one.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::event::message::{HeaderValue, Properties};

#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_encoding: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    correlation_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "type")]
    kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    app_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timestamp: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    headers: Vec<(String, StoredValue)>,
    #[serde(default, skip_serializing_if = "is_zero")]
    headers_dropped: usize,
}

/// A header's value with its kind: AMQP tells a timestamp from an integer, JSON does not.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredValue {
    Text(String),
    Int(i64),
    /// In decimal, as a string: JSON has no NaN and its readers round.
    Float(String),
    Bool(bool),
    Timestamp(u64),
    /// Base64.
    Bytes(String),
}

/// The plaintext to seal.
pub(super) fn join(properties: &Properties, body: &[u8]) -> Vec<u8> {
    let stored = Stored::from(properties);
    let mut plaintext =
        serde_json::to_vec(&stored).expect("strings and numbers always have a JSON form");
    plaintext.push(b'\n');
    plaintext.extend_from_slice(body);
    plaintext
}

/// The reverse of [`join`]; `None` if it is not of that form.
pub(super) fn split(plaintext: Bytes) -> Option<(Properties, Bytes)> {
    // JSON escapes line feeds, so the first one is ours.
    let end = plaintext.iter().position(|byte| *byte == b'\n')?;
    let stored: Stored = serde_json::from_slice(&plaintext[..end]).ok()?;
    Some((stored.into_properties()?, plaintext.slice(end + 1..)))
}

impl From<&Properties> for Stored {
    fn from(properties: &Properties) -> Self {
        let p = properties.clone();
        Self {
            content_type: p.content_type,
            content_encoding: p.content_encoding,
            message_id: p.message_id,
            correlation_id: p.correlation_id,
            kind: p.kind,
            app_id: p.app_id,
            timestamp: p.timestamp,
            headers: p
                .headers
                .into_iter()
                .map(|(name, value)| (name, StoredValue::from(value)))
                .collect(),
            headers_dropped: p.headers_dropped,
        }
    }
}

impl Stored {
    fn into_properties(self) -> Option<Properties> {
        let headers = self
            .headers
            .into_iter()
            .map(|(name, value)| Some((name, value.into_header()?)));
        Some(Properties {
            content_type: self.content_type,
            content_encoding: self.content_encoding,
            message_id: self.message_id,
            correlation_id: self.correlation_id,
            kind: self.kind,
            app_id: self.app_id,
            timestamp: self.timestamp,
            headers: headers.collect::<Option<_>>()?,
            headers_dropped: self.headers_dropped,
        })
    }
}

impl From<HeaderValue> for StoredValue {
    fn from(value: HeaderValue) -> Self {
        match value {
            HeaderValue::Text(text) => Self::Text(text),
            HeaderValue::Int(int) => Self::Int(int),
            HeaderValue::Float(float) => Self::Float(float.to_string()),
            HeaderValue::Bool(bool) => Self::Bool(bool),
            HeaderValue::Timestamp(seconds) => Self::Timestamp(seconds),
            HeaderValue::Bytes(bytes) => Self::Bytes(BASE64_STANDARD.encode(bytes)),
        }
    }
}

impl StoredValue {
    fn into_header(self) -> Option<HeaderValue> {
        Some(match self {
            Self::Text(text) => HeaderValue::Text(text),
            Self::Int(int) => HeaderValue::Int(int),
            Self::Float(float) => HeaderValue::Float(float.parse().ok()?),
            Self::Bool(bool) => HeaderValue::Bool(bool),
            Self::Timestamp(seconds) => HeaderValue::Timestamp(seconds),
            Self::Bytes(encoded) => HeaderValue::Bytes(BASE64_STANDARD.decode(encoded).ok()?),
        })
    }
}

/// serde's `skip_serializing_if` hands out a reference.
fn is_zero(count: &usize) -> bool {
    *count == 0
}
