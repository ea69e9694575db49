//! Refusals with an error type that nobody knows: the message's fault, its publisher's, or everybody's?
//!
//! Pure. A 4xx judges the request, so one that nobody knows ends the event like any other. But when
//! Stytch changes, or something on the way to it does, every event meets it, and believing it would
//! empty the queues into the dead letters. So one after another is believed only so often.

use std::time::Duration;

use super::dedupe::Key;
use crate::revoke::outcome::Fault;

/// Refusals of one unknown type in a row, without any other answer between them, that are the messages' own.
pub const BELIEVED: u32 = 19;
/// How long a message stands aside whose refusal is nobody's fault: others shall show whether it ends.
pub const ASIDE: Duration = super::breaker::CREDENTIALS_PROBE;

/// One refusal with an error type that nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    error_type: Key,
    publisher: Key,
}

impl Refusal {
    /// A refusal of this type that an event of this publisher met.
    pub fn new(error_type: &str, publisher: &str) -> Self {
        Self {
            error_type: Key::new("error_type", error_type),
            publisher: Key::new("publisher", publisher),
        }
    }
}

/// Refusals in a row.
#[derive(Debug, Default)]
pub struct Row {
    first: Option<Refusal>,
    length: u32,
    several_publishers: bool,
}

impl Row {
    /// A message's call was answered in any other way: the row is over.
    pub fn end(&mut self) {
        *self = Self::default();
    }

    /// A message's call was refused; says whose fault that is. A row goes on after a pause, so that the
    /// next refusal of its type is nobody's fault either.
    pub fn add(&mut self, refusal: Refusal) -> Fault {
        match self.first {
            Some(first) if first.error_type == refusal.error_type => {
                self.length = self.length.saturating_add(1);
                self.several_publishers |= first.publisher != refusal.publisher;
            }
            _ => {
                *self = Self {
                    first: Some(refusal),
                    length: 1,
                    several_publishers: false,
                }
            }
        }
        match (self.length > BELIEVED, self.several_publishers) {
            (false, _) => Fault::Message,
            (true, false) => Fault::Publisher,
            (true, true) => Fault::Nobody(ASIDE),
        }
    }
}
