//! What becomes of the message: verdict, delay, seal, and the publish that must be confirmed before the ack.
//!
//! [`Outbox`] is one of the crate's three seams.

pub mod code;
pub mod delay;
pub mod letter;
pub mod outcome;
pub mod perform;
pub mod report;
pub mod seal;
pub mod verdict;

use std::{future::Future, path::PathBuf, time::Duration};

use bytes::Bytes;

use crate::event::{HeaderValue, Lane, Properties};

/// What the settle stage needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Attempts in memory (`REVOKER_ATTEMPTS`), at least 1.
    pub attempts: u32,
    /// Delays after them (`REVOKER_RETRY_DELAYS`), possibly none.
    pub retry_delays: Vec<Duration>,
    /// Whether every failure, 429 included, is an attempt (`REVOKER_OUTAGE=dead-letter`).
    pub count_every_failure: bool,
    /// Whether outcomes are published (`REVOKER_OUTCOMES`).
    pub outcomes: bool,
    /// The key ring file (`REVOKER_SEAL_KEY_FILE`).
    pub seal_key_file: Option<PathBuf>,
}

/// Where a message of ours goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// The delay queue of a lane.
    Retry(Lane, Duration),
    /// The dead-letter queue.
    Dead,
    /// The outcome exchange.
    Outcome,
}

/// A message to be published: persistent, mandatory, confirmed.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Where it goes.
    pub to: To,
    /// The publisher's name; for an outcome `<lane>.<outcome>.<publisher>`.
    pub routing_key: String,
    /// The body, sealed if it may hold a credential.
    pub body: Bytes,
    /// The publisher's properties that are carried on, or our own content type.
    pub properties: Properties,
    /// Our headers; they win over the publisher's.
    pub headers: Vec<(&'static str, HeaderValue)>,
}

/// Why a publish is not known to be safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// No queue is bound: the broker gave it back.
    #[error("the broker returned the message: no queue is bound for it")]
    Returned,
    /// The queue refused it: full, or without a leader.
    #[error("the broker refused the message: the queue is full or has no leader")]
    Nacked,
    /// We lack the right to write there.
    #[error("the broker's user of this worker may not write there; give it the write permission")]
    Forbidden,
    /// No confirm came in time; it may have arrived all the same.
    #[error("the broker did not confirm in time")]
    TimedOut,
    /// The connection or channel is gone.
    #[error("the connection to the broker is gone")]
    LinkDown,
}

/// The seam to whatever keeps our messages: RabbitMQ in production, a fake in tests on a paused clock.
pub trait Outbox: Send + Sync + 'static {
    /// Publishes, and waits until the broker has confirmed.
    fn publish(&self, message: &Outgoing) -> impl Future<Output = Result<(), PublishError>> + Send;

    /// Whether the link under it still stands. When it does not, the broker gives every unacked
    /// message out again, and there is nothing to publish for any more.
    fn is_up(&self) -> bool;

    /// Waits until it no longer does.
    fn down(&self) -> impl Future<Output = ()> + Send;
}

/// The right and the duty to settle one delivery.
pub trait Receipt: Send + 'static {
    /// Acknowledges. False if the delivery is no longer ours: it will come again.
    fn ack(self) -> impl Future<Output = bool> + Send;
}
