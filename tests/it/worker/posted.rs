//! What is published to the pretend broker, in the journal's words, and what may become of it.

use std::time::Duration;

use revoker::{
    event::{HeaderValue, Message},
    settle::{Outgoing, PublishError, To, seal},
};

/// What becomes of a publish that does not go well.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fate {
    /// It is not kept, and the broker says so.
    Refused(PublishError),
    /// It is not kept, and the broker says nothing.
    Swallowed,
    /// It is kept, and the confirm is lost.
    KeptInSilence,
    /// It is kept and confirmed, and at that moment the link falls.
    KeptAndCut,
    /// It is not kept, and the link falls before anybody says so.
    LostAndCut,
}

/// A publish as a fault sees it.
pub(super) struct Posted<'a> {
    /// As in the journal: `outcome urgent.revoked e1`, `dead bad_format ? sealed`, `retry 60s e1`.
    pub(super) text: &'a str,
    /// Since the world began.
    pub(super) now: Duration,
}

/// The event's id, as far as it can be seen from outside.
pub(super) fn label(message: &Message) -> String {
    let id = message.history.event_id.as_ref();
    let id = id.or(message.properties.message_id.as_ref());
    id.map_or("?", String::as_str).to_owned()
}

/// A header of ours.
pub(super) fn header(message: &Outgoing, name: &str) -> Option<String> {
    let found = message.headers.iter().find(|(n, _)| *n == name)?;
    Some(match &found.1 {
        HeaderValue::Text(text) => text.clone(),
        HeaderValue::Int(n) => n.to_string(),
        other => format!("{other:?}"),
    })
}

/// A publish in the journal's words.
pub(super) fn text(message: &Outgoing) -> String {
    let of = |name: &str| header(message, name).unwrap_or("?".into());
    let id = of("revoker-event-id");
    let sealed = match message.properties.content_type.as_deref() {
        Some(seal::CONTENT_TYPE) => " sealed",
        _ => "",
    };
    match message.to {
        To::Retry(_, delay) => format!("retry {}s {id}{sealed}", delay.as_secs()),
        To::Dead => format!("dead {} {id}{sealed}", of("revoker-code")),
        To::Outcome if message.routing_key.starts_with("worker.") => {
            format!("tells {}", message.routing_key)
        }
        To::Outcome => {
            let body: serde_json::Value = serde_json::from_slice(&message.body).unwrap();
            let id = body["event_id"].as_str().unwrap_or("?");
            let (lane_outcome, _) = message.routing_key.rsplit_once('.').unwrap();
            format!("outcome {lane_outcome} {id}")
        }
    }
}
