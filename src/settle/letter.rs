//! What a dead letter says, and how it goes back to its lane.
//!
//! Pure. Not how one is written: that is `report`. Whatever lies in the queue is a letter: one that another
//! tool put there, or a newer worker, is told as such and never an error.

mod cause;

use bytes::Bytes;
use jiff::Timestamp;

use super::{
    code::Code,
    report::{headers_version, history_headers},
    seal::{self, KeyRing, OpenError},
};
use crate::{
    closed_set,
    event::{HeaderValue, History, Lane, Properties},
};
pub use cause::Cause;

/// How often a letter may be replayed before somebody has to insist.
pub const REPLAYS_MAX: u32 = 3;

/// A message of the dead-letter queue, as the broker stage found it; the body is beside it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// The routing key: the publisher.
    pub routing_key: String,
    /// Headers that start like ours.
    pub ours: Vec<(String, HeaderValue)>,
    /// The publisher's own properties.
    pub properties: Properties,
    /// How often it was given out before.
    pub delivery_count: u64,
}

closed_set! {
    /// Whether a body can be read, as far as it was looked at.
    Seal {
        /// It is in clear.
        Clear => "clear",
        /// It is sealed; with a key ring, its key is there.
        Sealed => "sealed",
        /// Its key is not in the key ring.
        KeyUnknown => "key_unknown",
        /// A newer worker sealed it.
        Newer => "newer",
        /// It is cut short or of no form of ours.
        Damaged => "damaged",
    }
}

closed_set! {
    /// Why a letter is not replayed.
    Refusal {
        /// It does not say which lane it came from.
        NoLane => "no_lane",
        /// A newer worker wrote it: what its headers mean is not known here.
        Newer => "newer",
        /// It was replayed [`REPLAYS_MAX`] times.
        TooOften => "too_often",
    }
}

/// What a dead letter says. Never a credential: that is in the body alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Why it is dead.
    pub cause: Cause,
    /// Whether its body is sealed.
    pub seal: Seal,
    /// The lane it came from.
    pub lane: Option<Lane>,
    /// Who published it.
    pub publisher: String,
    /// The publisher's id of the event.
    pub event_id: Option<String>,
    /// The campaign it belongs to.
    pub campaign_id: Option<String>,
    /// `session`, `token` or `user`.
    pub target_kind: Option<String>,
    /// The target's id, or `hmac:…` in place of a credential.
    pub target: Option<String>,
    /// When it was dead-lettered.
    pub dead_lettered_at: Option<Timestamp>,
    /// What is wrong and what to do.
    pub text: Option<String>,
    /// Stytch's `request_id` of the last answer.
    pub request_id: Option<String>,
    /// Stytch's `error_type` of the last answer.
    pub error_type: Option<String>,
    /// What became of it, as its headers tell.
    pub history: History,
    /// Length of the body, bytes.
    pub body_bytes: usize,
}

/// A letter on its way back: everything but the body.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    /// The lane.
    pub lane: Lane,
    /// The routing key.
    pub publisher: String,
    /// The publisher's own properties; of a sealed body its content type.
    pub properties: Properties,
    /// Ours.
    pub headers: Vec<(&'static str, HeaderValue)>,
}

impl Refusal {
    /// Why, and what to do.
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::NoLane => "they do not say which lane they came from; move them with a shovel",
            Self::Newer => "a newer worker wrote them; use a revoker of that version",
            Self::TooOften => "they were replayed three times already; --force replays them again",
        }
    }
}

impl Letter {
    /// Reads a letter. `ring`: to tell whether the key of a sealed one is there.
    pub fn read(found: &Found, body: &[u8], ring: Option<&KeyRing>) -> Self {
        let text = |name: &str| text(found, name);
        let version = int(found, "revoker-version");
        let cause = match version {
            Some(version) if version > headers_version() => Cause::Newer,
            Some(_) => text("revoker-code")
                .and_then(|word| Code::named(&word))
                .map_or(Cause::Unknown, Cause::Known),
            None => Cause::Unknown,
        };
        let lane = text("revoker-lane").filter(|_| version.is_some());
        let seal = seal_of(found, body, ring);
        Self {
            cause,
            seal,
            lane: lane.and_then(|word| Lane::ALL.iter().copied().find(|l| l.as_str() == word)),
            publisher: text("revoker-publisher").unwrap_or_else(|| found.routing_key.clone()),
            event_id: text("revoker-event-id"),
            campaign_id: text("revoker-campaign-id"),
            target_kind: text("revoker-target-kind"),
            target: text("revoker-target"),
            dead_lettered_at: time(found, "revoker-dead-lettered-at"),
            text: text("revoker-text"),
            request_id: text("revoker-request-id"),
            error_type: text("revoker-error-type"),
            history: history(found),
            body_bytes: body.len(),
        }
    }

    /// What the publisher sent, out of a sealed body.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(&self, body: &[u8], ring: &KeyRing) -> Result<(Properties, Bytes), OpenError> {
        let queue = self.history.queue.as_deref().unwrap_or_default();
        ring.open(queue, self.event_id.as_deref().unwrap_or_default(), body)
    }

    /// Whether a body in clear may be shown: a worker seals what may hold a credential, another tool does not.
    pub fn may_show(&self, body: &[u8]) -> bool {
        /// Fields of an event that hold one.
        const CREDENTIALS: [&str; 2] = ["session_token", "session_jwt"];
        let text = std::str::from_utf8(body).ok();
        let in_clear = text.is_some_and(|text| !CREDENTIALS.iter().any(|c| text.contains(c)));
        self.seal == Seal::Clear && matches!(self.cause, Cause::Known(_)) && in_clear
    }

    /// The letter as it goes back: through the exchange that only we write to, so that our headers are
    /// believed and a sealed body is opened; its attempts and delays begin anew.
    ///
    /// # Errors
    /// Why it does not.
    pub fn replay(&self, found: &Found, force: bool) -> Result<Replay, Refusal> {
        if self.cause == Cause::Newer || self.seal == Seal::Newer {
            return Err(Refusal::Newer);
        }
        let lane = self.lane.ok_or(Refusal::NoLane)?;
        if self.history.replays >= REPLAYS_MAX && !force {
            return Err(Refusal::TooOften);
        }
        let history = History {
            attempts: 0,
            retries: 0,
            replays: self.history.replays.saturating_add(1),
            ..self.history.clone()
        };
        let mut properties = found.properties.clone();
        let dropped = int(found, "revoker-headers-dropped");
        properties.headers_dropped += dropped.and_then(|n| n.try_into().ok()).unwrap_or(0);
        Ok(Replay {
            lane,
            publisher: self.publisher.clone(),
            properties,
            headers: history_headers(&history),
        })
    }
}

fn seal_of(found: &Found, body: &[u8], ring: Option<&KeyRing>) -> Seal {
    if found.properties.content_type.as_deref() != Some(seal::CONTENT_TYPE) {
        return Seal::Clear;
    }
    match seal::look(body, ring) {
        Ok(()) => Seal::Sealed,
        Err(OpenError::UnknownKey) => Seal::KeyUnknown,
        Err(OpenError::UnknownVersion { newer: true }) => Seal::Newer,
        Err(_) => Seal::Damaged,
    }
}

fn history(found: &Found) -> History {
    let of = |name| int(found, name).and_then(|n| u32::try_from(n).ok());
    let count = |name| of(name).unwrap_or(0);
    History {
        attempts: count("revoker-attempts"),
        retries: count("revoker-retries"),
        first_received_at: time(found, "revoker-first-received-at"),
        event_id: text(found, "revoker-event-id"),
        queue: text(found, "revoker-queue"),
        on_trial: value(found, "revoker-on-trial") == Some(&HeaderValue::Bool(true)),
        replays: count("revoker-replays"),
        returned: false,
    }
}

fn value<'a>(found: &'a Found, name: &str) -> Option<&'a HeaderValue> {
    let header = found.ours.iter().find(|(other, _)| other == name);
    header.map(|(_, value)| value)
}

fn text(found: &Found, name: &str) -> Option<String> {
    match value(found, name)? {
        HeaderValue::Text(text) => Some(text.clone()),
        _ => None,
    }
}

fn int(found: &Found, name: &str) -> Option<i64> {
    match value(found, name)? {
        HeaderValue::Int(n) => Some(*n),
        _ => None,
    }
}

fn time(found: &Found, name: &str) -> Option<Timestamp> {
    text(found, name)?.parse().ok()
}
