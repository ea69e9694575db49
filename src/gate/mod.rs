//! May this call go now? Lanes, slots, rate and breaker.
//!
//! [`rate`], [`breaker`] and [`mod@line`] decide and are pure; [`wait`] is the only file here that waits.

pub mod brake;
pub mod breaker;
pub mod dedupe;
pub mod flights;
pub mod intake;
pub mod line;
pub mod rate;
pub mod wait;

use std::time::Duration;

use crate::closed_set;
pub use wait::{Closed, Gate, Permit};

/// What the gate needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Calls a second at most, per kind of call; `None`: no ceiling.
    pub max_rate: Option<f64>,
    /// Calls on the wire at once.
    pub slots: usize,
    /// How many of the slots only urgent may use.
    pub slots_urgent_only: usize,
    /// Events a second that one publisher may have ahead of bulk (`REVOKER_URGENT_RATE`).
    pub urgent_rate: f64,
    /// What a failing API means for messages.
    pub outage: OutageMode,
    /// How long a delivery may be in hand (`REVOKER_HOLD_LIMIT`).
    pub hold_limit: Duration,
}

/// `REVOKER_OUTAGE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutageMode {
    /// An outage, found by canary, pauses the worker and costs no attempt; a 429 never does.
    Hold,
    /// Every failure, 429 included, counts as an attempt of its message.
    DeadLetter,
}

closed_set! {
    /// The kinds of call that Stytch limits apart; each has a pacer of its own.
    Way {
        /// `POST /v1/sessions/revoke`.
        Revoke => "revoke",
        /// `GET /v1/sessions`.
        List => "list",
    }
}

/// How a call ended, as far as the gate cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// An answer that is no failure of the API.
    Answered,
    /// 429, with the wait Stytch asked for, if any.
    Limited(Option<Duration>),
    /// No answer, or a 5xx.
    Failed,
    /// Our credentials are refused.
    Refused,
}

/// What the gate made of the news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whether a failure is the message's own; false during an outage and while a canary is on the wire.
    pub counts: bool,
    /// How many outages there were so far: failures before the last one are forgiven.
    pub outages: u32,
    /// The hold that a 429 began for all.
    pub hold: Option<Duration>,
}

/// What the gate is doing, for states and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Why nothing is sent, if so.
    pub paused: Option<breaker::Pause>,
    /// Whether a 429 holds one of the ways.
    pub limited: bool,
}
