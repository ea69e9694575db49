//! What is written about an event: its outcome, and the headers of its retry and its dead letter.
//!
//! Pure. Every format carries a version: what is deployed once is read for ever.

use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{
    Outgoing, To,
    code::Code,
    outcome::{Outcome, Unknown},
};
use crate::{
    event::{HeaderValue, History, Message, Properties, trace},
    failpoint,
};

/// Version of our headers.
pub const HEADERS_VERSION: i64 = 1;
/// How long a JWT that was issued before a revocation can still validate locally (Stytch: `exp` = `iat` + 300 s).
pub const JWT_LIFETIME: SignedDuration = SignedDuration::from_secs(300);
/// AMQP 0-9-1: a routing key is a short string.
const ROUTING_KEY_BYTES_MAX: usize = 255;

/// The version of our headers that is written, and the newest that is known.
pub fn headers_version() -> i64 {
    HEADERS_VERSION + failpoint::releases_ahead()
}

/// What is known of an event when it is settled. Fields are `None` when the event could not be decoded.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The publisher's id of the event.
    pub event_id: Option<String>,
    /// The campaign it belongs to.
    pub campaign_id: Option<String>,
    /// `session`, `token` or `user`.
    pub target_kind: Option<&'static str>,
    /// The target's id, or `hmac:…` in place of a credential.
    pub target: Option<String>,
    /// When the reason arose.
    pub occurred_at: Option<Timestamp>,
    /// The cutoff of a user target.
    pub cutoff: Option<Timestamp>,
    /// Sessions of a user that were revoked.
    pub sessions: Option<u32>,
    /// Sessions of a user that stay alive because they are newer.
    pub sessions_newer: Option<u32>,
    /// When the newest of those was started.
    pub newest_started_at: Option<Timestamp>,
    /// Attempts that failed for a reason of its own.
    pub attempts: u32,
    /// The publisher's `traceparent`.
    pub traceparent: Option<String>,
    /// Stytch's `request_id` of the last answer.
    pub request_id: Option<String>,
    /// Stytch's `error_type` of the last answer.
    pub error_type: Option<String>,
}

impl Facts {
    /// The trace that the event belongs to.
    pub fn trace_id(&self) -> Option<&str> {
        self.traceparent.as_deref().and_then(trace::trace_id)
    }
}

#[derive(Serialize)]
struct OutcomeV1<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign_id: Option<&'a str>,
    publisher: &'a str,
    publisher_verified: bool,
    lane: &'static str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sessions: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sessions_newer: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest_started_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cutoff: Option<Timestamp>,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    occurred_at: Option<Timestamp>,
    completed_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    exposure_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    safe_at: Option<Timestamp>,
}

/// The `session.revoke.outcome.v1` of an event, to the exchange from which publishers bind their own. Its
/// `code` says why it was dead-lettered, or who or what is unknown to Stytch.
pub fn outcome(
    message: &Message,
    facts: &Facts,
    outcome: Outcome,
    code: Option<Code>,
    now: Timestamp,
) -> Outgoing {
    let lane = message.lane.as_str();
    let ended = matches!(
        outcome,
        Outcome::Revoked | Outcome::AlreadyGone | Outcome::Duplicate
    );
    let exposure = facts
        .occurred_at
        .filter(|_| ended)
        .map(|at| now.duration_since(at).as_secs_f64().max(0.0));
    let error_type = facts.error_type.as_deref();
    let unknown = match outcome {
        Outcome::AlreadyGone => Unknown::of(facts.target_kind, error_type),
        _ => None,
    };
    let body = OutcomeV1 {
        r#type: "session.revoke.outcome.v1",
        event_id: facts.event_id.as_deref(),
        campaign_id: facts.campaign_id.as_deref(),
        publisher: &message.publisher,
        publisher_verified: message.publisher_verified,
        lane,
        outcome: outcome.as_str(),
        code: code.map(Code::as_str).or(unknown.map(Unknown::as_str)),
        target_kind: facts.target_kind,
        target: facts.target.as_deref(),
        sessions: facts.sessions,
        sessions_newer: facts.sessions_newer,
        newest_started_at: facts.newest_started_at,
        cutoff: facts.cutoff,
        attempts: facts.attempts,
        request_id: facts.request_id.as_deref(),
        trace_id: facts.trace_id(),
        occurred_at: facts.occurred_at,
        completed_at: now,
        exposure_seconds: exposure,
        safe_at: now.checked_add(JWT_LIFETIME).ok().filter(|_| ended),
    };
    let mut routing_key = format!("{lane}.{}.{}", outcome.as_str(), message.publisher);
    while routing_key.len() > ROUTING_KEY_BYTES_MAX {
        routing_key.pop();
    }
    Outgoing {
        to: To::Outcome,
        routing_key,
        body: serde_json::to_vec(&body)
            .expect("strings and numbers are always JSON")
            .into(),
        properties: Properties {
            content_type: Some("application/json".into()),
            headers: traceparent(facts),
            ..Properties::default()
        },
        headers: vec![("revoker-version", HeaderValue::Int(headers_version()))],
    }
}

/// The publisher's `traceparent` as it came: we open no span of our own that another could hang on.
fn traceparent(facts: &Facts) -> Vec<(String, HeaderValue)> {
    let passed_on = facts.traceparent.iter();
    passed_on
        .map(|text| ("traceparent".to_owned(), HeaderValue::Text(text.clone())))
        .collect()
}

/// A body as it is stored: the publisher's own, or sealed.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The bytes.
    pub body: Bytes,
    /// The properties beside them; for a sealed body only its content type.
    pub properties: Properties,
}

/// The message for a delay queue.
pub fn retry(message: &Message, history: &History, delay: Duration, stored: Stored) -> Outgoing {
    let mut headers = history_headers(history);
    if message.publisher_verified {
        headers.push(("revoker-publisher-verified", HeaderValue::Bool(true)));
    }
    Outgoing {
        to: To::Retry(message.lane, delay),
        routing_key: message.publisher.clone(),
        body: stored.body,
        properties: stored.properties,
        headers,
    }
}

/// The dead letter of an event: the original body and properties with our headers, or sealed.
pub fn dead_letter(
    message: &Message,
    facts: &Facts,
    why: DeadLetter<'_>,
    stored: Stored,
    now: Timestamp,
) -> Outgoing {
    let text = |value: &str| HeaderValue::Text(value.to_owned());
    let mut headers = history_headers(&History {
        attempts: facts.attempts,
        event_id: facts.event_id.clone(),
        queue: why.queue.map(str::to_owned),
        ..message.history.clone()
    });
    headers.push(("revoker-code", text(why.code.as_str())));
    headers.push(("revoker-lane", text(message.lane.as_str())));
    headers.push(("revoker-publisher", text(&message.publisher)));
    headers.push(("revoker-dead-lettered-at", text(&now.to_string())));
    headers.push(("revoker-text", text(why.text)));
    let optional = [
        ("revoker-campaign-id", facts.campaign_id.as_deref()),
        ("revoker-target-kind", facts.target_kind),
        ("revoker-target", facts.target.as_deref()),
        ("revoker-request-id", facts.request_id.as_deref()),
        ("revoker-error-type", facts.error_type.as_deref()),
    ];
    headers.extend(
        optional
            .into_iter()
            .filter_map(|(name, value)| Some((name, text(value?)))),
    );
    if message.properties.headers_dropped > 0 {
        let dropped = i64::try_from(message.properties.headers_dropped).unwrap_or(i64::MAX);
        headers.push(("revoker-headers-dropped", HeaderValue::Int(dropped)));
    }
    Outgoing {
        to: To::Dead,
        routing_key: message.publisher.clone(),
        body: stored.body,
        properties: stored.properties,
        headers,
    }
}

/// Why an event is dead-lettered.
#[derive(Debug, Clone, Copy)]
pub struct DeadLetter<'a> {
    /// The code.
    pub code: Code,
    /// What is wrong and what to do, without any value of the event.
    pub text: &'a str,
    /// The queue a sealed body is bound to; `None` if the body is in clear.
    pub queue: Option<&'a str>,
}

/// A history as headers.
pub(super) fn history_headers(history: &History) -> Vec<(&'static str, HeaderValue)> {
    let mut headers = vec![
        ("revoker-version", HeaderValue::Int(headers_version())),
        (
            "revoker-attempts",
            HeaderValue::Int(history.attempts.into()),
        ),
        ("revoker-retries", HeaderValue::Int(history.retries.into())),
    ];
    if let Some(at) = history.first_received_at {
        headers.push((
            "revoker-first-received-at",
            HeaderValue::Text(at.to_string()),
        ));
    }
    if let Some(id) = &history.event_id {
        headers.push(("revoker-event-id", HeaderValue::Text(id.clone())));
    }
    if let Some(queue) = &history.queue {
        headers.push(("revoker-queue", HeaderValue::Text(queue.clone())));
    }
    if history.on_trial {
        headers.push(("revoker-on-trial", HeaderValue::Bool(true)));
    }
    if history.replays > 0 {
        headers.push(("revoker-replays", HeaderValue::Int(history.replays.into())));
    }
    headers
}
