//! One delivery as the broker gave it, without the broker: pure data, so that every stage can name it.
//!
//! Not the lapin types: those stay in `broker`. Header values are kept in a small tree of our own,
//! so that a dead letter can carry the publisher's properties on.

use bytes::Bytes;
use jiff::Timestamp;

use crate::closed_set;

closed_set! {
    /// Which queue an event came through. The exchange decides, never the body.
    Lane {
        /// A person or a service waits for this one.
        Urgent => "urgent",
        /// Campaigns and clean-ups.
        Bulk => "bulk",
    }
}

/// The publisher of an event whose routing key is nobody's name. Topic permissions are not asked about it.
pub const UNKNOWN_PUBLISHER: &str = "unknown";

/// How a message came into its lane's queue: what its routing key is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Through the lane's own exchange, or the one through which we bring events back.
    Lane,
    /// Past it: through the default exchange, by the queue's name, or through one that somebody with the
    /// rights for it has bound to ours. The event is one of this lane, but nobody knows whose.
    Past,
    /// By a way that does not lead here: a `CC` or `BCC` header names this queue beside another, or the
    /// exchange is that of another lane.
    Astray,
}

/// A message taken from a lane.
#[derive(Debug, Clone)]
pub struct Message {
    /// The lane it was consumed from.
    pub lane: Lane,
    /// The routing key: the publisher's name, enforced by the broker's topic permissions;
    /// [`UNKNOWN_PUBLISHER`] where it is not.
    pub publisher: String,
    /// How it came here.
    pub route: Route,
    /// Whether the broker checked the `user_id` property against the publisher's connection.
    pub publisher_verified: bool,
    /// The body as it came (or, for a sealed retry, as it was opened).
    pub body: Bytes,
    /// The publisher's own properties, without those we never pass on.
    pub properties: Properties,
    /// What earlier rounds left in our headers; all zero unless the message came back from our own delay queue.
    pub history: History,
    /// Whether a newer worker wrote its headers: it is then left for that one.
    pub from_newer_worker: bool,
    /// The broker's redelivered flag.
    pub redelivered: bool,
    /// The broker's `x-delivery-count`: how often it was given out before.
    pub delivery_count: u64,
}

/// The publisher's basic properties that we keep: everything but `user_id`, `expiration`,
/// `delivery_mode` (always persistent), CC, BCC, `x-*` and `revoker-*` headers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Properties {
    /// MIME type of the body.
    pub content_type: Option<String>,
    /// Encoding of the body.
    pub content_encoding: Option<String>,
    /// Application message id.
    pub message_id: Option<String>,
    /// Application correlation id.
    pub correlation_id: Option<String>,
    /// Application message type.
    pub kind: Option<String>,
    /// Name of the publishing application.
    pub app_id: Option<String>,
    /// Seconds since the epoch, by the publisher.
    pub timestamp: Option<u64>,
    /// The publisher's headers, at most [`Properties::HEADERS_MAX`].
    pub headers: Vec<(String, HeaderValue)>,
    /// How many headers were left out: over the limits below.
    pub headers_dropped: usize,
}

impl Properties {
    /// How many headers of a publisher are carried on.
    pub const HEADERS_MAX: usize = 64;
    /// How many bytes of header names and values are carried on.
    pub const HEADER_BYTES_MAX: usize = 8 * 1024;
}

/// An AMQP header value, as far as we carry it on.
#[derive(Debug, Clone, PartialEq)]
pub enum HeaderValue {
    /// Long or short string that is UTF-8.
    Text(String),
    /// Any integer type.
    Int(i64),
    /// Any floating-point type.
    Float(f64),
    /// Boolean.
    Bool(bool),
    /// Seconds since the epoch.
    Timestamp(u64),
    /// Bytes, or a string that is not UTF-8.
    Bytes(Vec<u8>),
}

/// What became of an event so far, carried in our own headers across delay queues.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Attempts that failed for a reason of the message's own.
    pub attempts: u32,
    /// How many of the retry delays were used.
    pub retries: u32,
    /// When a worker first took the event; `None` on its first delivery.
    pub first_received_at: Option<Timestamp>,
    /// The event's id, for a body that is sealed.
    pub event_id: Option<String>,
    /// The queue a sealed body was sealed for; `None` if the body was stored in clear.
    pub queue: Option<String>,
    /// Whether it was given out too often without an end, and is handled alone since.
    pub on_trial: bool,
    /// How often an operator has replayed it from the dead letters.
    pub replays: u32,
    /// Whether it came back through our own return exchange, so that this history may be believed.
    pub returned: bool,
}
