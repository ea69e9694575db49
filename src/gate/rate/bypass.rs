//! How urgent calls may pass by pace and hold, a few a second.
//!
//! Unbounded they would destroy the limit for all: 150 urgent calls a second against a limit of 100
//! would waste nearly every call. So it is a small bucket, and a backoff of its own when refused.

use super::Seconds;

/// Urgent calls a second that may pass by.
const PER_SECOND: f64 = 8.0;
/// How many of them at once.
const BURST: f64 = 2.0;
/// In a crowd of urgent calls each waits for the pace, so many of its intervals, before it passes it
/// by: else they would go in pairs with paced ones, which limits with a small burst refuse …
const PATIENCE: f64 = 6.0;
/// … but at least so long …
const PATIENCE_MIN: Seconds = 0.05;
/// … and at most so long.
const PATIENCE_MAX: Seconds = 0.5;
/// An urgent call so long after the last one is no crowd.
const ALONE_AFTER: Seconds = 0.5;
/// First wait after a refused one; doubles with each further refusal.
const WAIT_FIRST: Seconds = 0.05;
/// Longest wait in a short block.
const WAIT_MAX: Seconds = 0.5;
/// Longest wait in a block that lasts.
const WAIT_MAX_LONG: Seconds = 5.0;

/// The bucket and the backoff.
#[derive(Debug)]
pub(super) struct Bypass {
    tokens: f64,
    filled_at: Seconds,
    /// When the last urgent call went, paced or not.
    seen_at: Seconds,
    refused_in_row: u32,
    /// Infinite while the one call that asks whether the way is free is on the wire.
    next_at: Seconds,
}

impl Bypass {
    pub(super) fn new() -> Self {
        Self {
            tokens: BURST,
            filled_at: 0.0,
            seen_at: -ALONE_AFTER,
            refused_in_row: 0,
            next_at: 0.0,
        }
    }

    /// When the next call may pass by; infinite until an answer.
    pub(super) fn ready_at(&self) -> Seconds {
        let missing = (1.0 - self.tokens).max(0.0);
        (self.filled_at + missing / PER_SECOND).max(self.next_at)
    }

    /// How long a call waits for the pace, of so many calls a second, before it passes it by.
    pub(super) fn patience(&self, rate: f64, now: Seconds) -> Seconds {
        if now - self.seen_at >= ALONE_AFTER {
            0.0
        } else {
            (PATIENCE / rate).clamp(PATIENCE_MIN, PATIENCE_MAX)
        }
    }

    /// An urgent call goes, paced or not.
    pub(super) fn seen(&mut self, now: Seconds) {
        self.seen_at = now;
    }

    /// A call passes by.
    pub(super) fn take(&mut self, now: Seconds) {
        let filled = self.tokens + (now - self.filled_at) * PER_SECOND;
        self.tokens = (filled.min(BURST) - 1.0).max(0.0);
        self.filled_at = now;
        if self.refused_in_row > 0 {
            self.next_at = f64::INFINITY;
        }
    }

    /// It got through.
    pub(super) fn accepted(&mut self) {
        self.refused_in_row = 0;
        self.next_at = 0.0;
    }

    /// It did not. `spread` is in 0.8..1.2.
    pub(super) fn refused(&mut self, now: Seconds, block_is_long: bool, spread: f64) {
        let longest = if block_is_long {
            WAIT_MAX_LONG
        } else {
            WAIT_MAX
        };
        let wait = WAIT_FIRST * f64::from(self.refused_in_row.min(16)).exp2();
        self.refused_in_row = self.refused_in_row.saturating_add(1);
        self.next_at = now + wait.min(longest) * spread;
    }

    /// An outage is over.
    pub(super) fn reset(&mut self, now: Seconds) {
        self.refused_in_row = 0;
        self.next_at = now;
    }
}
