//! A message's own 429s: is it the rate, or this target alone?
//!
//! Stytch limits single users with the same error type as everybody. One such message, sent from the
//! front again and again, would leave a few percent of the rate in use; so each message carries what
//! its 429s have shown, and from the second in a row on it stands aside and others find out.

use std::time::Duration;

use crate::event::Lane;

/// 429s in a row that make a message suspect.
const SUSPECT_AFTER: u32 = 2;
/// Successes per unexplained 429 of others, since it was last judged, that make a 429 the message's own.
const CLEAN_SUCCESSES: u64 = 20;

/// What a message's 429s have shown so far: kept with the message, empty again after any answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Suspicion {
    /// Tells messages apart; 0 before the first 429.
    pub(super) id: u64,
    pub(super) refused_in_row: u32,
    pub(super) refused_at: Duration,
    /// Whether a call of it failed otherwise.
    pub(super) failed: bool,
    judged_at: Counted,
}

/// What the pacer has counted when a 429 comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counted {
    /// Successes so far.
    pub(super) successes: u64,
    /// 429s so far that no single message explains.
    pub(super) unexplained: u64,
}

impl Suspicion {
    /// Whether others are to find out first whether the way is free.
    pub fn is_suspect(&self) -> bool {
        self.refused_in_row >= SUSPECT_AFTER
    }

    /// When it was refused last.
    pub fn refused_at(&self) -> Duration {
        self.refused_at
    }

    /// Whether there were too many successes since it was last judged for the rate to be at fault.
    pub(super) fn is_contradicted(&self, counted: Counted) -> bool {
        let successes = counted.successes - self.judged_at.successes;
        let unexplained = counted
            .unexplained
            .saturating_sub(self.judged_at.unexplained);
        successes >= CLEAN_SUCCESSES * unexplained
    }

    /// The 429 was put down to the rate, or to the target: the evidence starts anew.
    pub(super) fn judged(&mut self, counted: Counted) {
        self.judged_at = counted;
    }

    /// How long it stands aside: exponential in its 429s, half of it jitter (0..1).
    pub(super) fn aside(&self, lane: Lane, jitter: f64) -> Duration {
        let (first, longest) = match lane {
            Lane::Urgent => (Duration::from_millis(50), Duration::from_secs(1)),
            Lane::Bulk => (Duration::from_millis(250), Duration::from_secs(15)),
        };
        let doublings = self.refused_in_row.saturating_sub(SUSPECT_AFTER).min(16);
        let step = first.saturating_mul(1 << doublings).min(longest);
        step.mul_f64(0.5 + 0.5 * jitter)
    }
}
