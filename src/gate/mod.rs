//! May this call go now? Lanes, slots, rate and breaker.
//!
//! [`rate`], [`breaker`], [`mod@line`] and [`canary`] decide and are pure, as are [`brake`],
//! [`dedupe`], [`intake`], [`share`], [`trial`] and [`unknown`]. [`wait`], [`flights`] and `outlook` know a clock.

pub mod brake;
pub mod breaker;
pub mod canary;
pub mod dedupe;
pub mod flights;
pub mod intake;
pub mod line;
mod outlook;
mod queue;
pub mod rate;
pub mod share;
pub mod trial;
pub mod unknown;
pub mod wait;

use std::time::Duration;

use crate::{closed_set, revoke::outcome::Fault};
pub use canary::Canary;
pub use queue::Place;
pub use rate::Suspicion;
pub use wait::{Closed, Gate, Permit};

/// What the gate needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Calls a second at most, per kind of call; `None`: no ceiling.
    pub max_rate: Option<f64>,
    /// The same of all workers together; `None`: no such ceiling.
    pub max_rate_total: Option<f64>,
    /// Calls a second in the first moment, before anything is known; doubles every half second up to
    /// 400 a second, and each second from there.
    pub start_rate: f64,
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

/// A point in time, on both clocks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// Since the gate was made.
    pub now: Duration,
    /// Seconds since the wall clock's last full minute: quotas often end there.
    pub second_of_minute: f64,
}

/// How a call ended, as far as the gate cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// An answer that is no failure of the API.
    Answered,
    /// A refusal of the request with an error type that nobody knows.
    Unknown(unknown::Refusal),
    /// 429, with the wait Stytch asked for, if any.
    Limited(Option<Duration>),
    /// No answer, or a 5xx.
    Failed(Reached),
    /// Our credentials are refused.
    Refused,
}

/// How far a failed call came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// To an answer, if a useless one: it counts against the limit.
    Answered,
    /// Nobody knows.
    Unknown,
}

/// What the gate made of the news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whether a failure or a 429 is the message's own. A failure is not during an outage and while
    /// a canary is on the wire; a 429 is when others get through again and again.
    pub own: bool,
    /// How many outages there were so far: failures before the last one are forgiven.
    pub outages: u32,
    /// How long the message waits before it joins the line again; `None`: it goes first.
    pub aside: Option<Duration>,
    /// The hold that a 429 began for all.
    pub hold: Option<Duration>,
    /// Whose fault a refusal with an unknown error type is.
    pub fault: Fault,
}

/// What the gate is doing, for states and metrics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// Why nothing is sent, if so.
    pub paused: Option<breaker::Pause>,
    /// While paused: how long until the next canary goes; zero while one is on the wire.
    pub canary_in: Option<Duration>,
    /// How long Stytch has been answering 429 to all calls of a way.
    pub limited_for: Option<Duration>,
    /// How long a way still is held, if one is.
    pub held_for: Option<Duration>,
    /// Calls a second that may go, by way.
    pub rates: [f64; Way::ALL.len()],
    /// What none of them passes, if there is such a ceiling.
    pub ceiling: Option<f64>,
}
