//! May this call go now? Lanes, slots, rate and breaker.

/// What the gate needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Calls a second at most, per kind of call; `None`: no ceiling.
    pub max_rate: Option<f64>,
    /// Calls on the wire at once.
    pub slots: usize,
    /// How many of the slots only urgent may use.
    pub slots_urgent_only: usize,
    /// What a failing API means for messages.
    pub outage: OutageMode,
}

/// `REVOKER_OUTAGE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutageMode {
    /// An outage, found by canary, pauses the worker and costs no attempt; a 429 never does.
    Hold,
    /// Every failure, 429 included, counts as an attempt of its message.
    DeadLetter,
}
